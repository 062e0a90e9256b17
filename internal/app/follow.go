package app

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/report"
)

// follow applies the feed to the cube until ctx ends.
func (l *Live) follow(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := l.Feed.Next(ctx, l.Applied())
		if err == nil {
			err = l.apply(ctx, events)
		}
		if errors.Is(err, feed.ErrReset) {
			err = l.rebuild(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.log.Warn("the cube could not follow, will try again", "err", err)
			pause(ctx, time.Second)
			continue
		}
		if c := l.cube.Load(); c.MergeDue() {
			c.Merge()
		}
	}
}

// rebuild loads everything anew: the feed is another one, as after a restore. The plan in force may have its number and
// version from before and yet other names and places beside it, and a re-placement half done.
func (l *Live) rebuild(ctx context.Context) error {
	head := l.Feed.Head()
	l.log.Info("the feed was reset, loading anew", "head", head)
	if _, err := l.loadState(ctx, true); err != nil {
		return err
	}
	if err := l.load(ctx); err != nil {
		return err
	}
	if err := l.LoadDesk(ctx); err != nil {
		return err
	}
	l.Auth.Forget()
	l.kept.Store(0) // numbers of before say nothing of this feed
	signal(l.rebuilt)
	signal(l.clocksChanged)
	l.setApplied(head)
	return nil
}

// maxApply is about how many reports are read and applied at a time.
const maxApply = 20_000

// news is what some events say about reports.
type news struct {
	nums      []report.Num // single ones
	ranges    []numRange   // imported
	cases     []report.Num // of which cases changed
	opened    []numRange   // whose cases were opened later
	strays    []numRange   // placed under another plan than the one in force here
	published bool
	changed   bool // items, places or attributions
	people    bool // people, posts, accounts or settings
	desk      bool // what decides about cases
	clocks    bool // cases were opened or acted on
	size      int
}

type numRange struct{ from, to report.Num }

// apply takes events into the cube, and tells who places strays anew.
func (l *Live) apply(ctx context.Context, events []feed.Stored) error {
	for len(events) > 0 {
		var n news
		// Asked after the events were read: what is no stray by this plan was there before a later one is evaluated.
		plan := l.State().Placer.PlanID
		read := 0
		for read < len(events) && n.size < maxApply {
			if err := n.take(events[read], plan); err != nil {
				l.log.Error("an event cannot be read", "seq", events[read].Seq, "err", err)
				return feed.ErrReset
			}
			read++
		}
		if err := l.applyNews(ctx, n); err != nil {
			return err
		}
		l.setApplied(feed.ID{Epoch: l.Applied().Epoch, Seq: events[read-1].Seq})
		events = events[read:]
	}
	return nil
}

func (n *news) take(e feed.Stored, plan int64) error {
	var of numRange
	var by int64 // the plan they were placed under
	switch e.Type {
	case feed.ReportFiled, feed.ReportImported, feed.CaseChanged, feed.CasesOpened, feed.CasesRecounted, feed.CityChanged:
		n.clocks = true
	}
	switch e.Type {
	case feed.ReportFiled, feed.ReportPositioned:
		var d feed.Filed
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		of, by = numRange{report.Num(d.Num), report.Num(d.Num)}, d.Plan
		n.nums = append(n.nums, of.from)
	case feed.ReportImported:
		var d feed.Range
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		of, by = numRange{report.Num(d.FromNum), report.Num(d.ToNum)}, d.Plan
		n.ranges = append(n.ranges, of)
		n.size += d.Count
	case feed.ReportReplaced:
		var d feed.Replaced
		if err := json.Unmarshal(e.Data, &d); err != nil || len(d.Nums) == 0 {
			return err
		}
		for _, num := range d.Nums {
			n.nums = append(n.nums, report.Num(num))
		}
		of, by = numRange{report.Num(slices.Min(d.Nums)), report.Num(slices.Max(d.Nums))}, d.Plan
		n.size += len(d.Nums)
	case feed.CaseChanged:
		var d feed.Case
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		n.cases = append(n.cases, report.Num(d.Num))
		n.size++
		return nil
	case feed.CasesRecounted:
		var d feed.Recounted
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		for _, num := range d.Nums {
			n.cases = append(n.cases, report.Num(num))
		}
		n.size += len(d.Nums)
		return nil
	case feed.CasesOpened:
		var d feed.Opened
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		n.opened = append(n.opened, numRange{report.Num(d.FromNum), report.Num(d.ToNum)})
		n.size += d.Count
		return nil
	case feed.PlanPublished:
		n.published = true
		return nil
	case feed.TeamChanged: // who is on duty counts when a case is opened
		n.desk = true
		return nil
	case feed.CityChanged:
		var d feed.Changed
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		switch d.What {
		case "people":
			n.people, n.desk = true, true
		case "regime":
			n.desk = true
		case "items":
			n.changed, n.desk = true, true
		default:
			n.changed = true
		}
		return nil
	default:
		return nil // report.erased, as there are no words in the cube, or of a later version
	}
	n.size++
	if by != plan {
		n.strays = append(n.strays, of)
	}
	return nil
}

func (l *Live) applyNews(ctx context.Context, n news) error {
	if n.people {
		l.Auth.Forget() // a right that was taken away on another node ends here too
	}
	if n.desk {
		signal(l.deskChanged)
	}
	if n.clocks {
		signal(l.clocksChanged)
	}
	var changes []cube.Change
	add := func(c *report.Column) {
		if !math.IsNaN(c.Lon) { // one without a point is not in the cube
			changes = append(changes, cube.Change{Row: l.row(c), Set: cube.AllFields})
		}
	}
	if err := l.Reports.ColumnsOf(ctx, n.nums, add); err != nil {
		return err
	}
	for _, r := range n.ranges {
		if err := l.Reports.Columns(ctx, r.from, r.to, add); err != nil {
			return err
		}
	}
	if err := l.boardNews(ctx, &n); err != nil {
		return err
	}
	unknown := func(ch cube.Change) bool { return !l.Names().hasItem(ch.Row.Item) }
	if n.changed || slices.ContainsFunc(changes, unknown) {
		if err := l.readItems(ctx); err != nil {
			return err
		}
	}
	l.publishFaces()
	l.widen(changes)
	l.cube.Load().Apply(changes)
	if len(n.strays) > 0 {
		l.strays.add(n.strays...)
	}
	if n.changed {
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
	if n.published || len(n.strays) > 0 {
		l.lookAtPlan()
	}
	return nil
}

// widen takes rows into the span. It never narrows: reports are not unmade.
func (l *Live) widen(changes []cube.Change) {
	for _, ch := range changes {
		at := ch.Row.At
		switch s := l.span.Load(); {
		case s == nil:
			l.span.Store(&[2]uint32{at, at})
		case at < s[0] || at > s[1]:
			l.span.Store(&[2]uint32{min(at, s[0]), max(at, s[1])})
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

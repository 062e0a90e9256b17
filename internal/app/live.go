package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/report"
	"gridgov/tiles"
)

// Live is a city as a server serves it: with its cube, which follows the feed, and a watch on the plan in force.
type Live struct {
	*City
	Feed  *feed.Log
	Maker *tiles.Maker

	cube  *cube.Cube
	names atomic.Pointer[Names]
	span  atomic.Pointer[[2]uint32] // captured_at of the earliest and the latest report
	faces map[string]uint32         // grid code → face in the cube; kept by the follower alone

	mu      sync.Mutex
	applied feed.ID       // everything up to here is in the cube
	moved   chan struct{} // closed and renewed when applied moves

	replacing atomic.Pointer[report.Replacing] // nil: nothing under way
	switched  chan struct{}                    // the plan in force may have changed
	done      sync.WaitGroup
	stop      context.CancelFunc
}

// Names are the words behind the cube's small codes. They are immutable; new words make new Names.
type Names struct {
	tiles.Names
	Items []report.Item
	item  map[string]uint16
	face  map[string]uint32
}

// Item returns the number of an item in the cube.
func (n *Names) Item(code string) (uint16, bool) {
	v, ok := n.item[code]
	return v, ok
}

// Start loads the cube and begins to follow. When it returns the city is ready to serve.
func (c *City) Start(ctx context.Context) (*Live, error) {
	log, err := feed.NewLog(ctx, c.Pool, c.log) // before the reports are read: what comes meanwhile is applied again
	if err != nil {
		return nil, err
	}
	l := &Live{City: c, Feed: log, Maker: &tiles.Maker{}, faces: map[string]uint32{}, applied: log.Head(),
		moved: make(chan struct{}), switched: make(chan struct{}, 1)}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	c.wake.Store(new(l.Feed.Wake))
	l.done.Go(func() { l.Feed.Run(run) })
	l.done.Go(func() { l.Feed.Listen(run, c.Code) })
	l.done.Go(func() { l.follow(run) })
	l.done.Go(func() { l.watchPlan(run) })
	return l, nil
}

// Stop ends the followers and waits for them.
func (l *Live) Stop() {
	l.stop()
	l.done.Wait()
	l.City.Close()
}

// View is the cube as it is now.
func (l *Live) View() cube.View { return l.cube.View() }

// Names are the words of the cube's codes.
func (l *Live) Names() *Names { return l.names.Load() }

// Replacing tells how far a re-placement under way has come.
func (l *Live) Replacing() (report.Replacing, bool) {
	if p := l.replacing.Load(); p != nil {
		return *p, true
	}
	return report.Replacing{}, false
}

// load fills the cube from PostGIS.
func (l *Live) load(ctx context.Context) error {
	if err := l.readItems(ctx); err != nil {
		return err
	}
	var rows []cube.Row
	err := l.Reports.Columns(ctx, 0, math.MaxUint32, func(c report.Column) {
		if !math.IsNaN(c.Lon) {
			rows = append(rows, l.row(c))
		}
	})
	if err != nil {
		return err
	}
	l.cube = cube.Load(slices.Values(rows))
	l.publishFaces()
	return nil
}

func (l *Live) row(c report.Column) cube.Row {
	face := cube.FaceNone
	if c.Grid != nil {
		f, ok := l.faces[string(c.Grid)]
		if !ok {
			f = uint32(len(l.faces))
			l.faces[string(c.Grid)] = f
		}
		face = f
	}
	at := uint32(min(max(c.At, 0), math.MaxUint32))
	l.widen(at)
	return cube.Row{Num: uint32(c.Num), Lon: c.Lon, Lat: c.Lat, At: at,
		Item: uint16(c.Item), Kind: c.Kind, Source: c.Source, Face: face}
}

func (l *Live) readItems(ctx context.Context) error {
	items, err := l.Reports.Items(ctx)
	if err != nil {
		return err
	}
	n := &Names{Items: items, item: map[string]uint16{}}
	if old := l.names.Load(); old != nil {
		n.Faces, n.face = old.Faces, old.face
	}
	for _, i := range items {
		n.item[i.Code] = uint16(i.Num)
		for len(n.Names.Items) <= int(i.Num) {
			n.Names.Items = append(n.Names.Items, "")
		}
		n.Names.Items[i.Num] = i.Code
	}
	n.Kinds = []string{""}
	for _, k := range report.Kinds {
		n.Kinds = append(n.Kinds, string(k))
	}
	for _, s := range report.Sources {
		n.Sources = append(n.Sources, string(s))
	}
	l.names.Store(n)
	return nil
}

// publishFaces lets readers name the faces met so far.
func (l *Live) publishFaces() {
	old := l.names.Load()
	if len(old.Faces) == len(l.faces) {
		return
	}
	next := *old
	next.Faces, next.face = make([]string, len(l.faces)), maps.Clone(l.faces)
	for code, f := range l.faces {
		next.Faces[f] = code
	}
	l.names.Store(&next)
}

// Applied returns the feed's position that the cube has reached.
func (l *Live) Applied() feed.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.applied
}

// WaitApplied returns when everything up to id is in the cube, or at once when id is of another epoch.
func (l *Live) WaitApplied(ctx context.Context, id feed.ID) error {
	for {
		l.mu.Lock()
		at, moved := l.applied, l.moved
		l.mu.Unlock()
		if at.Epoch != id.Epoch || at.Seq >= id.Seq {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Live) setApplied(id feed.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = id
	close(l.moved)
	l.moved = make(chan struct{})
}

// follow applies the feed to the cube until ctx ends.
func (l *Live) follow(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := l.Feed.Next(ctx, l.Applied())
		if errors.Is(err, feed.ErrReset) {
			err = l.rebuild(ctx)
		} else if err == nil {
			err = l.apply(ctx, events)
		}
		if err != nil && ctx.Err() == nil {
			l.log.Warn("the cube could not follow, will try again", "err", err)
			pause(ctx, time.Second)
			continue
		}
		if l.cube.MergeDue() {
			l.cube.Merge()
		}
	}
}

// rebuild loads everything anew: the feed is another one, as after a restore.
func (l *Live) rebuild(ctx context.Context) error {
	head := l.Feed.Head()
	l.log.Info("the feed was reset, loading anew", "head", head)
	if _, err := l.Reload(ctx); err != nil {
		return err
	}
	if err := l.load(ctx); err != nil {
		return err
	}
	l.setApplied(head)
	return nil
}

func (l *Live) apply(ctx context.Context, events []feed.Stored) error {
	var nums []report.Num // single reports
	strays := map[report.Num]report.Num{}
	plan := l.State().Placer.PlanID
	newItems := false
	for _, e := range events {
		switch e.Type {
		case feed.ReportFiled, feed.ReportPositioned:
			var d feed.Filed
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			nums = append(nums, report.Num(d.Num))
			if d.Plan != plan {
				strays[report.Num(d.Num)] = report.Num(d.Num)
			}
		case feed.ReportImported:
			var d feed.Range
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			newItems = true
			if d.Plan != plan {
				strays[report.Num(d.FromNum)] = report.Num(d.ToNum)
			}
		case feed.ReportReplaced:
			var d feed.Replaced
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			for _, n := range d.Nums {
				nums = append(nums, report.Num(n))
			}
		case feed.PlanPublished:
			select {
			case l.switched <- struct{}{}:
			default:
			}
		}
	}
	if newItems {
		if err := l.readItems(ctx); err != nil {
			return err
		}
	}
	var changes []cube.Change
	add := func(c report.Column) {
		changes = append(changes, cube.Change{Row: l.row(c), Set: cube.AllFields})
	}
	if err := l.Reports.ColumnsOf(ctx, nums, add); err != nil {
		return err
	}
	for _, e := range events {
		if e.Type != feed.ReportImported {
			continue
		}
		var d feed.Range
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if err := l.Reports.Columns(ctx, report.Num(d.FromNum), report.Num(d.ToNum), add); err != nil {
			return err
		}
	}
	l.publishFaces()
	l.cube.Apply(changes)
	l.setApplied(feed.ID{Epoch: l.Applied().Epoch, Seq: events[len(events)-1].Seq})
	for from, to := range strays {
		// Filed under another plan than the one in force here: looked at again, outside of this loop's way.
		l.done.Go(func() { l.replaceStray(ctx, from, to) })
	}
	return nil
}

func (l *Live) replaceStray(ctx context.Context, from, to report.Num) {
	if _, err := l.Reports.ReplaceRange(ctx, l.State().Placer, from, to); err != nil && ctx.Err() == nil {
		l.log.Warn("could not place again", "from", from, "to", to, "err", err)
		return
	}
	l.Announce()
}

// watchPlan sees to it that the plan in force is the one served: at once when one is published, and when the moment of
// one published ahead has come.
func (l *Live) watchPlan(ctx context.Context) {
	l.replace(ctx) // what an earlier run may have left
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.switched:
		case <-tick.C:
		}
		changed, err := l.Reload(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.log.Warn("the plan in force could not be loaded, will try again", "err", err)
			}
			continue
		}
		if changed {
			l.replace(ctx)
		}
	}
}

// replace places all reports under the plan in force, until it is done.
func (l *Live) replace(ctx context.Context) {
	for ctx.Err() == nil {
		placer := l.State().Placer
		if placer.PlanID == 0 {
			return
		}
		result, err := l.Replace(ctx, placer, func(p report.Replacing) {
			l.replacing.Store(&p)
			l.Announce()
		})
		l.replacing.Store(nil)
		if err == nil {
			if result.Changed > 0 {
				l.log.Info("reports placed under the plan in force", "changed", result.Changed, "reports", result.Total)
			}
			return
		}
		if ctx.Err() == nil {
			l.log.Warn("placing under the new plan stopped, will go on", "err", err)
			pause(ctx, time.Second)
		}
	}
}

// Replace places all reports under a plan, strays filed meanwhile under an older one included.
func (c *City) Replace(ctx context.Context, placer *report.Placer, progress func(report.Replacing)) (report.Replacing, error) {
	r, err := c.Reports.Replace(ctx, placer, progress)
	if err != nil {
		return r, err
	}
	last, err := c.Reports.LastNum(ctx)
	if err != nil || int64(last) <= r.Total {
		return r, err
	}
	n, err := c.Reports.ReplaceRange(ctx, placer, report.Num(r.Total+1), last)
	r.Changed += int64(n)
	return r, err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

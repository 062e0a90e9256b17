package api

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/kpi"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/sheet"
	"gridgov/internal/worktime"
)

// The bounds of what is told of an effect.
const (
	maxEffectWays  = 200
	maxEffectItems = 50
	tellProgress   = 200 * time.Millisecond
)

// tooLong tells that a span is longer than thirteen months, and the day on which it began.
func tooLong(from, to time.Time) bool { return from.Before(to.AddDate(0, -13, -1)) }

// change is the version of the path beside those in force. What it would do tells of all cases, so it is for who sees them all.
func (c *call) change(r *http.Request, q *query) (*casework.Change, error) {
	from, to := q.time("from", c.Zone), q.time("to", c.Zone)
	if to.IsZero() {
		to = c.at.Add(time.Second).Truncate(time.Second)
	}
	if from.IsZero() {
		from = to.AddDate(0, -1, 0)
	}
	switch {
	case !from.Before(to):
		q.fail(fault.Invalid("to", "empty_span", "the span ends before it begins: choose a later end"))
	case tooLong(from, to):
		q.fail(fault.Invalid("from", "span_too_long", "the span is longer than 13 months: choose a shorter one"))
	}
	if err := q.done(); err != nil {
		return nil, err
	}
	if view := c.may(policy.ReportView); !view.City {
		return nil, fault.Forbidden("not_allowed", "what a version would do tells of all cases of the city, which none of your posts in force lets you see")
	}
	d, err := c.version(r)
	if err != nil {
		return nil, err
	}
	return c.ChangeTo(r.Context(), &d, from, to)
}

// getRegimeEffect counts what a version would do, and tells how far it has come. Who leaves ends it.
func (a *api) getRegimeEffect(w http.ResponseWriter, r *http.Request, c *call) error {
	ch, err := c.change(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	ctx, cancel := contextUntil(r.Context(), a.Stop)
	defer cancel()
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return nil
	}
	rc := http.NewResponseController(w)
	line := func(v RegimeEffectLine) {
		_ = rc.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if json.NewEncoder(w).Encode(v) != nil || rc.Flush() != nil {
			cancel() // nobody listens
		}
	}
	var told time.Time
	e, err := c.Cases.EffectOf(ctx, ch, func(done, total int) {
		if now := time.Now(); now.Sub(told) >= tellProgress {
			told = now
			line(RegimeEffectLine{Done: &done, Total: &total})
		}
	})
	if err != nil {
		if r.Context().Err() != nil {
			return nil //nolint:nilerr // the client is gone
		}
		panic(fmt.Errorf("%w: %w", http.ErrAbortHandler, err)) // nobody is to take a part for the whole
	}
	line(RegimeEffectLine{Effect: new(c.effectOf(ch, e))})
	return nil
}

func (c *call) effectOf(ch *casework.Change, e *casework.Effect) RegimeEffect {
	against := map[regime.Kind]regime.ID{regime.Catalogue: ch.Before.CatalogueID, regime.Rules: ch.Before.RulesID, regime.Calendar: ch.Before.CalendarID}
	out := RegimeEffect{Kind: RegimeEffectKind(ch.Kind), Against: int(against[ch.Kind]), At: utc(ch.At), Looked: e.Looked, Moved: e.Moved, Open: e.Open, Redecided: e.Redecided,
		Aside: e.Aside, Clocks: e.Clocks, ClocksMoved: e.ClocksMoved, Earlier: e.Earlier, Later: e.Later, Differ: e.Differ, Kept: e.Kept,
		Ways: []RegimeEffectWay{}, MoreWays: max(0, len(e.Ways)-maxEffectWays), Assumed: []RegimeEffectAssumed{}}
	if ch.Kind == regime.Rules {
		out.From, out.To = new(utc(ch.From)), new(utc(ch.To))
		out.Assumed = append(out.Assumed, Members, Loads, Places)
	}
	for _, w := range e.Ways[:min(len(e.Ways), maxEffectWays)] {
		way := RegimeEffectWay{Way: wayText(w.Way), Cases: w.Cases, InSpan: w.InSpan, Redecided: w.Redecided, Clocks: w.Clocks, Items: countsOf(w.Items, c.ItemNamed), Towns: countsOf(w.Towns, c.TownNamed)}
		if ch.Kind == regime.Rules {
			way.FromUnit, way.ToUnit = new(c.caseUnit(w.FromUnit)), new(c.caseUnit(w.ToUnit))
		} else {
			way.FromColour, way.ToColour = new(ClockColour(w.FromColour)), new(ClockColour(w.ToColour))
		}
		out.Ways = append(out.Ways, way)
	}
	return out
}

// countsOf are counts by code, the most first.
func countsOf(counts map[string]int, name func(string) worktime.Words) []RegimeEffectCount {
	out := make([]RegimeEffectCount, 0, len(counts))
	for code, n := range counts {
		count := RegimeEffectCount{Code: code, Cases: n}
		if code != "" {
			count.Name = wordsOf(name(code))
		}
		out = append(out, count)
	}
	slices.SortFunc(out, func(a, b RegimeEffectCount) int { return cmp.Or(b.Cases-a.Cases, cmp.Compare(a.Code, b.Code)) })
	return out[:min(len(out), maxEffectItems)]
}

// wayText is how a way is written: 3>5, green>red.
func wayText(w casework.Way) string {
	if w.FromUnit != 0 {
		return fmt.Sprintf("%d>%d", w.FromUnit, w.ToUnit)
	}
	return string(w.FromColour) + ">" + string(w.ToColour)
}

func (a *api) listRegimeEffect(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	limit, way, cursor := q.integer("limit", 1, 500, 50), q.get("way"), q.get("after")
	var after casework.Ref
	if cursor != "" {
		var ok bool
		if after, ok = casework.ParseRef(cursor); !ok {
			q.fail(fault.Invalid("after", "bad_cursor", "is not the `next` of a page; start again without it"))
		}
	}
	ch, err := c.change(r, q)
	if err != nil {
		return err
	}
	out := RegimeEffectPage{Cases: []RegimeEffectCase{}}
	var last casework.Ref
	var failed error
	err = c.Cases.MovedBy(r.Context(), ch, after, func(m *casework.Moved) bool {
		if way != "" && wayText(m.Way()) != way {
			return true
		}
		if len(out.Cases) >= limit && m.Ref != last { // one more is there
			out.Next = new(last.String())
			return false
		}
		last = m.Ref
		if out.Next == nil && failed == nil {
			var row RegimeEffectCase
			row, failed = c.effectCase(ch, m)
			out.Cases = append(out.Cases, row)
		}
		return failed == nil
	})
	if err = cmp.Or(failed, err); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

func (c *call) effectCase(ch *casework.Change, m *casework.Moved) (RegimeEffectCase, error) {
	out := RegimeEffectCase{Ref: m.Ref.String(), Report: m.ID, Item: m.Item, ItemName: wordsOf(c.ItemNamed(m.Item)), State: CaseState(m.State), Unit: c.caseUnit(m.Unit),
		OpenedAt: utc(m.OpenedAt), Way: wayText(m.Way())}
	if m.Town != "" {
		out.Town, out.TownName = &m.Town, new(wordsOf(c.TownNamed(m.Town)))
	}
	if ch.Kind == regime.Rules {
		if err := ch.Explain(m); err != nil {
			return out, err
		}
		out.InSpan, out.Redecided = &m.InSpan, &m.Redecided
	} else {
		out.Clock, out.Stage = new(RegimeEffectCaseClock(m.Clock)), &m.Stage
	}
	out.Before, out.After = c.effectSide(ch, &m.Before), c.effectSide(ch, &m.After)
	return out, nil
}

func (c *call) effectSide(ch *casework.Change, s *casework.Side) RegimeEffectSide {
	if ch.Kind == regime.Rules {
		return RegimeEffectSide{Unit: new(c.caseUnit(s.Unit)), Rule: &s.Rule, Why: new(wordsOf(s.Words))}
	}
	return RegimeEffectSide{Limit: new(s.Limit.String()), LimitWords: new(wordsOf(s.Limit.Words())), AmberAt: moment(s.Amber), DueAt: moment(s.Due), Colour: new(ClockColour(s.Colour))}
}

// exportRegimeEffect streams all that a version would move as a table.
func (a *api) exportRegimeEffect(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	lang := cmp.Or(q.get("lang"), "zh")
	if lang != "zh" && lang != "en" {
		q.fail(fault.Invalid("lang", "unknown_value", "%.40q is neither zh nor en", lang))
	}
	ch, err := c.change(r, q)
	if err != nil {
		return err
	}
	csvHeader(w, "effect-"+r.PathValue("kind")+"-"+r.PathValue("id")+".csv")
	if r.Method == http.MethodHead {
		return nil
	}
	rc := http.NewResponseController(w)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_, _ = w.Write([]byte("\ufeff")) // spreadsheets know UTF-8 by it
	_ = out.Write(effectHeader(ch.Kind))
	n := 0
	err = c.Cases.MovedBy(r.Context(), ch, casework.Ref{}, func(m *casework.Moved) bool {
		if ch.Kind == regime.Rules {
			if err = ch.Explain(m); err != nil {
				return false
			}
		}
		cells := c.effectCells(ch, m, lang)
		for i := range cells {
			cells[i] = sheet.Guard(cells[i])
		}
		_ = out.Write(cells)
		if n++; n%1000 == 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(2 * heartbeat))
			out.Flush()
		}
		return out.Error() == nil
	})
	if err != nil && r.Context().Err() == nil {
		return cutOff(w, out, err)
	}
	out.Flush()
	return nil
}

func effectHeader(kind regime.Kind) []string {
	common := []string{"case", "report", "item", "item_name", "town", "state", "unit", "opened_at"}
	if kind == regime.Rules {
		return append(common, "before_unit", "before_rule", "before_why", "after_unit", "after_rule", "after_why", "in_span", "open_would_move")
	}
	return append(common, "clock", "stage", "before_limit", "before_amber", "before_due", "before_colour", "after_limit", "after_amber", "after_due", "after_colour")
}

func (c *call) effectCells(ch *casework.Change, m *casework.Moved, lang string) []string {
	unit := func(id policy.UnitID) string {
		u, _ := c.UnitNamed(id)
		return cmp.Or(u.Name.In(lang), strconv.FormatInt(int64(id), 10))
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(c.Zone).Format(time.RFC3339)
	}
	town := ""
	if m.Town != "" {
		town = c.TownNamed(m.Town).In(lang)
	}
	cells := []string{m.Ref.String(), m.ID.String(), m.Item, c.ItemNamed(m.Item).In(lang), town, string(m.State), unit(m.Unit), at(m.OpenedAt)}
	if ch.Kind == regime.Rules {
		for _, s := range []*casework.Side{&m.Before, &m.After} {
			cells = append(cells, unit(s.Unit), strconv.Itoa(s.Rule), s.Words.In(lang))
		}
		return append(cells, strconv.FormatBool(m.InSpan), strconv.FormatBool(m.Redecided))
	}
	cells = append(cells, string(m.Clock), strconv.Itoa(m.Stage+1))
	for _, s := range []*casework.Side{&m.Before, &m.After} {
		cells = append(cells, s.Limit.String(), at(s.Amber), at(s.Due), string(s.Colour))
	}
	return cells
}

// getRates counts what is due in a span, of what who asks may see.
func (a *api) getRates(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	ask := casework.RateQuery{From: q.time("from", c.Zone), To: q.time("to", c.Zone)}
	ask.Items = q.list("item")
	for _, s := range q.list("unit") {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil || id < 1 {
			q.fail(fault.Invalid("unit", "unknown_value", "%.40q is not the number of a unit", s))
		}
		ask.Units = append(ask.Units, policy.UnitID(id))
	}
	for _, level := range []policy.Level{policy.Town, policy.Village, policy.Grid} {
		code := q.get(string(level))
		switch {
		case code == "":
		case ask.Area != nil:
			q.fail(fault.Invalid(string(level), "both_given", "name one jurisdiction: a town, a village or a grid"))
		default:
			ask.Area = &policy.Area{Level: level, Code: code}
		}
	}
	if ask.To.IsZero() {
		ask.To = c.at.Add(time.Second).Truncate(time.Second)
	}
	if ask.From.IsZero() {
		ask.From = ask.To.AddDate(0, -1, 0)
	}
	switch {
	case !ask.From.Before(ask.To):
		q.fail(fault.Invalid("to", "empty_span", "the span ends before it begins: choose a later end"))
	case tooLong(ask.From, ask.To):
		q.fail(fault.Invalid("from", "span_too_long", "the span is longer than 13 months: choose a shorter one"))
	}
	if err := q.done(); err != nil {
		return err
	}
	t, err := c.Rates(r.Context(), ask, &c.reach)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, CaseRates{From: utc(ask.From), To: utc(ask.To), Due: t.Due, Closed: t.Closed, OnTime: t.OnTime, Suspended: t.Suspended,
		Closure: rateOf(t.Closure()), OnTimeRate: rateOf(t.OnTimeRate())})
}

func rateOf(r kpi.Rate) Rate {
	out := Rate{Part: r.Part, N: r.N, TooFew: r.TooFew()}
	if !out.TooFew {
		out.Percent = new(r.Percent())
	}
	return out
}

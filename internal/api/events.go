package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// heartbeat keeps proxies from closing a quiet stream, and finds out that a client is gone.
const heartbeat = 15 * time.Second

// streamEvents sends the feed as server-sent events. An event is sent once the cube has it: who then asks for a tile gets
// what the event told.
func (a *api) streamEvents(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	last := q.get("last_event_id")
	if err := q.done(); err != nil {
		return err
	}
	if h := r.Header.Get("Last-Event-ID"); h != "" {
		last = h // what a reconnecting EventSource sends wins
	}
	at := c.Applied()
	if last != "" {
		id, ok := feed.ParseID(last)
		if !ok {
			return fault.Invalid("Last-Event-ID", "bad_event_id", "%.40q is not the id of an event, such as 1-4711", last)
		}
		at = id
	}
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // renewed with each message: a client that takes none is let go
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil // there is no body to go on with
	}
	if _, err := fmt.Fprintf(w, "retry: 1000\n: %s\n\n", at); err != nil { //nolint:gosec // the position is made of two numbers, and the stream is no page
		return nil
	}
	if err := rc.Flush(); err != nil {
		return nil //nolint:nilerr // the client is gone
	}
	return a.stream(w, r, rc, c, at)
}

// askAgain is how often an open stream asks who it is for: a right that ends is gone from it within 5 s, with the time
// that an identity is kept in memory.
const askAgain = time.Second

func (a *api) stream(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, c *call, at feed.ID) error {
	ctx, cancel := contextUntil(r.Context(), a.Stop)
	defer cancel()
	quiet := time.Now()
	for {
		events, err := nextWithin(ctx, c.Live, at, askAgain)
		now, changed := a.askAgain(r, c)
		if now == nil {
			return nil // signed out, or no right is left: the client asks again and is told so
		}
		c = now
		out := &bytes.Buffer{}
		if changed {
			fmt.Fprint(out, "event: access\ndata: {}\n\n")
		}
		switch {
		case errors.Is(err, feed.ErrReset):
			if at, err = c.Resume(ctx, at); err != nil {
				return nil
			}
			fmt.Fprintf(out, "id: %s\nevent: reset\ndata: {}\n\n", at)
		case ctx.Err() != nil:
			return nil // the client or the server is going
		case err != nil:
			return err
		case len(events) > 0:
			to := feed.ID{Epoch: at.Epoch, Seq: events[len(events)-1].Seq}
			if err := c.WaitApplied(ctx, to); err != nil {
				return nil
			}
			c.tell(out, at.Epoch, events)
			at = to
		}
		if out.Len() == 0 {
			if time.Since(quiet) < heartbeat {
				continue
			}
			fmt.Fprint(out, ": \n\n")
		}
		quiet = time.Now()
		_ = rc.SetWriteDeadline(quiet.Add(2 * heartbeat))
		if _, err := w.Write(out.Bytes()); err != nil {
			return nil //nolint:nilerr // the client is gone
		}
		if err := rc.Flush(); err != nil {
			return nil //nolint:nilerr // the client is gone
		}
	}
}

// askAgain finds out anew who asks; nil: who may no longer. changed tells that the reach is another.
func (a *api) askAgain(r *http.Request, c *call) (now *call, changed bool) {
	now, err := a.identify(r, c.Live)
	if err != nil {
		if r.Context().Err() == nil && !errors.Is(err, auth.ErrNoSession) {
			a.Log.Warn("a stream's reader cannot be identified", "city", c.Code, "err", err)
		}
		return nil, false
	}
	if now.reach = now.may(policy.ReportView); now.reach.Empty() || (now.who == nil) != (c.who == nil) {
		return nil, false
	}
	return now, !now.reach.Equal(&c.reach)
}

// tell writes the events as far as the reader may know of them. Who sees a part of the city hears of reports there; that
// reports elsewhere or of before have moved is told without saying which.
func (c *call) tell(out *bytes.Buffer, epoch int, events []feed.Stored) {
	hears := c.hears(&c.reach)
	for _, e := range events {
		id := feed.ID{Epoch: epoch, Seq: e.Seq}
		switch {
		case e.Type == feed.NoticeMade: // whoever sees all: what one is told is one's own
			var d feed.Notice
			if json.Unmarshal(e.Data, &d) == nil && c.who != nil && d.Person == c.who.Person {
				writeEvent(out, id, e.Type, json.RawMessage("{}"))
			}
		case e.Type == feed.ProposalChanged, e.Type == feed.OrderChanged: // another right, whoever sees all reports
			if c.hearsOfInvestigations(&e) {
				writeEvent(out, id, e.Type, e.Data)
			}
		case e.Type == feed.PatrolChanged: // likewise
			var d feed.Patrol
			patrols := c.may(policy.PatrolView)
			if json.Unmarshal(e.Data, &d) == nil && coversCell(&patrols, &policy.Cell{Town: d.Town, Village: d.Village, Grid: d.Grid, Microgrid: d.Microgrid}) {
				writeEvent(out, id, e.Type, e.Data)
			}
		case c.reach.City:
			writeEvent(out, id, e.Type, e.Data)
		case e.Type == feed.PlanPublished, e.Type == feed.TeamChanged: // a unit's number
			writeEvent(out, id, e.Type, e.Data)
		case e.Type == feed.CityChanged:
			writeEvent(out, id, e.Type, json.RawMessage("{}"))
		case e.Type == feed.ReportFiled:
			var d feed.Filed
			if json.Unmarshal(e.Data, &d) != nil {
				continue
			}
			if hears(d.Num, d.Units) {
				writeEvent(out, id, e.Type, e.Data)
			}
		case e.Type == feed.CaseChanged:
			var d feed.Case
			if json.Unmarshal(e.Data, &d) == nil && hears(d.Num, d.Units) {
				writeEvent(out, id, e.Type, e.Data)
			}
		case e.Type == feed.CasesRecounted:
			writeEvent(out, id, e.Type, json.RawMessage("{}"))
		case e.Type == feed.ReportPositioned, e.Type == feed.ReportImported, e.Type == feed.ReportReplaced, e.Type == feed.ReportErased, e.Type == feed.CasesOpened:
			writeEvent(out, id, reportsChanged, json.RawMessage("{}"))
		}
	}
}

// hears tells whether a reach covers a report, in whole or at a glimpse, by what is in memory: by where it lies, or by the units that
// lead or support its case.
func (c *call) hears(reach *policy.Reach) func(num uint32, units []int64) bool {
	view, faces := c.View(), c.Faces(reach) // in this order: the faces are not older than what the view holds
	return func(num uint32, units []int64) bool {
		row, ok := view.Get(num)
		return ok && faces.Has(row.Face) || slices.ContainsFunc(units, func(u int64) bool { return slices.Contains(reach.Units, policy.UnitID(u)) })
	}
}

// hearsOfInvestigations tells whether who reads may see what an event of a proposal or an investigation is about.
func (c *call) hearsOfInvestigations(e *feed.Stored) bool {
	action := policy.ScreeningView
	var d feed.Order // which has what a proposal's has
	if e.Type == feed.OrderChanged {
		action = policy.InvestigationView
	}
	if json.Unmarshal(e.Data, &d) != nil {
		return false
	}
	reach := c.may(action)
	in := screening.Of(&reach)
	return in.HasAll(d.Towns, d.Villages, nil) || slices.ContainsFunc(d.Units, func(u int64) bool { return slices.Contains(in.Units, u) })
}

// reportsChanged tells who sees a part of the city that reports may have come, gone or moved there.
const reportsChanged = "reports.changed"

func writeEvent(out *bytes.Buffer, id feed.ID, typ string, data json.RawMessage) {
	fmt.Fprintf(out, "id: %s\nevent: %s\ndata: %s\n\n", id, typ, data)
}

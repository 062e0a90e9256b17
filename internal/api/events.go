package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

// heartbeat keeps proxies from closing a quiet stream, and finds out that a client is gone.
const heartbeat = 15 * time.Second

// streamEvents sends the feed as server-sent events. An event is sent once the cube has it: who then asks for a tile gets
// what the event told.
func (a *api) streamEvents(w http.ResponseWriter, r *http.Request, c *app.Live) error {
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
	if _, err := fmt.Fprintf(w, "retry: 1000\n: %s\n\n", at); err != nil {
		return nil
	}
	if err := rc.Flush(); err != nil {
		return nil //nolint:nilerr // the client is gone
	}
	return a.stream(w, r, rc, c, at)
}

func (a *api) stream(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, c *app.Live, at feed.ID) error {
	ctx, cancel := contextUntil(r.Context(), a.Stop)
	defer cancel()
	for {
		events, err := nextWithin(ctx, c, at, heartbeat)
		switch {
		case errors.Is(err, feed.ErrReset):
			if at, err = c.Resume(ctx, at); err != nil {
				return nil
			}
			_, err = fmt.Fprintf(w, "id: %s\nevent: reset\ndata: {}\n\n", at)
		case ctx.Err() != nil:
			return nil // the client or the server is going
		case err != nil:
			return err
		case len(events) == 0:
			_, err = fmt.Fprint(w, ": \n\n")
		default:
			to := feed.ID{Epoch: at.Epoch, Seq: events[len(events)-1].Seq}
			if err := c.WaitApplied(ctx, to); err != nil {
				return nil
			}
			for _, e := range events {
				if err = writeEvent(w, feed.ID{Epoch: at.Epoch, Seq: e.Seq}, e.Type, e.Data); err != nil {
					break
				}
			}
			at = to
		}
		if err == nil {
			_ = rc.SetWriteDeadline(time.Now().Add(2 * heartbeat))
			err = rc.Flush()
		}
		if err != nil {
			return nil // the client is gone
		}
	}
}

func writeEvent(w http.ResponseWriter, id feed.ID, typ string, data json.RawMessage) error {
	_, err := fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", id, typ, data)
	return err
}

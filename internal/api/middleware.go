package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// recorder remembers the status for the log line.
type recorder struct {
	http.ResponseWriter
	status int
	person uuid.UUID // who asks; nil: not signed in
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

var requests atomic.Uint64 // numbers requests within the process, for the log alone

// requestID is what the log and a problem document call a request.
type requestID uint64

func (id requestID) String() string { return strconv.FormatUint(uint64(id), 36) }

// wrap runs a handler, turns its error into a problem document and writes one log line: no body, no query, no person.
func (a *api) wrap(name string, kind routeKind, h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := requestID(requests.Add(1))
		rec := &recorder{ResponseWriter: w}
		err := a.run(h, rec, kind, r)
		if err != nil {
			a.fail(rec, r, id, err)
		}
		took := time.Since(began)
		if a.Observe != nil {
			a.Observe(name, r.Method, rec.status, took)
		}
		level := kind.level()
		switch {
		case rec.status >= 500:
			level = slog.LevelError
		case rec.status >= 400:
			level = max(level, slog.LevelInfo)
		}
		if a.Log.Enabled(r.Context(), level) {
			attrs := [9]slog.Attr{slog.String("id", id.String()), slog.String("route", name), slog.String("city", r.PathValue("city")),
				slog.Int("status", rec.status), slog.Float64("ms", float64(took.Microseconds())/1000)}
			n := 5
			if rec.person != uuid.Nil {
				attrs[n] = slog.String("person", rec.person.String())
				n++
			}
			if err != nil && rec.status >= 500 {
				attrs[n] = slog.Any("err", err)
				n++
			}
			a.Log.LogAttrs(r.Context(), level, "request", attrs[:n]...)
		}
	})
}

// run calls the handler; a panic is one request's, not the service's.
func (a *api) run(h func(http.ResponseWriter, *http.Request) error, w http.ResponseWriter, kind routeKind, r *http.Request) (err error) {
	if kind == ordinary {
		ctx, cancel := context.WithTimeout(r.Context(), a.AnswerTime)
		defer cancel()
		r = r.WithContext(ctx)
	}
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			a.Log.Error("panic", "value", p, "stack", string(debug.Stack()))
			err = errors.New("panic")
		}
	}()
	return h(w, r)
}

func (a *api) fail(w *recorder, r *http.Request, id requestID, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.status = 499 // the client is gone; nobody reads an answer
		return
	}
	if w.status != 0 {
		return // the answer has begun: it can only break off
	}
	var method *methodError
	if errors.As(err, &method) {
		w.Header().Set("Allow", method.allow)
		p := problemOf(fault.Invalid("", "method_not_allowed", "this path takes %s", method.allow), id.String())
		p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
		writeProblem(w, p)
		return
	}
	p := problemOf(err, id.String())
	var own *statusError
	if errors.As(err, &own) {
		p.Status, p.Title = own.status, cmp.Or(own.title, http.StatusText(own.status))
	}
	writeProblem(w, p)
}

// inCity finds the city of the path, and out whether who asks may do the route's action there.
func (a *api) inCity(action policy.Action, kind routeKind, h handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, starting := a.Server.City(r.PathValue("city"))
		switch {
		case c != nil:
			call, err := a.allow(r, c, action)
			if rec, ok := w.(*recorder); ok && call != nil && call.who != nil {
				rec.person = call.who.Person
			}
			if err != nil {
				return err
			}
			done, err := a.limiter.enter(clientOf(call.actor.Person, r), kind, call.who != nil && call.who.Token != uuid.Nil)
			if err != nil {
				return err
			}
			defer done()
			if kind != inMasses { // those change nothing
				r = r.WithContext(audit.By(r.Context(), call.author(r)))
			}
			return h(w, r, call)
		case starting:
			return fault.Unavailable("starting", "the city is being loaded; try again in a moment")
		}
		return fault.NotFound("there is no city %.40q here", r.PathValue("city"))
	}
}

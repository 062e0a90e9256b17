package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/feed"
)

// stream is one connection to the stream of events.
type stream struct {
	t     testing.TB
	lines *bufio.Reader
	close func()
}

type sent struct{ id, kind, data string }

func connect(t testing.TB, url, token, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/testcity/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	req.AddCookie(&http.Cookie{Name: "gridgov", Value: token})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	s := &stream{t, bufio.NewReader(resp.Body), func() { cancel(); _ = resp.Body.Close() }}
	t.Cleanup(s.close)
	return s
}

func (s *stream) next() (e sent) {
	s.t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if line == "\n" && e.id != "" {
				return e
			}
		}
	}
}

func serve(t testing.TB) (url, token string, live *app.Live) {
	server, live := apptest.Server(t)
	stop := make(chan struct{})
	handler, err := api.New(api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock, Stop: stop, Edge: api.Edge{Limits: api.NoLimits}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(handler)
	t.Cleanup(func() { close(stop); h.Close(); http.DefaultClient.CloseIdleConnections() })
	token, _ = apptest.SignIn(t, live.City, apptest.Everything()...)
	return h.URL, token, live
}

// Over any number of connections a follower sees each event once, in order, and when it does the cube has it.
func TestStreamIsResumedAndTheCubeIsAhead(t *testing.T) {
	url, token, live := serve(t)
	const reports = 120
	filing := make(chan struct{})
	go func() {
		defer close(filing)
		rng := rand.New(rand.NewPCG(6, 0))
		for range reports {
			n := random(rng)
			if n.X == nil {
				p := randomPoint(rng)
				n.X, n.Y = &p[0], &p[1]
			}
			file(t, live.City, n)
		}
	}()
	defer func() { <-filing }()
	rng := rand.New(rand.NewPCG(7, 0))
	last, seq, filed := "1-0", 0, 0
	for filed < reports {
		s := connect(t, url, token, last)
		for range 1 + rng.IntN(20) {
			if filed == reports {
				break
			}
			e := s.next()
			if seq++; e.id != fmt.Sprintf("1-%d", seq) {
				t.Fatalf("event %s %s where 1-%d is due", e.id, e.kind, seq)
			}
			last = e.id
			if e.kind != feed.ReportFiled {
				continue
			}
			filed++
			var d feed.Filed
			if err := json.Unmarshal([]byte(e.data), &d); err != nil {
				t.Fatal(err)
			}
			if _, ok := live.View().Get(d.Num); !ok {
				t.Fatalf("event %s is sent and report %d is not in the cube", e.id, d.Num)
			}
		}
		s.close()
	}
}

// An id of another epoch or from ahead is answered by one reset, and what comes after goes on from there.
func TestForeignIDsAreReset(t *testing.T) {
	url, token, live := serve(t)
	for i, last := range []string{"2-1", "7-0", "1-4711"} {
		s := connect(t, url, token, last)
		at := live.Applied()
		if e := s.next(); e.kind != "reset" || e.id != at.String() {
			t.Errorf("after %s: %+v, want a reset to %s", last, e, at)
		}
		file(t, live.City, filedAt(byte(i+1), apptest.West))
		if e := s.next(); e.kind != feed.ReportFiled || e.id != (feed.ID{Epoch: at.Epoch, Seq: at.Seq + 1}).String() {
			t.Errorf("after the reset: %+v", e)
		}
		s.close()
	}
}

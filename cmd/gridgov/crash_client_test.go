package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app/apptest"
)

// sender files reports from many sides, each until it is acknowledged, and remembers what it sent and heard.
type sender struct {
	service *service
	client  http.Client

	mu    sync.Mutex
	sent  map[string]bool // by id
	acked map[string]int  // id → number
	more  chan struct{}   // closed and renewed with each acknowledgement
	wrong []string        // answers that must never be given
}

func newSender(s *service) *sender {
	return &sender{service: s, client: http.Client{Timeout: 15 * time.Second}, sent: map[string]bool{}, acked: map[string]int{}, more: make(chan struct{})}
}

// awaitMore returns when n more reports have been acknowledged.
func (s *sender) awaitMore(ctx context.Context, n int) bool {
	s.mu.Lock()
	until := len(s.acked) + n
	s.mu.Unlock()
	for {
		s.mu.Lock()
		got, more := len(s.acked), s.more
		s.mu.Unlock()
		if got >= until {
			return true
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false
		}
	}
}

// write files one report after the other until ctx ends. Now and then it gives one up after the first try, files
// several in one request, or files one again that was acknowledged.
func (s *sender) write(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		n := 1
		if rng.IntN(8) == 0 {
			n = 5
		}
		reports := make([]map[string]any, n)
		for i := range reports {
			reports[i] = makeReport(rng)
		}
		s.remember(reports)
		tries := 1 << 20
		if rng.IntN(10) == 0 {
			tries = 1 // the caller gives up: kept or not, but never half
		}
		for try := 0; try < tries && ctx.Err() == nil; try++ {
			if s.post(ctx, reports) {
				if rng.IntN(10) == 0 {
					s.post(ctx, reports) // as a phone that lost the answer
				}
				break
			}
			wait := time.NewTimer(20 * time.Millisecond) // a client's pause between tries
			select {
			case <-wait.C:
			case <-ctx.Done():
			}
		}
	}
}

func makeReport(rng *rand.Rand) map[string]any {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(rng.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return map[string]any{
		"id": id.String(), "source": "web", "item": []string{"01", "02"}[rng.IntN(2)],
		"captured_at": time.Unix(1_700_000_000+rng.Int64N(60_000_000), 0).UTC().Format(time.RFC3339),
		// A tenth of them beyond the city's border.
		"lon": apptest.West + rng.Float64()*1.1*apptest.Side*apptest.Step, "lat": apptest.South + rng.Float64()*apptest.Side*apptest.Step,
		"reporter": map[string]any{"name": "somebody"},
	}
}

func (s *sender) remember(reports []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range reports {
		s.sent[r["id"].(string)] = true
	}
}

type filed struct {
	ID  string `json:"id"`
	Num int    `json:"num"`
}

// post sends the reports and tells whether all were acknowledged.
func (s *sender) post(ctx context.Context, reports []map[string]any) bool {
	path, content := "/crash/v1/reports", any(reports[0])
	if len(reports) > 1 {
		path, content = path+"/batch", map[string]any{"reports": reports}
	}
	body, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.service.url()+path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", "gridgov="+s.service.token)
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return false
	}
	if len(reports) == 1 {
		var one filed
		return s.hear(resp.StatusCode, answer, &one) && s.ack(one)
	}
	var all struct {
		Results []struct {
			Status  int             `json:"status"`
			Report  *filed          `json:"report"`
			Problem json.RawMessage `json:"problem"`
		} `json:"results"`
	}
	if !s.hear(resp.StatusCode, answer, &all) {
		return false
	}
	whole := len(all.Results) == len(reports)
	for _, r := range all.Results {
		kept := s.hear(r.Status, r.Problem, nil) && r.Report != nil && s.ack(*r.Report)
		whole = whole && kept
	}
	return whole
}

// hear tells whether the answer acknowledges. All it may say else is that it cannot now.
func (s *sender) hear(status int, answer []byte, v any) bool {
	switch status {
	case http.StatusOK, http.StatusCreated:
		if v == nil {
			return true
		}
		return json.Unmarshal(answer, v) == nil
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf("%d %s", status, answer))
	return false
}

func (s *sender) ack(f filed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.acked[f.ID]; ok && before != f.Num || !s.sent[f.ID] {
		s.wrong = append(s.wrong, fmt.Sprintf("report %s is number %d, and was %d", f.ID, f.Num, before))
	}
	s.acked[f.ID] = f.Num
	close(s.more)
	s.more = make(chan struct{})
	return true
}

// watcher follows the stream of events as a browser does: it takes up again after the last event it has seen.
type watcher struct {
	service *service
	last    string
	seen    []int // seq of each event, in the order of their coming
	resets  int
}

// watch follows until ctx ends.
func (w *watcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		w.once(ctx)
		wait := time.NewTimer(20 * time.Millisecond) // a browser's pause
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
	}
}

// until follows until the event of the number has come.
func (w *watcher) until(ctx context.Context, seq int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for ctx.Err() == nil && (len(w.seen) == 0 || w.seen[len(w.seen)-1] < seq) {
		w.follow(ctx, func() bool { return w.seen[len(w.seen)-1] >= seq })
	}
}

func (w *watcher) once(ctx context.Context) { w.follow(ctx, func() bool { return false }) }

func (w *watcher) follow(ctx context.Context, enough func() bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.service.url()+"/crash/v1/events", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Last-Event-ID", w.last)
	req.Header.Set("Cookie", "gridgov="+w.service.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return
	}
	lines := bufio.NewReader(resp.Body)
	var id, kind string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return // an event without its empty line was not received
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); {
		case name == "id":
			id = value
		case name == "event":
			kind = value
		case line == "\n" && id != "":
			w.last = id
			_, q, _ := strings.Cut(id, "-")
			seq, _ := strconv.Atoi(q)
			if kind == "reset" {
				w.resets++
			} else {
				w.seen = append(w.seen, seq)
			}
			if id = ""; enough() {
				return
			}
		}
	}
}

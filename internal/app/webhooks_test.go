package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/webhook"
)

// machine is an endpoint that answers as it is told to.
type machine struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	ids    []string
	bodies []string
}

func newMachine(t *testing.T) *machine {
	m := &machine{status: http.StatusOK}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.ids, m.bodies = append(m.ids, r.Header.Get("Webhook-Id")), append(m.bodies, string(b))
		w.WriteHeader(m.status)
	}))
	t.Cleanup(m.Close)
	return m
}

func deliveries(t *testing.T, c *app.City) (jobs []*river.Job[webhook.Args]) {
	t.Helper()
	rows, err := c.Pool.Query(t.Context(), `SELECT id, args FROM river_job WHERE kind = 'webhook_deliver' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	var args webhook.Args
	_, err = pgx.ForEachRow(rows, []any{&id, &args}, func() error {
		jobs = append(jobs, &river.Job[webhook.Args]{JobRow: &rivertype.JobRow{ID: id, Attempt: 1}, Args: args})
		args = webhook.Args{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// A machine is told of what it asked for, with ids and codes; again by the same id while it refuses; and after a day an administrator
// hears that it was given up.
func TestMachinesAreTold(t *testing.T) {
	w := newWatch(t)
	admin := w.holds(policy.Administrator, person.Post{Area: apptest.CityArea})
	m := newMachine(t)
	w.c.Webhooks.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	id, secret, err := w.c.Webhooks.Add(t.Context(), webhook.Edit{Name: "board", URL: m.URL + "/path-secret", Events: []webhook.Event{webhook.Red}})
	if err != nil || !strings.HasPrefix(secret, "whsec_") {
		t.Fatal(err, secret)
	}
	told := at(0, 0, "1")
	told.Text = "secret words"
	num, _, err := w.c.Reports.File(t.Context(), told)
	if err != nil {
		t.Fatal(err)
	}
	w.at(24, "16:48")
	if n := len(deliveries(t, w.c)); n != 0 {
		t.Errorf("%d deliveries of what it did not ask for", n)
	}
	w.at(24, "17:00")
	jobs := deliveries(t, w.c)
	if len(jobs) != 1 {
		t.Fatalf("%d deliveries", len(jobs))
	}
	worker := &webhook.Worker{Service: w.c.Webhooks}
	m.status = http.StatusServiceUnavailable
	if err := worker.Work(t.Context(), jobs[0]); err == nil {
		t.Error("it was refused, and is not tried again")
	}
	m.status = http.StatusOK
	for range 2 { // once it was taken it is not sent again
		if err := worker.Work(t.Context(), jobs[0]); err != nil {
			t.Error(err)
		}
	}
	if len(m.ids) != 2 || m.ids[0] != m.ids[1] || m.ids[0] != jobs[0].Args.Delivery.String() {
		t.Errorf("asked by %v", m.ids)
	}
	var got struct {
		Type string
		Data struct{ Case, Clock, State, Grid string }
	}
	if err := json.Unmarshal([]byte(m.bodies[1]), &got); err != nil || got.Type != "escalation.red" || got.Data.Case != (casework.Ref{Report: num}).String() || got.Data.Clock != "desk" {
		t.Errorf("%s, %v", m.bodies[1], err)
	}
	if strings.Contains(m.bodies[1], "secret") {
		t.Errorf("it tells what somebody wrote: %s", m.bodies[1])
	}
	list, err := w.c.Webhooks.Deliveries(t.Context(), id, 10)
	if err != nil || len(list) != 1 || list[0].State != webhook.Sent || list[0].Tries != 2 || list[0].Status != 200 {
		t.Errorf("%+v, %v", list, err)
	}

	// The next one is refused for a day.
	w.filed()
	w.at(25, "12:00")
	m.status = http.StatusInternalServerError
	jobs = deliveries(t, w.c)[1:]
	if len(jobs) != 1 {
		t.Fatalf("%d deliveries more", len(jobs))
	}
	if err := worker.Work(t.Context(), jobs[0]); err == nil {
		t.Error("not tried again")
	}
	w.exec(`DELETE FROM notice`)
	w.now = w.now.Add(24*time.Hour + time.Minute)
	if err := worker.Work(t.Context(), jobs[0]); err != nil {
		t.Error(err)
	}
	if n := w.count(`SELECT count(*) FROM notice WHERE step = 'webhook' AND person_id = $1`, admin); n != 1 {
		t.Errorf("the administrator was told %d times", n)
	}
	if n := w.count(`SELECT count(*) FROM webhook_delivery WHERE state = 'failed' AND why = 'refused'`); n != 1 {
		t.Errorf("%d were given up", n)
	}
}

// What was settled before it was sent is not sent; neither is what goes to an endpoint out of use.
func TestMachinesAreNotToldInVain(t *testing.T) {
	w := newWatch(t)
	m := newMachine(t)
	w.c.Webhooks.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	edit := webhook.Edit{Name: "board", URL: m.URL, Events: []webhook.Event{webhook.Red}}
	id, _, err := w.c.Webhooks.Add(t.Context(), edit)
	if err != nil {
		t.Fatal(err)
	}
	settled := casework.Ref{Report: w.filed()}
	w.filed()
	w.at(24, "17:00")
	w.do(settled, casework.Accept, casework.File, casework.Dispatch)
	jobs := deliveries(t, w.c)
	worker := &webhook.Worker{Service: w.c.Webhooks}
	if len(jobs) != 2 {
		t.Fatalf("%d deliveries", len(jobs))
	}
	if err := worker.Work(t.Context(), jobs[0]); err != nil {
		t.Error(err)
	}
	edit.Disabled = true
	if err := w.c.Webhooks.Change(t.Context(), id, 1, edit); err != nil {
		t.Fatal(err)
	}
	if err := worker.Work(t.Context(), jobs[1]); err != nil {
		t.Error(err)
	}
	if len(m.ids) != 0 {
		t.Errorf("it was called %d times", len(m.ids))
	}
	if n := w.count(`SELECT count(*) FROM webhook_delivery WHERE state = 'dropped' AND why IN ('settled', 'disabled')`); n != 2 {
		t.Errorf("%d were dropped", n)
	}
	// Removed, nothing of its address or secret is left.
	if err := w.c.Webhooks.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM webhook WHERE url <> '-' OR secret <> ''`); n != 0 {
		t.Error("its address or secret is still there")
	}
}

// Messages wait for the key with which they are signed, and go then in the order in which they were made; what waited for a day is
// given up, and an administrator hears of it.
func TestMachinesAreToldWithTheKey(t *testing.T) {
	w := newWatch(t)
	admin := w.holds(policy.Administrator, person.Post{Area: apptest.CityArea})
	m := newMachine(t)
	w.c.Webhooks.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	id, _, err := w.c.Webhooks.Add(t.Context(), webhook.Edit{Name: "board", URL: m.URL, Events: []webhook.Event{webhook.Red}})
	if err != nil {
		t.Fatal(err)
	}
	filed := []string{casework.Ref{Report: w.filed()}.String(), casework.Ref{Report: w.filed()}.String()}
	w.at(24, "17:00")
	jobs := deliveries(t, w.c)
	if len(jobs) != 2 {
		t.Fatalf("%d deliveries", len(jobs))
	}
	worker := &webhook.Worker{Service: w.c.Webhooks}
	ring := w.c.Webhooks.Ring
	w.c.Webhooks.Ring = nil
	for _, j := range jobs {
		if err := worker.Work(t.Context(), j); err == nil {
			t.Error("not tried again")
		}
	}
	if n := w.count(`SELECT count(*) FROM webhook_delivery WHERE state = 'waiting' AND why = 'no_key' AND tries = 1`); n != 2 || len(m.ids) != 0 {
		t.Fatalf("%d wait, %d were sent without the key", n, len(m.ids))
	}
	w.c.Webhooks.Ring = ring
	for _, j := range jobs {
		if err := worker.Work(t.Context(), j); err != nil {
			t.Error(err)
		}
	}
	var told []string
	for _, body := range m.bodies {
		var got struct{ Data struct{ Case string } }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		told = append(told, got.Data.Case)
	}
	if !slices.Equal(told, filed) {
		t.Errorf("told of %v, filed were %v", told, filed)
	}

	w.filed()
	w.at(25, "12:00")
	jobs = deliveries(t, w.c)[2:]
	if len(jobs) != 1 {
		t.Fatalf("%d deliveries more", len(jobs))
	}
	w.exec(`DELETE FROM notice`)
	w.c.Webhooks.Ring = nil
	w.now = w.now.Add(24*time.Hour + time.Minute)
	if err := worker.Work(t.Context(), jobs[0]); err != nil {
		t.Errorf("a day later it is tried again: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM webhook_delivery WHERE state = 'failed' AND why = 'no_key'`); n != 1 {
		t.Errorf("%d were given up", n)
	}
	if n := w.count(`SELECT count(*) FROM notice WHERE step = 'webhook' AND person_id = $1`, admin); n != 1 {
		t.Errorf("the administrator was told %d times", n)
	}

	// What was queued while the endpoint was being removed waits for nothing.
	if err := w.c.Webhooks.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE webhook_delivery SET state = 'waiting', why = NULL WHERE id = $1`, jobs[0].Args.Delivery)
	if err := worker.Work(t.Context(), jobs[0]); err != nil {
		t.Error(err)
	}
	if n := w.count(`SELECT count(*) FROM webhook_delivery WHERE state = 'waiting'`); n != 0 {
		t.Errorf("%d wait for an endpoint that is gone", n)
	}
}

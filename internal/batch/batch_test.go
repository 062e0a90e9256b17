package batch_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/batch"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 2000)
	pgtest.Main(m)
}

// desk is a city with somebody at its desk, and a clock that the test moves.
type desk struct {
	c   *app.City
	who uuid.UUID
	now time.Time
}

func newDesk(t *testing.T) *desk {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.Add(-time.Hour))
	if err := c.LoadDesk(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &desk{c: c, now: apptest.Now}
	_, d.who = apptest.SignIn(t, c, apptest.Post(policy.Desk, apptest.CityArea))
	return d
}

// errDown is a database that does not answer for a moment.
var errDown = fault.Unavailable("database_unavailable", "not now")

// node is one process that carries batches out. What befalls it at its next acts is said before.
type node struct {
	*batch.Service
	ctx  context.Context
	kill context.CancelFunc
	// doom is at which of the next acts it dies, before the act or after it; 0: at none. down: at which the database is away.
	doom, down int
	after      bool
}

func (d *desk) node(ctx context.Context) *node {
	n := &node{}
	n.ctx, n.kill = context.WithCancel(ctx)
	n.Service = batch.New(batch.Config{Pool: d.c.Pool, Committer: d.c.Reports.Committer, Log: apptest.Quiet(), Now: func() time.Time { return d.now },
		Do: func(ctx context.Context, _ string, a casework.Ask) error {
			n.doom, n.down = n.doom-1, n.down-1
			if n.down == 0 {
				return errDown
			}
			if n.doom == 0 && !n.after {
				n.kill()
			}
			err := d.act(ctx, a)
			if n.doom == 0 {
				n.kill()
			}
			return err
		}})
	return n
}

// act does it with a case. Who may do what is tested where it is decided.
func (d *desk) act(ctx context.Context, a casework.Ask) error {
	a.May = func(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) { return 0, true }
	_, err := d.c.Cases.Do(ctx, a)
	return err
}

func (d *desk) version(t *rapid.T, ref casework.Ref) int {
	k, err := d.c.Cases.Get(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return k.Version
}

// act is one that is on disk.
type act struct {
	n      int
	reason string
}

func (d *desk) acts(t *rapid.T, ref casework.Ref) (list []act) {
	rows, err := d.c.Pool.Query(context.Background(), `SELECT n, coalesce(reason, '') FROM case_act WHERE report_num = $1 AND part = $2 ORDER BY n`, int64(ref.Report), ref.Part)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a act
		if err := rows.Scan(&a.n, &a.reason); err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}

// sent is a batch as its maker knows it. Its reason is its id, by which its acts are told apart.
type sent struct {
	batch.Batch
	cancelled bool // and was told so
}

// Whatever batches are made, sent again and cancelled, whatever others do with their cases meanwhile, and wherever nodes die, lose
// the database or take over from each other: in the end each batch is done or cancelled, each of its cases was acted on once or
// not at all, what is told of each is what is on disk, and what was left out had changed.
func TestEachCaseOnceWhateverHappens(t *testing.T) {
	d := newDesk(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		var cases []casework.Ref
		for range 4 {
			at := apptest.Center(0, 0)
			num, _, err := d.c.Reports.File(ctx, report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", CapturedAt: apptest.Now.Add(-time.Hour), Item: "01", X: &at[0], Y: &at[1]})
			if err != nil {
				t.Fatal(err)
			}
			cases = append(cases, casework.Ref{Report: num})
		}
		nodes := []*node{d.node(ctx), d.node(ctx), d.node(ctx)}
		var batches []*sent
		round := func(i int) bool {
			n := nodes[i]
			did, err := n.Round(n.ctx)
			n.doom, n.down = 0, 0
			if n.ctx.Err() != nil {
				nodes[i] = d.node(ctx) // another process in its place, which knows nothing of it
				return true
			}
			if err != nil && !errors.Is(err, errDown) {
				t.Fatalf("a node that lives: %v", err)
			}
			return did
		}
		steps := map[string]func(*rapid.T){
			"make": func(t *rapid.T) {
				if len(batches) == batch.MaxWaiting {
					t.Skip("one person's wait in turn")
				}
				id := batch.ID(uuid.New())
				b := &sent{Batch: batch.Batch{ID: id, Ask: batch.Ask{Acts: []casework.Act{casework.Note}, Reason: id.String()}, MadeBy: d.who, Address: "192.0.2.1", Area: apptest.CityArea}}
				for _, ref := range cases {
					if rapid.Bool().Draw(t, "in it") {
						b.Cases = append(b.Cases, batch.Case{Ref: ref, Version: d.version(t, ref)})
					}
				}
				_, existed, err := nodes[0].Make(ctx, b.Batch)
				if len(b.Cases) == 0 {
					if err == nil {
						t.Fatal("a batch of nothing was made")
					}
					return
				}
				if err != nil || existed {
					t.Fatalf("%v, %v", existed, err)
				}
				batches = append(batches, b)
			},
			"send again": func(t *rapid.T) {
				if len(batches) == 0 {
					t.Skip("there is none")
				}
				b := rapid.SampledFrom(batches).Draw(t, "batch")
				if _, existed, err := nodes[1].Make(ctx, b.Batch); err != nil || !existed {
					t.Fatalf("sent again it is another: %v, %v", existed, err)
				}
			},
			"cancel": func(t *rapid.T) {
				if len(batches) == 0 {
					t.Skip("there is none")
				}
				b := rapid.SampledFrom(batches).Draw(t, "batch")
				_, err := nodes[2].Cancel(ctx, b.ID, d.who)
				if f, known := fault.As(err); err != nil && (!known || f.Code != "batch_started") {
					t.Fatal(err)
				}
				b.cancelled = err == nil
			},
			"another acts": func(t *rapid.T) {
				ref := rapid.SampledFrom(cases).Draw(t, "case")
				err := d.act(ctx, casework.Ask{Ref: ref, Act: casework.Note, Version: d.version(t, ref), Key: uuid.New(), Person: d.who, Reason: "another's"})
				if err != nil {
					t.Fatal(err)
				}
			},
			"time passes": func(t *rapid.T) {
				d.now = d.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 4 * time.Second, batch.Wait, 2 * time.Minute}).Draw(t, "so long"))
			},
			"a node looks": func(t *rapid.T) {
				i := rapid.IntRange(0, len(nodes)-1).Draw(t, "node")
				nodes[i].doom, nodes[i].after = rapid.IntRange(0, 4).Draw(t, "dies at"), rapid.Bool().Draw(t, "after the act")
				nodes[i].down = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "database away at")
				round(i)
			},
			"": func(t *rapid.T) {
				for _, b := range batches {
					d.once(t, nodes[0].Service, b, false)
				}
			},
		}
		t.Repeat(steps)
		for range 2 * (len(batches) + 1) { // the last lease runs out, and whoever is left does the rest
			d.now = d.now.Add(2 * time.Minute)
			for i := range nodes {
				for round(i) {
					continue
				}
			}
		}
		for _, b := range batches {
			d.once(t, nodes[0].Service, b, true)
		}
	})
}

// once holds what is told of a batch against the acts on disk; in the end nothing is left to do.
func (d *desk) once(t *rapid.T, s *batch.Service, b *sent, end bool) {
	now, err := s.Get(context.Background(), b.ID)
	if err != nil || len(now.Cases) != len(b.Cases) {
		t.Fatalf("%d of %d cases, %v", len(now.Cases), len(b.Cases), err)
	}
	if b.cancelled != (now.State == batch.Cancelled) {
		t.Fatalf("cancelled, as its maker was told: %v; it is %s", b.cancelled, now.State)
	}
	if end && now.State != batch.Done && now.State != batch.Cancelled {
		t.Fatalf("in the end it is %s: %+v", now.State, now.Cases)
	}
	for i := range now.Cases {
		c := &now.Cases[i]
		var at []int
		list := d.acts(t, c.Ref)
		for _, a := range list {
			if a.reason == b.ID.String() {
				at = append(at, a.n)
			}
		}
		told := fmt.Sprintf("case %s, seen at %d, is told as %q %s; its acts are at %v of %d", c.Ref, c.Version, c.Outcome, c.Why, at, len(list))
		switch {
		case c.Ref != b.Cases[i].Ref || c.Version != b.Cases[i].Version:
			t.Fatalf("another case: %s", told)
		case len(at) > 1:
			t.Fatalf("done twice: %s", told)
		case len(at) == 1 && at[0] != c.Version+1:
			t.Fatalf("done with what was not seen: %s", told)
		case now.State == batch.Waiting || now.State == batch.Cancelled:
			if len(at) > 0 || c.Outcome != "" {
				t.Fatalf("%s, and yet: %s", now.State, told)
			}
		case c.Outcome == batch.WasDone:
			if len(at) != 1 {
				t.Fatalf("told, and not done: %s", told)
			}
		case c.Outcome == batch.LeftOut:
			if len(at) != 0 || c.Why != "case_changed" || len(list) <= c.Version {
				t.Fatalf("left out: %s", told)
			}
		case c.Outcome == "" && now.State == batch.Done:
			t.Fatalf("lost: %s", told)
		case c.Outcome == batch.Failed:
			t.Fatalf("nothing fails here: %s", told)
		}
	}
}

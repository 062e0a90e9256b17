package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/job"
	"gridgov/internal/message"
	"gridgov/internal/notice"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/webhook"
	"gridgov/internal/worktime"
)

// watch is an office in which time goes on when the test says so, with people to be told.
type watch struct {
	*office
	now                       time.Time
	desk, centre, mayor, head uuid.UUID
}

func newWatch(t testing.TB) *watch {
	w := &watch{office: newOffice(t), now: apptest.Now}
	clock := func() time.Time { return w.now }
	w.c.Cases.Now, w.c.Cases.Intake.Now, w.c.Notices.Now, w.c.Webhooks.Now, w.c.Retention.Now, w.c.Push.Now = clock, clock, clock, clock, clock, clock
	var centre policy.UnitID
	if err := w.c.Pool.QueryRow(t.Context(), `SELECT id FROM unit WHERE kind = 'command_center'`).Scan(&centre); err != nil {
		t.Fatal(err)
	}
	w.desk = w.holds(policy.Desk, person.Post{Unit: centre})
	w.centre = w.holds(policy.CentreHead, person.Post{Unit: centre})
	w.mayor = w.holds(policy.TownLeader, person.Post{Area: apptest.TownArea})
	err := w.c.Pool.QueryRow(t.Context(), `SELECT person_id FROM post WHERE unit_id = $1 AND role = 'unit_head'`, w.near).Scan(&w.head)
	if err == nil {
		_, err = w.c.People.CreatePost(t.Context(), person.Post{Person: w.worker, Role: policy.UnitMember, Unit: w.near, Begins: "2026-01-01"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// holds makes somebody with a post, and an address.
func (w *watch) holds(role policy.Role, at person.Post) uuid.UUID {
	w.t.Helper()
	p, err := w.c.People.Create(w.t.Context(), person.New{Name: string(role), Email: string(role) + "@example.com"})
	if err == nil {
		at.Person, at.Role, at.Begins = p.ID, role, "2026-01-01"
		_, err = w.c.People.CreatePost(w.t.Context(), at)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return p.ID
}

// at goes on to a time of the city's on a day of November 2026, and has the sweep look.
func (w *watch) at(day int, clock string) int {
	w.t.Helper()
	at, err := time.ParseInLocation(time.DateTime, fmt.Sprintf("2026-11-%02d %s:00", day, clock), w.c.Zone)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = at
	return w.sweep()
}

func (w *watch) sweep() int {
	w.t.Helper()
	n, err := w.c.Notices.Round(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// told are the notices so far, as "who step why", and forgets them.
func (w *watch) told() string {
	w.t.Helper()
	rows, err := w.c.Pool.Query(w.t.Context(), `SELECT person_id, step, why FROM notice ORDER BY id`)
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var id uuid.UUID
		var step, why string
		err := row.Scan(&id, &step, &why)
		name := map[uuid.UUID]string{w.desk: "desk", w.centre: "centre", w.mayor: "mayor", w.head: "head", w.worker: "worker"}[id]
		return fmt.Sprintf("%s %s %s", name, step, why), err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`DELETE FROM notice`)
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (w *watch) exec(sql string, args ...any) {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.c.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(w.t.Context(), sql, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *watch) count(sql string, args ...any) (n int) {
	w.t.Helper()
	if err := w.c.Pool.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *watch) expect(what, want string) {
	w.t.Helper()
	if got := w.told(); got != want {
		w.t.Errorf("%s: told are %q, want %q", what, got, want)
	}
}

// The desk has an hour from 16:00: it hears at 16:48, its head at 17:00, the town a working day later; each once, and not a moment
// before.
func TestClockIsToldOf(t *testing.T) {
	w := newWatch(t)
	ref := casework.Ref{Report: w.filed()}
	if n := w.at(24, "16:47"); n != 0 {
		t.Errorf("%d clocks before their time", n)
	}
	w.at(24, "16:48")
	w.expect("amber", "desk amber desk")
	w.at(24, "16:59")
	w.at(24, "17:00")
	w.expect("red", "centre red centre_head, desk red desk")
	w.at(25, "16:59")
	w.expect("before the grace is over", "")
	if k := caseOf2(t, w.c, ref); !k.SupervisedAt.IsZero() {
		t.Error("supervised before its time")
	}
	w.at(25, "17:00")
	w.expect("supervision", "centre supervise centre_head, mayor supervise town_leader")
	k := caseOf2(t, w.c, ref)
	if k.SupervisedAt.IsZero() || k.Version != 1 || k.State != casework.Reported {
		t.Errorf("supervised: %+v", k)
	}
	w.whole(k)
	acts, err := w.c.Cases.History(t.Context(), ref)
	if err != nil || len(acts) != 1 || acts[0].Act != casework.Supervise || acts[0].Person != uuid.Nil {
		t.Errorf("the history is %+v, %v", acts, err)
	}
	if n := w.count(`SELECT count(*) FROM audit WHERE act = 'case.supervise' AND subject = $1`, "case:"+ref.String()); n != 1 {
		t.Errorf("%d records of it", n)
	}
	w.at(30, "09:00")
	w.expect("afterwards", "")
	if n := w.count(`SELECT count(*) FROM clock WHERE next_at IS NOT NULL`); n != 0 {
		t.Errorf("%d clocks are still to be told of", n)
	}
}

// A clock that stands still is told of by nobody; one that runs on says nothing again; time that is granted is told of anew.
func TestGrantsAreToldOfAnew(t *testing.T) {
	w := newWatch(t)
	ref := casework.Ref{Report: w.filed()}
	w.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	var amber, due time.Time
	next := func() {
		t.Helper()
		if err := w.c.Pool.QueryRow(t.Context(), `SELECT amber_at, due_at FROM clock WHERE report_num = $1 AND kind = 'disposal'`, ref.Report).Scan(&amber, &due); err != nil {
			t.Fatal(err)
		}
	}
	next()
	w.now = amber
	w.sweep()
	w.expect("amber, to who has it in hand", "worker amber handler")
	w.do(ref, casework.Suspend)
	w.now = due.AddDate(0, 0, 20)
	w.exec(`UPDATE clock SET next_at = NULL WHERE kind = 'review'`) // another story
	if n := w.sweep(); n != 0 {
		t.Errorf("%d clocks that stand still", n)
	}
	w.do(ref, casework.Resume)
	w.sweep()
	w.expect("amber was told of this grant", "")
	next()
	a := w.ask(ref, casework.Extend)
	a.By = worktime.WorkDays(20)
	if _, err := w.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.now = due
	w.sweep()
	w.expect("extended before it was due", "")
	next()
	w.now = amber
	w.sweep()
	w.expect("amber of what was added", "worker amber handler")
	w.now = due
	w.sweep()
	w.expect("red", "head red unit_head, worker red handler")
	// Sent back for rework: half the limit anew.
	w.do(ref, casework.FeedBack)
	a = w.ask(ref, casework.SendBack)
	a.Person = w.other
	if _, err := w.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	next()
	w.exec(`UPDATE clock SET next_at = NULL WHERE kind <> 'disposal'`)
	w.now = due
	w.sweep()
	w.expect("both at once, as the last of them", "head red unit_head, worker red handler")
}

// What was passed while nobody looked is told as the last of it, to all; what came here weeks late is told to nobody.
func TestWhatWasPassedIsToldOnce(t *testing.T) {
	w := newWatch(t)
	w.filed()
	w.at(27, "12:00")
	w.expect("after three days", "centre supervise centre_head, desk supervise desk, mayor supervise town_leader")
	old := at(1, 1, "1")
	old.Source, old.CapturedAt = "import", apptest.Now.AddDate(0, -3, 0)
	num, _, err := w.c.Reports.File(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	w.sweep()
	w.expect("an import of the summer", "")
	if k := caseOf2(t, w.c, casework.Ref{Report: num}); !k.SupervisedAt.IsZero() {
		t.Error("it is supervised")
	}
	if n := w.count(`SELECT count(*) FROM clock WHERE next_at IS NOT NULL`); n != 0 {
		t.Errorf("%d clocks are looked at again and again", n)
	}
}

// Whoever looks, and however many at once: each clock is told of once, by one of them.
func TestNodesTellOnce(t *testing.T) {
	w := newWatch(t)
	const cases = 200
	for range cases {
		w.filed()
	}
	second := open(t, w.db, func() time.Time { return w.now })
	t.Cleanup(second.Close)
	w.c.Notices.Batch, second.Notices.Batch = 17, 23
	w.now = apptest.Now.Add(100 * time.Hour)
	var looked [2]int
	var wg sync.WaitGroup
	for i, c := range []*app.City{w.c, second} {
		wg.Go(func() {
			for idle := 0; idle < 20; {
				n, err := c.Notices.Round(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				looked[i] += n
				if n > 0 {
					idle = 0
				} else {
					idle++
				}
			}
		})
	}
	wg.Wait()
	if n := looked[0] + looked[1]; n != cases {
		t.Errorf("%d and %d clocks were looked at, want %d in all", looked[0], looked[1], cases)
	}
	if n := w.count(`SELECT count(*) FROM case_act WHERE act = 'supervise'`); n != cases {
		t.Errorf("%d cases were put under supervision", n)
	}
	if n := w.count(`SELECT count(*) FROM notice`); n != 3*cases {
		t.Errorf("%d notices", n)
	}
	if n := w.count(`SELECT count(*) FROM notice n WHERE (SELECT count(*) FROM notice o WHERE o.person_id = n.person_id AND o.report_num = n.report_num) > 1`); n != 0 {
		t.Errorf("%d notices came twice", n)
	}
}

// What a person does with a case and what the sweep does never wait for each other in a circle.
func TestSweepAndActsAtOnce(t *testing.T) {
	w := newWatch(t)
	var refs []casework.Ref
	for range 40 {
		refs = append(refs, casework.Ref{Report: w.filed()})
	}
	w.now = apptest.Now.Add(100 * time.Hour)
	w.c.Notices.Batch = 3
	var wg sync.WaitGroup
	for _, part := range [][]casework.Ref{refs[:20], refs[20:]} {
		wg.Go(func() {
			for _, ref := range part {
				for _, act := range []casework.Act{casework.Accept, casework.File, casework.Dispatch, casework.Receive} {
					if _, err := w.c.Cases.Do(t.Context(), w.ask(ref, act)); err != nil {
						t.Errorf("%s of %s: %v", act, ref, err)
					}
				}
			}
		})
	}
	done := make(chan struct{})
	var sweeps sync.WaitGroup
	sweeps.Go(func() {
		for {
			if _, err := w.c.Notices.Round(t.Context()); err != nil {
				t.Error(err)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	wg.Wait()
	close(done)
	sweeps.Wait()
	for _, ref := range refs {
		w.whole(caseOf2(t, w.c, ref))
	}
}

// mailbox takes mail as a server would: it refuses as often as it is told to.
type mailbox struct {
	mu     sync.Mutex
	refuse int
	got    []message.Message
}

func (m *mailbox) Send(_ context.Context, msg message.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse > 0 {
		m.refuse--
		return &message.Failure{What: "the mail server's answer", Code: 451}
	}
	m.got = append(m.got, msg)
	return nil
}

func (m *mailbox) all() []message.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// writes lets the city write to a mailbox.
func (w *watch) writes() *mailbox {
	box := &mailbox{}
	w.c.Notices.MailReady = func(context.Context) (bool, error) { return true, nil }
	w.c.Notices.Mail.Senders = func(context.Context) (map[message.Channel]message.Sender, error) {
		return map[message.Channel]message.Sender{message.Email: box}, nil
	}
	return box
}

// mailJobs are the mails that wait.
func (w *watch) mailJobs() (jobs []*river.Job[notice.MailArgs]) {
	w.t.Helper()
	rows, err := w.c.Pool.Query(w.t.Context(), `SELECT id, args FROM river_job WHERE kind = 'notice_mail' ORDER BY id`)
	if err != nil {
		w.t.Fatal(err)
	}
	var id int64
	var args notice.MailArgs
	_, err = pgx.ForEachRow(rows, []any{&id, &args}, func() error {
		jobs = append(jobs, &river.Job[notice.MailArgs]{JobRow: &rivertype.JobRow{ID: id, Attempt: 1}, Args: args})
		args = notice.MailArgs{}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return jobs
}

// E-mail goes to who wants it, is held in the quiet hours, and says nothing that a reporter wrote or is.
func TestMailOfNotices(t *testing.T) {
	w := newWatch(t)
	box := w.writes()
	told := at(0, 0, "1")
	told.Title, told.Text = "secret title", "secret words"
	if _, _, err := w.c.Reports.File(t.Context(), told); err != nil {
		t.Fatal(err)
	}
	worker := &notice.MailWorker{Service: w.c.Notices}
	w.at(24, "16:48")
	if n := len(w.mailJobs()); n != 0 {
		t.Errorf("%d mails of amber, which nobody has asked for", n)
	}
	if err := w.c.Notices.Choose(t.Context(), w.desk, notice.Choice{Language: "en", Mail: notice.Wish{Red: true}}); err != nil {
		t.Fatal(err)
	}
	if err := w.c.Notices.Choose(t.Context(), w.centre, notice.Choice{Language: "zh"}); err != nil {
		t.Fatal(err)
	}
	w.at(24, "17:00")
	jobs := w.mailJobs()
	if len(jobs) != 1 || jobs[0].Args.Person != w.desk {
		t.Fatalf("mails are %+v", jobs)
	}
	// At night it is held until the morning.
	w.now = time.Date(2026, 11, 24, 23, 30, 0, 0, w.c.Zone)
	var snooze *rivertype.JobSnoozeError
	if err := worker.Work(t.Context(), jobs[0]); !errors.As(err, &snooze) || snooze.Duration != 7*time.Hour+30*time.Minute {
		t.Errorf("at night: %v", err)
	}
	w.now = time.Date(2026, 11, 25, 7, 0, 0, 0, w.c.Zone)
	for range 2 { // once more, as after a crash
		if err := worker.Work(t.Context(), jobs[0]); err != nil {
			t.Fatal(err)
		}
	}
	got := box.all()
	if len(got) != 2 || got[0].ID == "" || got[0].ID != got[1].ID || got[0].To != "desk@example.com" || !strings.Contains(got[0].Text, "Case ") {
		t.Fatalf("%+v", got)
	}
	for _, m := range got {
		if strings.Contains(m.Subject+m.Text, "secret") {
			t.Errorf("the mail says what somebody wrote: %+v", m)
		}
	}
}

// A matter that was settled, or read on the page, is not written of.
func TestMailIsNotSentInVain(t *testing.T) {
	w := newWatch(t)
	box := w.writes()
	worker := &notice.MailWorker{Service: w.c.Notices}
	settled, read := casework.Ref{Report: w.filed()}, casework.Ref{Report: w.filed()}
	w.at(24, "17:00")
	jobs := w.mailJobs()
	if len(jobs) == 0 {
		t.Fatal("nobody is written to")
	}
	w.do(settled, casework.Accept, casework.File, casework.Dispatch)
	w.exec(`UPDATE notice SET read_at = now() WHERE report_num = $1`, read.Report)
	w.now = time.Date(2026, 11, 25, 9, 0, 0, 0, w.c.Zone)
	for _, j := range jobs {
		if err := worker.Work(t.Context(), j); err != nil {
			t.Error(err)
		}
	}
	if got := box.all(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// What is in clock hours does not wait for the morning.
func TestUrgentMailPassesQuietHours(t *testing.T) {
	w := newWatch(t)
	box := w.writes()
	w.c.Notices.Calendar = func() *worktime.Calendar { return w.c.Regime().Calendar }
	ref := casework.Ref{Report: w.filed()}
	w.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	w.exec(`UPDATE clock SET marks = jsonb_set(marks, '{0,limit}', '"4 ch"'), due_at = started_at + interval '4 h', amber_at = started_at + interval '192 min', next_at = started_at + interval '4 h'
		WHERE kind = 'disposal'`)
	w.exec(`UPDATE clock SET next_at = NULL WHERE kind <> 'disposal'`)
	w.exec(`UPDATE person SET email = 'head@example.com' WHERE id = $1`, w.head)
	w.now = time.Date(2026, 11, 24, 22, 30, 0, 0, w.c.Zone)
	w.sweep()
	jobs := w.mailJobs()
	if len(jobs) != 1 {
		t.Fatalf("%d mails", len(jobs))
	}
	if err := (&notice.MailWorker{Service: w.c.Notices}).Work(t.Context(), jobs[0]); err != nil {
		t.Error(err)
	}
	if len(box.all()) != 1 {
		t.Error("it was held")
	}
}

// A job that was inserted is done though the process that inserted it never came to it, though the one that had taken it up ended in
// between, and though the mail server refuses at first.
func TestJobsSurvive(t *testing.T) {
	w := newWatch(t)
	w.filed()
	w.now = time.Date(2026, 11, 25, 10, 0, 0, 0, w.c.Zone)
	box := w.writes()
	if err := w.c.Notices.Choose(t.Context(), w.desk, notice.Choice{Language: "en"}); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	if n := w.count(`SELECT count(*) FROM river_job WHERE kind = 'notice_mail'`); n != 1 { // to the centre's head
		t.Fatalf("%d mails wait", n)
	}
	// The process that had it is gone: that is all that is left of it.
	w.exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 h', attempted_by = '{gone}' WHERE kind = 'notice_mail'`)
	box.refuse = 1
	workers := river.NewWorkers()
	river.AddWorker(workers, &notice.MailWorker{Service: w.c.Notices})
	q, err := job.Open(w.c.Pool, apptest.Quiet(), workers, nil, job.Options{RescueAfter: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	refused := false
	await(t, "the mail is sent", func() bool {
		// Whatever waits to be tried again is tried at once.
		w.exec(`UPDATE river_job SET scheduled_at = now() - interval '1 s' WHERE kind = 'notice_mail' AND state IN ('retryable', 'scheduled')`)
		refused = refused || w.count(`SELECT count(*) FROM river_job WHERE kind = 'notice_mail' AND array_length(errors, 1) >= 1`) == 1
		return len(box.all()) > 0
	})
	await(t, "it is done", func() bool {
		return w.count(`SELECT count(*) FROM river_job WHERE kind = 'notice_mail' AND state = 'completed'`) == 1
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(box.all()); n != 1 || !refused {
		t.Errorf("%d mails were sent; refused before: %v", n, refused)
	}
}

// Ten thousand clocks that fall due at once, to be seen in the log and not judged by time.
func TestTenThousandClocks(t *testing.T) {
	w := newWatch(t)
	first := w.filed()
	w.exec(`UPDATE clock SET next_at = NULL`)
	const many = 10_000
	w.exec(`INSERT INTO report (id, source, captured_at, received_at, lon, lat, crs, located, item, generated, content)
		SELECT gen_random_uuid(), source, captured_at, received_at, lon, lat, crs, located, item, generated, content FROM report, generate_series(1, $2::int) WHERE num = $1`, first, many)
	w.exec(`INSERT INTO placement SELECT r.num, (p).* FROM report r, (SELECT p.plan_id, p.method, p.rule, p.town, p.village, p.grid, p.microgrid, p.nearest, p.distance_m,
		p.border_m, p.near, p.candidates, p.score, p.matched, p.since, p.answer FROM placement p WHERE p.report_num = $1) p WHERE r.num > $1`, first)
	columns := strings.Join(casework.Columns[1:], ", ")
	w.exec(`INSERT INTO cases (report_num, `+columns+`) SELECT r.num, c.* FROM report r, (SELECT `+columns+` FROM cases WHERE report_num = $1) c WHERE r.num > $1`, first)
	columns = strings.Join(casework.ClockColumns[1:], ", ")
	w.exec(`INSERT INTO clock (report_num, `+columns+`) SELECT r.num, c.* FROM report r, (SELECT `+columns+` FROM clock WHERE report_num = $1) c WHERE r.num > $1`, first)
	w.exec(`UPDATE clock SET next_at = amber_at WHERE report_num > $1`, first)
	if _, _, err := w.c.Webhooks.Add(t.Context(), webhook.Edit{Name: "machine", URL: "https://example.com/", Events: []webhook.Event{webhook.Supervise}}); err != nil {
		t.Fatal(err)
	}
	w.writes()
	w.now = apptest.Now.Add(100 * time.Hour)
	began, looked := time.Now(), 0
	for {
		n := w.sweep()
		if looked += n; n == 0 {
			break
		}
	}
	t.Logf("%d clocks in %v", looked, time.Since(began))
	for sql, want := range map[string]int{
		`SELECT count(*) FROM notice`:                                   3 * many,
		`SELECT count(*) FROM cases WHERE supervised_at IS NOT NULL`:    many,
		`SELECT count(*) FROM webhook_delivery`:                         many,
		`SELECT count(*) FROM river_job WHERE kind = 'webhook_deliver'`: many,
		`SELECT count(*) FROM audit WHERE act = 'case.supervise'`:       many,
		`SELECT count(*) FROM clock WHERE next_at IS NOT NULL`:          0,
	} {
		if n := w.count(sql); n != want {
			t.Errorf("%s: %d, want %d", sql, n, want)
		}
	}
}

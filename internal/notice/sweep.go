package notice

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"gridgov/internal/casework"
	"gridgov/internal/feed"
	"gridgov/internal/job"
	"gridgov/internal/person"
	"gridgov/internal/postgres"
	"gridgov/internal/push"
	"gridgov/internal/worktime"
)

// Service tells a city's people, and keeps what they were told.
type Service struct {
	Pool     *pgxpool.Pool
	Feed     *feed.Writer
	Zone     *time.Location
	Now      func() time.Time
	Log      *slog.Logger
	Jobs     func() *job.Queue
	Calendar func() *worktime.Calendar // in force now
	ItemName func(code string) worktime.Words
	// MailReady tells whether the city sends e-mail.
	MailReady func(context.Context) (bool, error)
	// Outgoing, where it is set, tells machines: it keeps what they are sent in the transaction, and returns the jobs that do.
	Outgoing  func(ctx context.Context, tx pgx.Tx, at time.Time, alerts []Alert) ([]river.JobArgs, error)
	Mail      Mail
	Push      *push.Service // nil: nobody's devices are told
	Leads     Leads         // who leads units by their rosters; may be nil
	Committed func()        // something was committed that the feed tells of; may be nil
	Batch     int           // clocks in one transaction; 0: 2,000
}

// Alert is a step that a clock has come to.
type Alert struct {
	Step  Step
	Round int
	Clock *casework.DueClock
}

const (
	batch  = 2000
	bound  = 15 * time.Second // between two looks, whatever is known to come
	pause  = 200 * time.Millisecond
	tooOld = 14 * 24 * time.Hour
)

var stepNumber = map[Step]int{Amber: 1, Red: 2, Supervise: 3}

// Run tells of each clock at its very moment, until ctx ends: it sleeps until the next one that is known, and looks again when
// woken, as by a case that was opened. Several nodes may run: each clock is told of by one.
func (s *Service) Run(ctx context.Context, woken <-chan struct{}) {
	for ctx.Err() == nil {
		n, err := s.Round(ctx)
		var next time.Time
		if err == nil && n == 0 {
			next, err = casework.NextDue(ctx, s.Pool)
		}
		var wait time.Duration
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.Warn("clocks that are due could not be told of, will try again", "err", err)
			wait = time.Second
		case n > 0:
			continue
		case next.IsZero():
			wait = bound
		default: // one that is due already is in another's hands
			wait = min(max(next.Sub(s.Now()), pause), bound)
		}
		sleep(ctx, wait, woken)
	}
}

// sleep waits, for less where it is woken; but not again at once.
func sleep(ctx context.Context, d time.Duration, woken <-chan struct{}) {
	if d <= pause {
		woken = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-woken:
		sleep(ctx, pause, nil)
	}
}

// Round tells of clocks that are due, in one transaction, and returns how many it looked at.
func (s *Service) Round(ctx context.Context) (n int, err error) {
	mail := false
	if s.MailReady != nil {
		if mail, err = s.MailReady(ctx); err != nil {
			s.Log.Warn("how messages are sent cannot be read, so nobody is written to", "err", err) // the page tells all the same
		}
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.Now().UTC().Truncate(time.Microsecond)
		due, err := casework.TakeDue(ctx, tx, at, cmp.Or(s.Batch, batch))
		if n = len(due); err != nil || n == 0 {
			return err
		}
		r := &round{Service: s, tx: tx, at: at, mail: mail}
		return r.run(ctx, due)
	})
	if err != nil {
		return 0, err
	}
	if n > 0 && s.Committed != nil {
		s.Committed()
	}
	return n, nil
}

// round is one transaction of the sweep.
type round struct {
	*Service
	tx     pgx.Tx
	at     time.Time
	mail   bool
	set    Settings
	told   []casework.Told
	alerts []Alert
	rows   []row
	under  []*casework.DueClock // to be put under supervision
}

// row is a notice to be written.
type row struct {
	alert *Alert
	to    Receiver
	words worktime.Words
}

func (r *round) run(ctx context.Context, due []casework.DueClock) (err error) {
	if r.set, err = ReadSettings(ctx, r.tx); err != nil {
		return err
	}
	posts, err := person.Holders(ctx, r.tx, r.Zone, r.at)
	if err != nil {
		return err
	}
	staff, cal := NewStaff(posts, r.Leads), r.Calendar()
	for i := range due {
		if err := r.look(&due[i], cal); err != nil {
			return err
		}
	}
	for i := range r.alerts {
		r.choose(&r.alerts[i], staff)
	}
	if err := casework.Tell(ctx, r.tx, r.told); err != nil {
		return err
	}
	step, err := casework.SuperviseBy(ctx, r.tx, r.at, r.under, func(d *casework.DueClock) worktime.Words { return r.words(Supervise, d) })
	if err != nil {
		return err
	}
	jobs, people, err := r.write(ctx)
	if err != nil {
		return err
	}
	if r.Outgoing != nil && len(r.alerts) > 0 {
		more, err := r.Outgoing(ctx, r.tx, r.at, r.alerts)
		if err != nil {
			return err
		}
		jobs = append(jobs, more...)
	}
	if err := r.Jobs().Insert(ctx, r.tx, jobs...); err != nil {
		return err
	}
	for _, id := range people {
		step.Events = append(step.Events, feed.Event{Type: feed.NoticeMade, Data: feed.Notice{Person: id}})
	}
	_, err = r.Feed.Append(ctx, r.tx, r.at, step.Events, step.Records...)
	return err
}

// look finds out to which step a clock has come, and whether that has to be told. Steps that were passed at once, as after a
// night without service, are told as the last of them. What was passed long ago is told to nobody: it came here as late as it is, with
// an import or a backup, and a thousand notices of it would hide the one of today.
func (r *round) look(d *casework.DueClock, cal *worktime.Calendar) error {
	grace, err := worktime.Start(d.Due, r.set.Grace)
	if err != nil {
		return fmt.Errorf("clock %d of case %s: %w", d.N, d.Ref, err)
	}
	moments := [...]time.Time{d.Amber, d.Due, grace.State(cal).Due}
	passed, since := 0, time.Time{}
	for i, m := range moments {
		if !m.IsZero() && !m.After(r.at) {
			passed, since = i+1, m
		}
	}
	was, now := 0, d.Round()
	if d.ToldRound == now {
		was = d.Told
	}
	t := casework.Told{Ref: d.Ref, N: d.N, Round: now, Step: max(was, passed)}
	if t.Step < len(moments) {
		t.Next = moments[t.Step]
	}
	if d.Clock.Phase() != worktime.Running {
		t.Next = time.Time{}
	}
	r.told = append(r.told, t)
	if passed <= was || d.Clock.Phase() != worktime.Running || r.at.Sub(since) > tooOld {
		return nil
	}
	a := Alert{Step: Steps[passed-1], Round: now, Clock: d}
	r.alerts = append(r.alerts, a)
	same := func(o *casework.DueClock) bool { return o.Ref == d.Ref }
	if a.Step == Supervise && d.SupervisedAt.IsZero() && d.State.Open() && !slices.ContainsFunc(r.under, same) {
		r.under = append(r.under, d)
	}
	return nil
}

// choose finds who is told of an alert. Who is passed over as red and supervision came at once is told too.
func (r *round) choose(a *Alert, staff *Staff) {
	d := a.Clock
	f := Facts{Step: a.Step, Clock: d.Kind, Handler: d.Handler, Unit: d.Unit, Cell: d.Cell}
	to := Receivers(&f, staff)
	if a.Step == Supervise && (d.ToldRound != a.Round || d.Told < stepNumber[Red]) {
		f.Step = Red
		for _, more := range Receivers(&f, staff) {
			if !slices.ContainsFunc(to, func(o Receiver) bool { return o.Person == more.Person }) {
				to = append(to, more)
			}
		}
	}
	words := r.words(a.Step, d)
	for _, one := range to {
		r.rows = append(r.rows, row{a, one, words})
	}
}

func (r *round) words(step Step, d *casework.DueClock) worktime.Words {
	return wordsOf(step, d.Ref, r.item(d.Item), d.Kind, d.Due, r.Zone)
}

// item is what an item is called, in both languages: at least its code.
func (s *Service) item(code string) worktime.Words {
	item := s.ItemName(code)
	if item.ZH == "" {
		item.ZH = code
	}
	if item.EN == "" {
		item.EN = item.ZH
	}
	return item
}

// write writes the notices, and returns the jobs that write to those who want it, and who was told anything.
func (r *round) write(ctx context.Context) (jobs []river.JobArgs, people []uuid.UUID, err error) {
	n := len(r.rows)
	if n == 0 {
		return nil, nil, nil
	}
	who, steps, whys, zh, en := make([]uuid.UUID, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	nums, parts, clocks, rounds := make([]int64, n), make([]int, n), make([]int, n), make([]int, n)
	for i, o := range r.rows {
		d := o.alert.Clock
		who[i], steps[i], whys[i], zh[i], en[i] = o.to.Person, string(o.alert.Step), string(o.to.Why), o.words.ZH, o.words.EN
		nums[i], parts[i], clocks[i], rounds[i] = int64(d.Report), d.Part, d.N, o.alert.Round
	}
	rows, err := r.tx.Query(ctx, `
		INSERT INTO notice (person_id, step, why, report_num, part, clock, round, words_zh, words_en, at)
		SELECT person, step, why, num, part, clock, round, zh, en, $10
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::smallint[], $6::smallint[], $7::smallint[], $8::text[], $9::text[])
			AS t (person, step, why, num, part, clock, round, zh, en)
		ON CONFLICT DO NOTHING RETURNING id, person_id, step`, who, steps, whys, nums, parts, clocks, rounds, zh, en, r.at)
	if err != nil {
		return nil, nil, fmt.Errorf("write notices: %w", err)
	}
	return r.sent(ctx, r.tx, r.mail, rows)
}

// sent reads which notices were written (id, person, step), and returns the jobs that tell of them by other ways than the page, and who was
// told, in one order.
func (s *Service) sent(ctx context.Context, tx pgx.Tx, mail bool, rows pgx.Rows) (jobs []river.JobArgs, people []uuid.UUID, err error) {
	told := map[uuid.UUID][]written{}
	var w written
	var to uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&w.id, &to, &w.step}, func() error { told[to] = append(told[to], w); return nil })
	if err != nil {
		return nil, nil, fmt.Errorf("write notices: %w", err)
	}
	for id := range told {
		people = append(people, id)
	}
	slices.SortFunc(people, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	jobs, err = s.outgoing(ctx, tx, mail, told, people)
	return jobs, people, err
}

type written struct {
	id   int64
	step Step
}

// outgoing are the jobs that tell people by other ways than the page of what they want to be told so. Mails are one a person and round,
// however much it is.
func (s *Service) outgoing(ctx context.Context, tx pgx.Tx, mail bool, told map[uuid.UUID][]written, people []uuid.UUID) (jobs []river.JobArgs, err error) {
	var devices map[uuid.UUID][]uuid.UUID
	if s.Push != nil && s.Push.Ready() == nil {
		if devices, err = s.Push.DevicesOf(ctx, tx, people); err != nil {
			return nil, err
		}
	}
	if !mail && len(devices) == 0 {
		return nil, nil
	}
	choices, err := choicesOf(ctx, tx, people)
	if err != nil {
		return nil, err
	}
	for _, id := range people {
		c, reachable := choices[id]
		if !reachable {
			continue
		}
		if ids := wanted(told[id], &c.Mail); mail && c.email != "" && len(ids) > 0 {
			jobs = append(jobs, MailArgs{Person: id, Notices: ids})
		}
		jobs = append(jobs, pushes(id, devices[id], wanted(told[id], &c.Push))...)
	}
	return jobs, nil
}

// wanted are the notices whose step is.
func wanted(list []written, wish *Wish) (ids []int64) {
	for _, w := range list {
		if wish.Has(w.step) {
			ids = append(ids, w.id)
		}
	}
	slices.Sort(ids)
	return ids
}

package feed

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

// Act is one use case's work in a transaction. It returns the events and records to append. It may run more than once (after a
// deadlock, or when the group it was in could not be kept), so it sets its results anew each time and has no other effect
// than SQL. It neither commits nor rolls back, and leaves no rows open.
type Act func(ctx context.Context, tx pgx.Tx) (Step, error)

// Statement is an act that its form's statement does nearly always, as filing a report is by an insert. The statements
// of a group travel together, in one round trip, and those of one form are one for several acts.
type Statement struct {
	Form *Form
	Args []any
	// Read takes the number that the statement returned of this act, and returns the act's step.
	Read func(num int64) (Step, error)
	// Otherwise is run in the statement's place where that had nothing to do, as an insert of what is there, or failed.
	Otherwise Act
}

// Form is the statement of all acts of one kind.
type Form struct {
	sql map[int]func() string // for so many acts
}

// sizes are for how many acts a form has a statement: few, as each is prepared on each connection, and all of the small ones,
// as what a statement costs by itself is shared by few there.
var sizes = []int{64, 48, 32, 24, 16, 12, 8, 7, 6, 5, 4, 3, 2, 1}

// NewForm makes a form. sql is the statement for n acts, at most most; the arguments of the acts follow one another. For
// each act that was done it returns a row: which of the n it was, from 0, and the number for its Read. For an act that there
// was nothing to do for it returns none, and has done nothing.
func NewForm(most int, sql func(n int) string) *Form {
	f := &Form{sql: map[int]func() string{}}
	for _, n := range sizes {
		if n <= most {
			f.sql[n] = sync.OnceValue(func() string { return sql(n) })
		}
	}
	return f
}

// part is for how many of n acts there is one statement.
func (f *Form) part(n int) int {
	for _, size := range sizes {
		if size <= n && f.sql[size] != nil {
			return size
		}
	}
	return 1
}

// One is the statement for one act.
func (f *Form) One() string { return f.sql[1]() }

// Limits of a committer. A city's ceiling is one transaction per commit latency, since the feed's lock is held through
// the commit; so acts that arrive together share one. And so only two transactions go at once, one in the making while the
// other is committed: the longer that takes, the more acts share the next. Others pass one that is full, or slow.
const (
	MaxUnderWay = 8  // transactions at once
	MaxGroup    = 64 // acts in one transaction
	lanes       = 2  // transactions at once that are neither full nor slow
	slow        = 25 * time.Millisecond
	actTimeout  = 10 * time.Second
	maxTries    = 4 // of a transaction that fails through no act's fault, and of an act in conflict with others
	maxFailed   = 3 // statements that may fail in a group before the rest are run as acts
)

// Committer commits acts in groups: each act in a savepoint of its own (one that fails fails alone), all their events
// and records appended together, one commit. A record's author is who acts in the context that was given to Do.
type Committer struct {
	pool      *pgxpool.Pool
	writer    *Writer
	now       func() time.Time
	committed func(Seq)

	acts   chan *pending
	lane   chan struct{} // holds who may take up acts, and what they took up
	closed context.Context
	close  context.CancelFunc
	done   sync.WaitGroup
}

// pending is an act on its way. Its group's worker owns it from when it is taken up until ready is closed.
type pending struct {
	ctx     context.Context
	quick   *Statement // nil: act is run at once
	alone   bool       // its statement is for it alone: one that it shared has failed
	act     Act
	events  []Event
	records []audit.Signed
	err     error // the act's own; nil: it is kept if its group is
	ready   chan struct{}
}

// NewCommitter starts the workers; Close ends them. committed is called after each commit that appended events, with
// the last number; it must not block.
func NewCommitter(pool *pgxpool.Pool, writer *Writer, now func() time.Time, committed func(Seq)) *Committer {
	c := &Committer{pool: pool, writer: writer, now: now, committed: committed, acts: make(chan *pending), lane: make(chan struct{}, lanes)}
	c.closed, c.close = context.WithCancel(context.Background())
	for range MaxUnderWay {
		c.done.Go(c.work)
	}
	return c
}

// Close waits for what is under way; Do refuses from now on.
func (c *Committer) Close() {
	c.close()
	c.done.Wait()
}

// Do runs act in a shared transaction and returns when it is durably committed, or has failed. An act that was not taken
// up when ctx ends is never run; one that was is waited for, as it may be writing its results. A connection lost at
// the commit leaves open whether the act was kept, and Do returns an error: what calls Do must be idempotent.
func (c *Committer) Do(ctx context.Context, act Act) error {
	return c.do(&pending{ctx: ctx, act: act, ready: make(chan struct{})})
}

// DoStatement is Do for an act that one statement does nearly always.
func (c *Committer) DoStatement(ctx context.Context, s Statement) error {
	return c.do(&pending{ctx: ctx, quick: &s, act: s.Otherwise, ready: make(chan struct{})})
}

func (c *Committer) do(p *pending) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	select {
	case c.acts <- p: // taken up: the channel holds nothing back
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-c.closed.Done():
		return fault.Unavailable("stopping", "the service is stopping; send it again in a moment, the same id is not stored twice")
	}
	<-p.ready
	return p.err
}

func (c *Committer) work() {
	for {
		select {
		case <-c.closed.Done():
			return
		case c.lane <- struct{}{}:
		}
		select {
		case <-c.closed.Done():
			return
		case p := <-c.acts:
			group := c.gather(p)
			leave := sync.OnceFunc(func() { <-c.lane })
			late := time.AfterFunc(slow, leave)
			if len(group) == MaxGroup {
				leave() // who waits could not share it anyway
			}
			c.commit(group)
			late.Stop()
			leave()
			for _, p := range group {
				close(p.ready)
			}
		}
	}
}

// gather takes what else is waiting now; it never waits for more.
func (c *Committer) gather(first *pending) []*pending {
	group := []*pending{first}
	for len(group) < MaxGroup {
		select {
		case p := <-c.acts:
			group = append(group, p)
		default:
			return group
		}
	}
	return group
}

// commit keeps a group, and then does alone what could not be done in company.
func (c *Committer) commit(group []*pending) {
	for _, p := range c.keep(group) {
		var left []*pending
		for try := 0; try == 0 || len(left) > 0 && try < maxTries; try++ {
			left = c.keep([]*pending{p})
		}
		if len(left) > 0 {
			p.err = broken(p.err)
		}
	}
}

// keep runs a group until it is kept or there is no hope, and sets each act's error. It returns the acts that are to be
// done again alone: they met a conflict with other transactions, or took the group's transaction down.
func (c *Committer) keep(group []*pending) (again []*pending) {
	// Not a request's context: one who leaves must not take the others' transaction with him.
	ctx, cancel := context.WithTimeout(context.Background(), actTimeout)
	defer cancel()
	failed := 0 // statements
	for try := 1; ; {
		f := c.try(ctx, group)
		switch {
		case f == nil:
			for _, p := range group {
				if postgres.Conflict(p.err) {
					again = append(again, p)
				}
			}
			return again
		case f.sent || try == maxTries || ctx.Err() != nil:
		case lost(f.err) && try == 1:
			try++
			c.pool.Reset() // the database was restarted: other connections are as stale
			continue
		case f.moved:
			try++ // it locks the feed first the next time
			continue
		case len(f.shared) > 0:
			for _, p := range f.shared {
				p.alone = true // then it is seen whose fault it was
			}
			continue
		case f.culprit != nil && f.culprit.quick != nil && failed < maxFailed:
			failed++
			f.culprit.quick = nil // its statement took the transaction with it; in a savepoint the act fails alone
			continue
		case f.culprit != nil && f.culprit.quick == nil && len(group) > 1:
			return append(c.keep(without(group, f.culprit)), f.culprit)
		case forgetStatements(group): // many failed, or one that could not even be sent
			continue
		case postgres.Conflict(f.err):
			try++ // the feed's lock was not to be had in time
			continue
		}
		for _, p := range group {
			p.err = broken(f.err)
		}
		return nil
	}
}

func without(group []*pending, p *pending) []*pending {
	return slices.DeleteFunc(slices.Clone(group), func(q *pending) bool { return q == p })
}

// forgetStatements makes all statements acts and reports whether there was one.
func forgetStatements(group []*pending) (any bool) {
	for _, p := range group {
		any = any || p.quick != nil
		p.quick = nil
	}
	return any
}

// failure is why nothing of a transaction is known to be kept.
type failure struct {
	err     error
	culprit *pending   // whose act it was, when it was one
	shared  []*pending // whose statement it was, when it was for several
	sent    bool       // the commit was on its way: it may have come through
	moved   bool       // another process had extended the chain of records
}

// try runs one transaction, in two round trips when all acts are statements that succeed: what is to be done, and feed
// and commit. Errors of single acts are left in them.
func (c *Committer) try(ctx context.Context, group []*pending) *failure {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return &failure{err: err}
	}
	defer conn.Release() // closes a connection that is still in a transaction
	tx, f := begin(ctx, conn.Conn(), group)
	if f == nil {
		f = c.finish(ctx, tx, group)
	}
	if tx != nil && conn.Conn().PgConn().TxStatus() != 'I' {
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(back) // a connection that cannot even roll back is thrown away
	}
	return f
}

// errNotRun marks an act that is still to be run in this transaction.
var errNotRun = errors.New("feed: act not run")

// begin opens a transaction and sends along what can be sent at once. Statements that find nothing to do are left to be
// run as acts.
func begin(ctx context.Context, conn *pgx.Conn, group []*pending) (pgx.Tx, *failure) {
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	b.Queue(setLockTimeout)
	var of []*pending // of whom the statement was that failed
	for _, p := range group {
		p.events, p.records, p.err = nil, nil, errNotRun
		if err := p.ctx.Err(); err != nil {
			p.err = err // nobody waits for it any more
		}
	}
	for _, some := range sheaves(group) {
		b.Queue(some[0].quick.Form.sql[len(some)](), argsOf(some)...).Query(func(rows pgx.Rows) error {
			err := read(rows, some)
			if err != nil {
				of = some
			}
			return err
		})
	}
	results := conn.SendBatch(ctx, &b)
	tx := results.Tx()
	if err := results.Close(); err != nil {
		f := &failure{err: err}
		if len(of) == 1 {
			f.culprit = of[0]
		} else {
			f.shared = of
		}
		return tx, f
	}
	return tx, nil
}

// sheaves are the acts whose statements are one: of one form, as many as there is a statement for.
func sheaves(group []*pending) (list [][]*pending) {
	of := map[*Form][]*pending{}
	var forms []*Form // in the order in which they came
	for _, p := range group {
		switch {
		case p.quick == nil || !errors.Is(p.err, errNotRun):
		case p.alone:
			list = append(list, []*pending{p})
		default:
			f := p.quick.Form
			if of[f] == nil {
				forms = append(forms, f)
			}
			of[f] = append(of[f], p)
		}
	}
	for _, f := range forms {
		for rest := of[f]; len(rest) > 0; {
			n := f.part(len(rest))
			list, rest = append(list, rest[:n]), rest[n:]
		}
	}
	return list
}

func argsOf(acts []*pending) []any {
	args := make([]any, 0, len(acts)*len(acts[0].quick.Args))
	for _, p := range acts {
		args = append(args, p.quick.Args...)
	}
	return args
}

// read reads what the acts' statement returned.
func read(rows pgx.Rows, acts []*pending) error {
	for rows.Next() {
		var which int
		var num int64
		if err := rows.Scan(&which, &num); err != nil {
			return err
		}
		if err := acts[which].read(num); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *pending) read(num int64) (err error) {
	defer recoverTo(&err)
	p.done(p.quick.Read(num))
	return p.err
}

// done takes what an act returned.
func (p *pending) done(step Step, err error) {
	p.events, p.err = step.Events, err
	if err == nil {
		p.records, p.err = audit.Sign(audit.AuthorOf(p.ctx), step.Records...)
	}
}

// finish runs the acts that are not done yet, appends all events and records and commits.
func (c *Committer) finish(ctx context.Context, tx pgx.Tx, group []*pending) *failure {
	page := page{at: c.now()}
	kept := false
	for _, p := range group {
		if errors.Is(p.err, errNotRun) {
			if err := p.run(ctx, tx, len(group) > 1); err != nil {
				return &failure{err: err, culprit: p}
			}
		}
		if p.err == nil {
			page.events, page.records, kept = append(page.events, p.events...), append(page.records, p.records...), true
		}
	}
	if !kept {
		return nil // each act has its own error
	}
	if len(page.records) > 0 {
		if err := c.writer.take(ctx); err != nil {
			return &failure{err: err}
		}
		defer c.writer.give()
	}
	var b pgx.Batch
	if err := c.writer.queue(ctx, tx, &b, &page); err != nil {
		return &failure{err: err}
	}
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("the transaction ended by %s", tag)
		}
		return nil
	})
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		if page.moved {
			c.writer.lockNext = lockAfter
		}
		return &failure{err: err, sent: lost(err), moved: page.moved}
	}
	c.writer.kept(&page)
	if page.last > 0 {
		c.committed(page.last)
	}
	return nil
}

// run runs the act, in a savepoint when it shares its transaction, and sets its step or its error. An error that it
// returns is the transaction's: there is no way back to before the act.
func (p *pending) run(ctx context.Context, tx pgx.Tx, shared bool) error {
	if !shared {
		p.call(ctx, tx)
		return nil // an act that failed alone is not committed
	}
	sp, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if p.call(ctx, sp); p.err != nil {
		if err := sp.Rollback(ctx); err != nil {
			return errors.Join(p.err, err)
		}
		return nil
	}
	return sp.Commit(ctx)
}

func (p *pending) call(ctx context.Context, tx pgx.Tx) {
	defer recoverTo(&p.err)
	p.done(p.act(ctx, tx))
}

// recoverTo makes a panic the error of the act that panicked: the others of its group, and the service, go on.
func recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}

// lost tells whether the connection is gone, and with it the answer, if there was one.
func lost(err error) bool { return postgres.Disconnected(err) }

// broken marks a failure of the transaction as a whole: nothing is acknowledged, the caller may send it again.
func broken(err error) error {
	return fmt.Errorf("%w (%w)", err, fault.Unavailable("database_unavailable",
		"the database did not take the change; send it again, the same id is not stored twice"))
}

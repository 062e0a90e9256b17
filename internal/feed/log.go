package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrReset tells a reader that it cannot go on from where it stood: another epoch, or older than what is kept.
var ErrReset = errors.New("feed: reset")

// Log follows a city's feed and hands it to any number of readers in this process. It keeps the latest events in
// memory, so that a reader who is nearly current costs no SQL.
type Log struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	poll time.Duration

	mu    sync.Mutex
	epoch int
	tail  []Stored      // the latest events, in order, without holes
	head  Seq           // seq of the last event read
	moved chan struct{} // closed and renewed when head moves or the epoch changes
	wake  chan struct{}
}

const (
	tailSize  = 8192
	readBatch = 2000
	pollEvery = time.Second
	// pause is how long after a read that found something the next one waits: who reads is as good as current, and thousands
	// of transactions a second do not have all of them read one by one.
	pause = 10 * time.Millisecond
)

// NewLog stands at the feed's head; Run keeps it there.
func NewLog(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (*Log, error) {
	head, err := Head(ctx, pool)
	if err != nil {
		return nil, err
	}
	return &Log{pool: pool, log: log, poll: pollEvery, epoch: head.Epoch, head: head.Seq,
		moved: make(chan struct{}), wake: make(chan struct{}, 1)}, nil
}

// Wake says that there may be something new; it never blocks.
func (l *Log) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Head is where the log stands.
func (l *Log) Head() ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return ID{l.epoch, l.head}
}

// Run reads the feed until ctx ends. A database that is away is waited for: polling alone is right.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(l.poll)
	defer tick.Stop()
	for {
		stood := l.Head()
		more, err := l.read(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.Warn("feed not readable, will try again", "err", err)
		}
		if more {
			continue
		}
		if l.Head() != stood {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.wake:
		}
	}
}

func (l *Log) read(ctx context.Context) (more bool, err error) {
	at := l.Head()
	events, head, err := Read(ctx, l.pool, at.Seq, readBatch)
	if err != nil || head == at {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.advance()
	if head.Epoch != at.Epoch || head.Seq < at.Seq || !follow(events, at.Seq) {
		// Another feed, as after a restore, or one whose next events are not kept any more: nobody goes on from here.
		l.epoch, l.head, l.tail = head.Epoch, head.Seq, nil
		return false, nil
	}
	l.tail = append(l.tail, events...)
	if len(l.tail) > 2*tailSize { // not at each event: that would copy the tail each time
		l.tail = append([]Stored(nil), l.tail[len(l.tail)-tailSize:]...)
	}
	l.head = events[len(events)-1].Seq
	return l.head < head.Seq, nil
}

// follow tells whether there are events and they stand without holes after seq.
func follow(events []Stored, seq Seq) bool {
	n := len(events)
	return n > 0 && events[0].Seq == seq+1 && events[n-1].Seq == seq+Seq(n)
}

func (l *Log) advance() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// Next returns the events after id, waiting for the first when there is none yet. It returns ErrReset when id is of
// another epoch, ahead of the feed, or older than what the database keeps. The events are shared: they are not to be
// changed.
func (l *Log) Next(ctx context.Context, after ID) ([]Stored, error) {
	for {
		l.mu.Lock()
		head, moved := ID{l.epoch, l.head}, l.moved
		var events []Stored
		if n := len(l.tail); n > 0 && after.Seq >= l.tail[0].Seq-1 && after.Seq < head.Seq {
			events = l.tail[n-int(head.Seq-after.Seq):]
		}
		l.mu.Unlock()
		switch {
		case after.Epoch != head.Epoch:
			return nil, ErrReset
		case len(events) > 0:
			return events[:len(events):len(events)], nil
		case after.Seq < head.Seq:
			return l.older(ctx, after)
		case after.Seq > head.Seq:
			// From another node, which may have read what this one has not yet; or from nowhere.
			if now, err := Head(ctx, l.pool); err != nil {
				return nil, err
			} else if now.Epoch != after.Epoch || now.Seq < after.Seq {
				return nil, ErrReset
			}
			l.Wake()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-moved:
		}
	}
}

// Await returns when the log stands at seq or beyond, or with ctx's error.
func (l *Log) Await(ctx context.Context, seq Seq) error {
	for {
		l.mu.Lock()
		head, moved := l.head, l.moved
		l.mu.Unlock()
		if head >= seq {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// older reads what the tail does not hold any more.
func (l *Log) older(ctx context.Context, after ID) ([]Stored, error) {
	events, head, err := Read(ctx, l.pool, after.Seq, readBatch)
	if err != nil {
		return nil, err
	}
	if head.Epoch != after.Epoch || !follow(events, after.Seq) {
		return nil, ErrReset
	}
	return events, nil
}

// Listen wakes the log on notifications until ctx ends. It keeps one connection of its own; without one (a replica, a
// pooler) polling alone is right.
func (l *Log) Listen(ctx context.Context, city string) {
	for ctx.Err() == nil {
		err := l.listen(ctx, city)
		if ctx.Err() != nil {
			return
		}
		l.log.Debug("listening again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(l.poll):
		}
	}
}

func (l *Log) listen(ctx context.Context, city string) error {
	pooled, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // its LISTEN must not go back into the pool
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{channel(city)}.Sanitize()); err != nil {
		return err
	}
	l.Wake()
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		l.Wake()
	}
}

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
)

// NewLog stands at the feed's head; Run keeps it there.
func NewLog(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (*Log, error) {
	head, err := Head(ctx, pool)
	if err != nil {
		return nil, err
	}
	return &Log{pool: pool, log: log, epoch: head.Epoch, head: head.Seq,
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
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		more, err := l.read(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.Warn("feed not readable, will try again", "err", err)
		}
		if more {
			continue
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
	events, err := Read(ctx, l.pool, at.Seq, readBatch)
	if err != nil {
		return false, err
	}
	if len(events) == 0 {
		// Nothing new: the moment to see whether this is still the same feed.
		head, err := Head(ctx, l.pool)
		if err != nil {
			return false, err
		}
		if head.Epoch != at.Epoch || head.Seq < at.Seq {
			l.mu.Lock()
			l.epoch, l.head, l.tail = head.Epoch, head.Seq, nil
			l.advance()
			l.mu.Unlock()
		}
		return head.Epoch == at.Epoch && head.Seq > at.Seq, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, events...)
	if over := len(l.tail) - tailSize; over > 0 {
		l.tail = append([]Stored(nil), l.tail[over:]...)
	}
	l.head = events[len(events)-1].Seq
	l.advance()
	return len(events) == readBatch, nil
}

func (l *Log) advance() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// Next returns the events after id, waiting for the first when there is none yet. It returns ErrReset when id is of
// another epoch, ahead of the feed, or older than what the database keeps.
func (l *Log) Next(ctx context.Context, after ID) ([]Stored, error) {
	for {
		l.mu.Lock()
		epoch, head, moved := l.epoch, l.head, l.moved
		var events []Stored
		if n := len(l.tail); n > 0 && after.Seq >= l.tail[0].Seq-1 && after.Seq < head {
			events = l.tail[n-int(head-after.Seq):]
		}
		l.mu.Unlock()
		switch {
		case after.Epoch != epoch || after.Seq > head:
			return nil, ErrReset
		case len(events) > 0:
			return events[:len(events):len(events)], nil
		case after.Seq < head:
			events, err := Read(ctx, l.pool, after.Seq, readBatch)
			if err != nil {
				return nil, err
			}
			if len(events) == 0 || events[0].Seq != after.Seq+1 {
				return nil, ErrReset
			}
			return events, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-moved:
		}
	}
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
		case <-time.After(pollEvery):
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

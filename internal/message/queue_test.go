package message_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/keyring"
	"gridgov/internal/message"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// sender counts, and fails as it is told.
type sender struct {
	mu   sync.Mutex
	got  []message.Message
	fail error
}

func (s *sender) Send(_ context.Context, m message.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
	return s.fail
}

func (s *sender) sent() []message.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]message.Message(nil), s.got...)
}

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type bench struct {
	t      *testing.T
	pool   *pgxpool.Pool
	ring   *keyring.Ring
	queue  *message.Queue
	clock  *clock
	sender *sender
	log    *bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, info := pgtest.Database(t)
	pool, err := db.CityPool(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, pool: pool, ring: ring, clock: &clock{at: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}, sender: &sender{}, log: &bytes.Buffer{}}
	b.queue = message.NewQueue(message.Queue{Pool: pool, Ring: ring, City: info.Code, Now: b.clock.now, Log: slog.New(slog.NewTextHandler(&lines{b.log, &sync.Mutex{}}, nil)),
		Senders: func(context.Context) (map[message.Channel]message.Sender, error) {
			return map[message.Channel]message.Sender{message.SMS: b.sender, message.Email: b.sender}, nil
		}})
	return b
}

// lines lets several write.
type lines struct {
	to *bytes.Buffer
	mu *sync.Mutex
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() { b.queue.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func (b *bench) add(m message.Message, until time.Duration) {
	b.t.Helper()
	err := pgx.BeginFunc(b.t.Context(), b.pool, func(tx pgx.Tx) error {
		return b.queue.Add(b.t.Context(), tx, m, b.clock.now().Add(until))
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			b.t.Fatalf("%s: not in time", what)
		}
		b.queue.Wake()
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
}

func (b *bench) count(where string) (n int) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), `SELECT count(*) FROM message WHERE `+where).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

const (
	canaryTo   = "13800138000"
	canaryText = "canary 123456"
)

var aMessage = message.Message{Channel: message.SMS, To: canaryTo, Text: canaryText, Recipient: bytes.Repeat([]byte{7}, 32)}

// A message is sealed while it waits, sent once, and wiped then; a transaction that is rolled back sends nothing.
func TestQueueSends(t *testing.T) {
	b := newBench(t)
	back := errors.New("back")
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		if err := b.queue.Add(t.Context(), tx, aMessage, b.clock.now().Add(time.Minute)); err != nil {
			return err
		}
		return back
	})
	if !errors.Is(err, back) {
		t.Fatal(err)
	}
	b.add(aMessage, time.Minute)
	var row string
	if err := b.pool.QueryRow(t.Context(), `SELECT m::text FROM message m`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{canaryTo, canaryText, fmt.Sprintf("%x", canaryTo), fmt.Sprintf("%x", "123456")} {
		if strings.Contains(row, canary) {
			t.Errorf("a waiting message shows %q", canary)
		}
	}
	stop := b.run()
	defer stop()
	b.until("it is wiped", func() bool { return b.count(`sealed IS NULL AND recipient IS NULL AND sent_at IS NOT NULL`) == 1 })
	if got := b.sender.sent(); len(got) != 1 || got[0].To != canaryTo || got[0].Text != canaryText || !bytes.Equal(got[0].Recipient, aMessage.Recipient) {
		t.Errorf("%+v", got)
	}
}

// What fails is tried five times, with growing pauses, within a quarter of an hour, and then wiped; what will never go is
// tried once. Nothing of it is in the log.
func TestQueueTriesAgain(t *testing.T) {
	b := newBench(t)
	b.sender.fail = &message.Failure{What: "the gateway's answer", Code: 500}
	b.add(aMessage, time.Hour)
	stop := b.run()
	defer stop()
	began := b.clock.now()
	for n := 1; n <= message.MaxTries; n++ {
		b.until(fmt.Sprintf("try %d", n), func() bool { return len(b.sender.sent()) == n })
		b.until("it is written down", func() bool {
			return b.count(fmt.Sprintf(`tries = %d AND (next_at > made_at + interval '9 seconds' OR sealed IS NULL)`, n)) == 1
		})
		for range 12 {
			if n == message.MaxTries || len(b.sender.sent()) > n {
				break
			}
			b.clock.pass(30 * time.Second)
			b.queue.Wake()
			time.Sleep(20 * time.Millisecond) // a round may take it up
		}
	}
	if took := b.clock.now().Sub(began); took > message.MaxAge {
		t.Errorf("it was tried for %s", took)
	}
	b.until("it is given up", func() bool { return b.count(`failed_at IS NOT NULL AND sealed IS NULL AND recipient IS NULL`) == 1 })
	b.sender.mu.Lock()
	b.sender.fail = &message.Failure{What: "the mail server's answer", Code: 550, Final: true}
	b.sender.mu.Unlock()
	b.add(aMessage, time.Hour)
	b.until("the other is given up", func() bool { return b.count(`failed_at IS NOT NULL AND tries = 1`) == 1 })
	stop()
	if strings.Contains(b.log.String(), canaryTo) || strings.Contains(b.log.String(), "123456") {
		t.Errorf("the log tells %s", b.log)
	}
}

// A message whose time is over is not sent; one of somebody who was erased is gone.
func TestQueueForgets(t *testing.T) {
	b := newBench(t)
	b.add(aMessage, time.Minute)
	other := aMessage
	other.Recipient = bytes.Repeat([]byte{8}, 32)
	b.add(other, time.Minute)
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return message.Forget(t.Context(), tx, [][]byte{aMessage.Recipient})
	})
	if err != nil || b.count(`true`) != 1 {
		t.Fatal(err, b.count(`true`))
	}
	b.clock.pass(2 * time.Minute)
	stop := b.run()
	defer stop()
	b.until("it is given up", func() bool { return b.count(`failed_at IS NOT NULL AND sealed IS NULL`) == 1 })
	if got := b.sender.sent(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	b.clock.pass(8 * 24 * time.Hour)
	b.until("nothing is left", func() bool { return b.count(`true`) == 0 })
}

// Two workers send each message once.
func TestQueueIsShared(t *testing.T) {
	b := newBench(t)
	for i := range 30 {
		m := aMessage
		m.To = fmt.Sprint(13800138000 + i)
		b.add(m, time.Minute)
	}
	one, two := b.run(), b.run()
	b.until("all are sent", func() bool { return b.count(`sent_at IS NOT NULL`) == 30 })
	one()
	two()
	seen := map[string]bool{}
	for _, m := range b.sender.sent() {
		if seen[m.To] {
			t.Errorf("%s was sent twice", m.To)
		}
		seen[m.To] = true
	}
}

// The outbox keeps the last 200.
func TestOutbox(t *testing.T) {
	b := newBench(t)
	box := message.Outbox{Pool: b.pool, Now: b.clock.now}
	for i := range 203 {
		m := aMessage
		m.Text = fmt.Sprint(i)
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list, err := box.List(t.Context())
	if err != nil || len(list) != 200 || list[0].Text != "202" || list[199].Text != "3" {
		t.Errorf("%v %d", err, len(list))
	}
	err = pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return message.Forget(t.Context(), tx, [][]byte{aMessage.Recipient}) })
	if list, listErr := box.List(t.Context()); err != nil || listErr != nil || len(list) != 0 {
		t.Errorf("%v %v %d", err, listErr, len(list))
	}
}

// Settings are kept sealed, whole, and read as they were; the record holds none of them.
func TestSettingsAreSealed(t *testing.T) {
	b := newBench(t)
	store := message.Store{Pool: b.pool, Ring: b.ring, City: "test", Feed: &feed.Writer{Key: audit.KeyOf(b.ring, "test")}, Now: b.clock.now}
	set := message.Settings{SMTP: &message.SMTP{Host: "smtp.example.com", Port: 587, TLS: message.TLSStart, User: "grid", Password: "canary-password", From: "grid@example.com"},
		SMS: &message.Gateway{URL: "https://sms.example.com/canary-key", Method: "POST", Headers: []message.Header{{Name: "X-Key", Value: "canary-header"}}, Body: jsonBody}}
	if err := store.Write(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	got, err := store.Read(t.Context())
	if err != nil || got.SMTP.Password != "canary-password" || got.SMS.Headers[0].Value != "canary-header" || len(got.Senders()) != 2 {
		t.Fatalf("%v %+v", err, got)
	}
	sealedBy := func() string {
		t.Helper()
		var sealed []byte
		if err := b.pool.QueryRow(t.Context(), `SELECT decode(value ->> 'sealed', 'base64') FROM setting WHERE key = 'smtp'`).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		by, _ := keyring.SealedBy(sealed)
		return string(by)
	}
	if err := b.ring.Rotate(b.clock.now()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := store.Rewrap(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if by := sealedBy(); by != string(b.ring.Current()) {
		t.Errorf("after a rotation they are sealed by %s", by)
	}
	var changes int
	if err := b.pool.QueryRow(t.Context(), `SELECT count(*) FROM audit`).Scan(&changes); err != nil || changes != 4 {
		t.Errorf("%d changes on record, %v", changes, err)
	}
	var kept string
	if err := b.pool.QueryRow(t.Context(), `SELECT (SELECT string_agg(value::text, ' ') FROM setting) || (SELECT string_agg(a::text, ' ') FROM audit a)`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(kept, "canary") || strings.Contains(kept, "example.com") {
		t.Errorf("kept: %s", kept)
	}
	if err := store.Write(t.Context(), message.Settings{}); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Read(t.Context()); err != nil || got.SMTP != nil || got.SMS != nil {
		t.Errorf("%v %+v", err, got)
	}
	closed := store
	closed.Ring = nil
	if err := closed.Write(t.Context(), set); err == nil {
		t.Error("settings are kept without a key")
	}
}

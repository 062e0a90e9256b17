package push

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/SherClockHolmes/webpush-go"
	"github.com/google/uuid"

	"gridgov/internal/egress"
	"gridgov/internal/fault"
)

// What bounds sending.
const (
	callTime   = 10 * time.Second
	failsFor   = 7 * 24 * time.Hour // a device to which nothing could be sent for so long is removed
	longestTTL = 28 * 24 * time.Hour
	testEach   = 10 * time.Second // a test a person
	firstQuiet = time.Minute      // that a host which did not answer is left alone; twice as long each time
	longQuiet  = 30 * time.Minute // at most
)

// Message is what a device is told.
type Message struct {
	Payload []byte        // at most MaxPayload bytes
	About   string        // what it is about: it takes the place of one about the same that still waits at the push service; "": of none
	TTL     time.Duration // for how long the push service keeps it
	Urgent  bool          // a device that saves power is woken for it
}

// Failure is why a message was not taken. It names no person, and nothing that the other side said.
type Failure struct {
	Why    string // a code
	Status int    // HTTP's; 0: no answer came
	Gone   bool   // the device is no more: it was removed
	Final  bool   // the message will not be taken
	// Wait is for how long the push service wants to be left alone, or is, as it did not answer; 0: it did not say.
	Wait time.Duration
}

func (f *Failure) Error() string { return fmt.Sprintf("push: %s, status %d", f.Why, f.Status) }

// newPair makes the city's key pair, and seals the private key.
func (s *Service) newPair() (k keyPair, sealed []byte, err error) {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return k, nil, err
	}
	k = keyPair{private.PublicKey().Bytes(), private.Bytes()}
	sealed, err = s.Ring.Seal(s.keyLabel(), k.private)
	return k, sealed, err
}

// Send sends a message to a device, once, and writes down what became of it. What is no fault of the message's or of the other side's is
// no Failure.
func (s *Service) Send(ctx context.Context, d *Device, m Message) error {
	if f := s.Ready(); f != nil {
		return f
	}
	if len(m.Payload) > MaxPayload {
		return fmt.Errorf("push: a message of %d bytes, at most %d", len(m.Payload), MaxPayload)
	}
	key, err := s.pair(ctx)
	if err != nil {
		return err
	}
	plain, err := s.Ring.Open(s.label(d.ID), d.sealed)
	if err != nil {
		return fmt.Errorf("open device %s: %w", d.ID, err)
	}
	var to secrets
	if err := json.Unmarshal(plain, &to); err != nil {
		return fmt.Errorf("open device %s: %w", d.ID, err)
	}
	if wait := s.silence(d.Host); wait > 0 {
		return &Failure{Why: "unreachable", Wait: wait}
	}
	failed := s.call(ctx, key, &to, &m)
	if failed != nil && failed.Status == 0 && ctx.Err() != nil { // whoever asked for it has left, which says nothing of the other side
		return ctx.Err()
	}
	s.heard(d.Host, failed)
	if failed != nil && failed.Wait > 0 && !failed.Final { // it answers, and is busy
		return failed
	}
	if err := s.settle(ctx, d, failed); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return nil
}

// call makes the one call. nil: the message was taken.
func (s *Service) call(ctx context.Context, key *keyPair, to *secrets, m *Message) *Failure {
	encode := base64.RawURLEncoding.EncodeToString
	opt := &webpush.Options{
		HTTPClient: s.Client(true, cmp.Or(s.patience, callTime)), TTL: int(min(m.TTL, longestTTL).Seconds()), Topic: topic(to, m.About), Urgency: webpush.UrgencyNormal,
		VAPIDPublicKey: encode(key.public), VAPIDPrivateKey: encode(key.private), Subscriber: contact(to.Origin),
	}
	if m.Urgent {
		opt.Urgency = webpush.UrgencyHigh
	}
	answer, err := webpush.SendNotificationWithContext(ctx, m.Payload,
		&webpush.Subscription{Endpoint: to.Endpoint, Keys: webpush.Keys{P256dh: to.P256dh, Auth: to.Auth}}, opt)
	if err != nil {
		return &Failure{Why: egress.WhyNot(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	egress.Drain(answer.Body)
	f := &Failure{Status: answer.StatusCode}
	switch c := answer.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c >= 300 && c < 400:
		f.Why = "redirect"
	case c == http.StatusNotFound, c == http.StatusGone:
		f.Why, f.Gone, f.Final = "gone", true, true
	case c == http.StatusBadRequest, c == http.StatusRequestEntityTooLarge:
		f.Why, f.Final = "refused", true
	case c == http.StatusTooManyRequests, c == http.StatusServiceUnavailable:
		f.Why, f.Wait = "busy", retryAfter(answer.Header.Get("Retry-After"), s.Now())
	default:
		f.Why = "refused"
	}
	return f
}

// contact is whom a push service's people may ask (RFC 8292, 2.1): where the city is found. The claim has to be an https URL, also where the
// service speaks to this machine alone.
func contact(origin string) string {
	return "https://" + strings.TrimPrefix(strings.TrimPrefix(origin, "http://"), "https://")
}

// topic names what a message is about (RFC 8030, 5.4), for each device by another word: a push service does not learn who is told of the
// same matter.
func topic(to *secrets, about string) string {
	if about == "" {
		return ""
	}
	m := hmac.New(sha256.New, []byte(to.Auth))
	_, _ = m.Write([]byte("gridgov push topic " + about)) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:24])
}

// longestWait bounds what a push service may ask for: what waits longer is told on the page by then.
const longestWait = 24 * time.Hour

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 where it is neither, or over.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return min(time.Duration(min(n, int(longestWait.Seconds())))*time.Second, longestWait)
	}
	if at, err := http.ParseTime(s); err == nil && at.After(now) {
		return min(at.Sub(now), longestWait)
	}
	return 0
}

// silence is how a host is left alone that does not answer, so that those who wait for it do not hold up the others: in some networks a
// browser's push service cannot be reached at all.
type silence struct {
	until time.Time
	next  time.Duration
}

// silence tells for how long a host is still left alone.
func (s *Service) silence(host string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent[host].until.Sub(s.Now())
}

// heard keeps whether a host answered.
func (s *Service) heard(host string, f *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil || f.Status != 0 || f.Why == "own_network" {
		delete(s.silent, host)
		return
	}
	if s.silent == nil {
		s.silent = map[string]silence{}
	}
	if len(s.silent) >= mostSilent {
		clear(s.silent)
	}
	q := s.silent[host]
	q.next = min(max(2*q.next, firstQuiet), longQuiet)
	q.until = s.Now().Add(q.next)
	s.silent[host] = q
}

// mostSilent and mostTested bound what is remembered.
const mostSilent, mostTested = 1000, 10_000

// Test tells one of a person's devices that it is told, and returns why not where it was not. Fault: too_many_attempts, not_found, those of Ready.
func (s *Service) Test(ctx context.Context, person, id uuid.UUID, payload func(d *Device) ([]byte, error)) (*Failure, error) {
	d, err := s.Device(ctx, person, id)
	if err != nil {
		return nil, err
	}
	if wait := s.mayTest(person); wait > 0 {
		return nil, fault.TooMany("too_many_attempts", wait, "a test was sent a moment ago: wait %s", wait)
	}
	text, err := payload(&d)
	if err != nil {
		return nil, err
	}
	err = s.Send(ctx, &d, Message{Payload: text, About: "test", TTL: time.Minute, Urgent: true})
	var failed *Failure
	if errors.As(err, &failed) {
		return failed, nil
	}
	return nil, err
}

// mayTest tells how long to wait; 0: not at all, and then it counts.
func (s *Service) mayTest(person uuid.UUID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if at, ok := s.tested[person]; ok && now.Sub(at) >= 0 && now.Sub(at) < testEach {
		return (testEach - now.Sub(at)).Round(time.Second)
	}
	if s.tested == nil || len(s.tested) >= mostTested {
		s.tested = map[uuid.UUID]time.Time{}
	}
	s.tested[person] = now
	return 0
}

package push_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/egress"
	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/push"
	"gridgov/internal/push/pushtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

// house is a city with a push service on this machine, and a clock that goes on when the test says so.
type house struct {
	t   *testing.T
	c   *app.City
	s   *push.Service
	out *pushtest.Service
	now time.Time
}

func newHouse(t *testing.T) *house {
	_, c := apptest.City(t)
	h := &house{t: t, c: c, s: c.Push, out: pushtest.New(t), now: apptest.Now}
	h.s.Guard, h.s.Now = h.out.Guard(), func() time.Time { return h.now }
	return h
}

// somebody signs in, and returns who with the session.
func (h *house) somebody() (person, session uuid.UUID) {
	h.t.Helper()
	token, person := apptest.SignIn(h.t, h.c)
	id, err := h.c.Auth.Identify(h.t.Context(), token)
	if err != nil {
		h.t.Fatal(err)
	}
	return person, id.Session
}

func (h *house) browser() *pushtest.Browser {
	h.t.Helper()
	key, err := h.s.Key(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return h.out.Browser(key)
}

func named(person, session uuid.UUID, b *pushtest.Browser) push.New {
	return push.New{Person: person, Session: session, Endpoint: b.Endpoint, P256dh: b.P256dh, Auth: b.Auth, Language: "zh", Agent: "Firefox\x00", Origin: "http://127.0.0.1:8080"}
}

// device is somebody's, with its browser.
func (h *house) device() (*pushtest.Browser, push.Device) {
	h.t.Helper()
	person, session := h.somebody()
	b := h.browser()
	return b, h.add(named(person, session, b))
}

func (h *house) add(n push.New) push.Device {
	h.t.Helper()
	d, err := h.s.Add(h.t.Context(), n)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// send sends words, and returns why they were not taken; nil: they were.
func (h *house) send(d push.Device, m push.Message) *push.Failure {
	h.t.Helper()
	err := h.s.Send(h.t.Context(), &d, m)
	var failed *push.Failure
	if err != nil && !errors.As(err, &failed) {
		h.t.Fatal(err)
	}
	return failed
}

var words = push.Message{Payload: []byte(`{"title":"海宁"}`), About: "case-7", TTL: time.Hour}

func (h *house) devices(person uuid.UUID) []push.Device {
	h.t.Helper()
	list, err := h.s.List(h.t.Context(), person)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *house) query(sql string, args ...any) (n int) {
	h.t.Helper()
	if err := h.c.Pool.QueryRow(h.t.Context(), sql, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// A message comes whole to the browser, and to it alone; nobody on the way learns how long it is, nor which devices are told of the same.
func TestMessageIsForTheDeviceAlone(t *testing.T) {
	h := newHouse(t)
	b, d := h.device()
	other, otherDevice := h.device()
	urgent := words
	urgent.Payload, urgent.Urgent, urgent.About = bytes.Repeat([]byte("长"), push.MaxPayload/3), true, "case-8"
	for _, m := range []push.Message{words, urgent, words} {
		if f := h.send(d, m); f != nil {
			t.Fatal(f)
		}
	}
	if f := h.send(otherDevice, words); f != nil {
		t.Fatal(f)
	}
	got := b.Got()
	if len(got) != 3 || !bytes.Equal(got[0].Payload, words.Payload) || !bytes.Equal(got[1].Payload, urgent.Payload) {
		t.Fatalf("%+v", got)
	}
	if got[0].TTL != time.Hour || got[0].Urgency != "normal" || got[1].Urgency != "high" || got[0].Subject != "https://127.0.0.1:8080" {
		t.Errorf("%v", got)
	}
	if got[0].Length != got[1].Length {
		t.Errorf("of %d and %d bytes: the length tells what it says", got[0].Length, got[1].Length)
	}
	if got[0].Topic == "" || got[0].Topic != got[2].Topic || got[0].Topic == got[1].Topic || got[0].Topic == other.Got()[0].Topic {
		t.Errorf("topics %q, %q, %q, and of another device %q", got[0].Topic, got[1].Topic, got[2].Topic, other.Got()[0].Topic)
	}
	if list := h.devices(d.Person); list[0].SentAt == nil || !list[0].SentAt.Equal(h.now) || list[0].Agent != "Firefox" || list[0].Host != strings.TrimPrefix(h.out.URL, "https://") {
		t.Errorf("%+v", list)
	}
	urgent.Payload = append(urgent.Payload, "长"...)
	if err := h.s.Send(t.Context(), &d, urgent); err == nil {
		t.Error("more than push services take was sent")
	}
}

// The city's key is made once, whoever asks at the same time; a rotation of the master keys leaves it as it is, and what the database has
// is nothing to who has no key file.
func TestKeyStays(t *testing.T) {
	h := newHouse(t)
	keys := make([]string, 16)
	var all sync.WaitGroup
	for i := range keys {
		node := &push.Service{Pool: h.s.Pool, Ring: h.s.Ring, City: h.s.City, Feed: h.s.Feed, Now: h.s.Now, Log: h.s.Log}
		all.Go(func() {
			key, err := node.Key(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Error(err)
			}
			keys[i] = base64.RawURLEncoding.EncodeToString(key)
		})
	}
	all.Wait()
	for _, k := range keys {
		if k != keys[0] || len(k) != 87 {
			t.Fatalf("keys %v", keys)
		}
	}
	if n := h.query(`SELECT count(*) FROM audit WHERE act = 'push.key'`); n != 1 {
		t.Errorf("%d records of it", n)
	}
	b, d := h.device()
	before := h.s.Ring.Current()
	if err := h.s.Ring.Rotate(h.now); err != nil {
		t.Fatal(err)
	}
	if err := h.s.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := h.query(`SELECT (SELECT count(*) FROM push_key WHERE encode(secret, 'hex') LIKE '01' || $1 || '%') + (SELECT count(*) FROM push_subscription WHERE encode(sealed, 'hex') LIKE '01' || $1 || '%')`,
		string(before)); n != 0 {
		t.Errorf("%d are still sealed by the old key %s", n, before)
	}
	node := &push.Service{Guard: h.s.Guard, Pool: h.s.Pool, Ring: h.s.Ring, City: h.s.City, Feed: h.s.Feed, Now: h.s.Now, Log: h.s.Log}
	after, err := node.Key(t.Context())
	if err != nil || base64.RawURLEncoding.EncodeToString(after) != keys[0] {
		t.Errorf("the key is another now: %v", err)
	}
	again, err := node.Device(t.Context(), d.Person, d.ID)
	if err == nil {
		err = node.Send(t.Context(), &again, words)
	}
	if err != nil || len(b.Got()) != 1 {
		t.Errorf("after the rotation: %v", err)
	}
	for _, sql := range []string{`SELECT count(*) FROM push_subscription WHERE position('/send/'::bytea IN sealed) > 0`,
		`SELECT count(*) FROM audit WHERE before::text || after::text LIKE '%/send/%'`} {
		if n := h.query(sql); n != 0 {
			t.Errorf("%s: %d", sql, n)
		}
	}
	without := &push.Service{Pool: h.s.Pool, City: h.s.City, Now: h.s.Now}
	if _, err := without.Key(t.Context()); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("without the key file: %v", err)
	}
	without.Ring = apptest.Ring(t)
	if _, err := without.Key(t.Context()); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("with another key file: %v", err)
	}
}

func TestAnswersOfPushServices(t *testing.T) {
	h := newHouse(t)
	date := h.now.Add(90 * time.Second).Format(http.TimeFormat)
	for _, c := range []struct {
		status int
		after  string
		want   push.Failure
		stays  bool
	}{
		{404, "", push.Failure{Why: "gone", Gone: true, Final: true}, false},
		{410, "", push.Failure{Why: "gone", Gone: true, Final: true}, false},
		{400, "", push.Failure{Why: "refused", Final: true}, true},
		{413, "", push.Failure{Why: "refused", Final: true}, true},
		{429, "120", push.Failure{Why: "busy", Wait: 2 * time.Minute}, true},
		{503, date, push.Failure{Why: "busy", Wait: 90 * time.Second}, true},
		{503, "99999999999999999999", push.Failure{Why: "busy"}, true},
		{429, "9999999", push.Failure{Why: "busy", Wait: 24 * time.Hour}, true},
		{429, "-1", push.Failure{Why: "busy"}, true},
		{503, "", push.Failure{Why: "busy"}, true},
		{403, "60", push.Failure{Why: "refused"}, true},
		{500, "", push.Failure{Why: "refused"}, true},
		{307, "", push.Failure{Why: "redirect"}, true},
	} {
		b, d := h.device()
		b.Status(c.status, c.after)
		c.want.Status = c.status
		f := h.send(d, words)
		if f == nil || *f != c.want {
			t.Errorf("%d %q: %+v", c.status, c.after, f)
		}
		list := h.devices(d.Person)
		if (len(list) == 1) != c.stays {
			t.Errorf("%d: %d devices are left", c.status, len(list))
		}
		if waits := c.want.Wait > 0; c.stays && (list[0].FailingSince == nil) != waits {
			t.Errorf("%d %q: %+v", c.status, c.after, list[0])
		}
		b.Answer(nil)
		if c.stays {
			if f := h.send(d, words); f != nil {
				t.Errorf("after %d: %v", c.status, f)
			}
			if list := h.devices(d.Person); list[0].FailingSince != nil || list[0].Why != "" {
				t.Errorf("after %d: %+v", c.status, list[0])
			}
		}
	}
}

// What fails for a week is removed, and not a moment earlier; what was taken meanwhile begins the week anew.
func TestWhatFailsForLongIsRemoved(t *testing.T) {
	h := newHouse(t)
	b, d := h.device()
	fail := func(at time.Duration) int {
		h.now = apptest.Now.Add(at)
		b.Status(500, "")
		_ = h.send(d, words)
		return len(h.devices(d.Person))
	}
	const week = 7 * 24 * time.Hour
	if fail(0) != 1 || fail(week-time.Second) != 1 {
		t.Fatal("removed before its time")
	}
	b.Answer(nil)
	if f := h.send(d, words); f != nil {
		t.Fatal(f)
	}
	if fail(week) != 1 || fail(2*week-time.Second) != 1 {
		t.Fatal("removed though a message was taken meanwhile")
	}
	if fail(2*week) != 0 {
		t.Error("it is still there")
	}
}

// Where an endpoint leads is found out when it is dialled, and no word of the other side's is followed or waited for.
func TestEndpointsLeadNowhereElse(t *testing.T) {
	h := newHouse(t)
	b, d := h.device()
	elsewhere := 0
	b.Answer(func(w http.ResponseWriter, r *http.Request) {
		elsewhere++
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
	})
	if f := h.send(d, words); f == nil || f.Why != "redirect" || elsewhere != 1 {
		t.Errorf("%+v, asked %d times", f, elsewhere)
	}
	b.Answer(func(w http.ResponseWriter, _ *http.Request) { // an answer without end
		w.WriteHeader(http.StatusCreated)
		for range 10_000 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
		t.Error("the whole answer was read")
	})
	if f := h.send(d, words); f != nil {
		t.Errorf("taken, with a long answer: %v", f)
	}
	b.Answer(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 1000 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1000))
		}
	})
	if f := h.send(d, words); f == nil || f.Status != 0 {
		t.Errorf("a megabyte of headers: %v", f)
	}
	h.now = h.now.Add(time.Hour)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	b.Answer(func(http.ResponseWriter, *http.Request) { <-release })
	h.s.Impatient(50 * time.Millisecond)
	began := time.Now()
	if f := h.send(d, words); f == nil || f.Why != "timeout" || time.Since(began) > 5*time.Second {
		t.Errorf("no answer: %v after %s", f, time.Since(began))
	}

	// Nothing is allowed, as in a service that runs: a name that leads here is not called.
	h.now = h.now.Add(time.Hour)
	h.s.Guard = egress.Guard{}
	person, session := h.somebody()
	asked := b.Asked()
	n := named(person, session, h.browser())
	n.Endpoint = strings.Replace(b.Endpoint, "127.0.0.1", "localhost", 1)
	if f := h.send(h.add(n), words); f == nil || f.Why != "own_network" || b.Asked() != asked {
		t.Errorf("by a name of this machine: %+v", f)
	}
	for endpoint, code := range map[string]string{
		"http://push.example.com/x": "not_https", "https://127.0.0.1/x": "own_network", "https://[::1]:8443/x": "own_network", "https://10.0.0.1/x": "own_network",
		"https://[::ffff:192.168.0.1]/": "own_network", "https://user:pass@push.example.com/x": "url_with_user", "https://push.example.com/x#f": "bad_url", "": "bad_url",
		"https:push.example.com": "bad_url", "javascript:alert(1)": "bad_url", "ftp://push.example.com/": "not_https", "https://push.example.com/" + strings.Repeat("x", 2000): "bad_url",
	} {
		n.Endpoint = endpoint
		_, err := h.s.Add(t.Context(), n)
		if f, ok := fault.As(err); !ok || f.Code != code || f.Field != "endpoint" {
			t.Errorf("%.40s: %v", endpoint, err)
		}
	}
	h.s.Guard = h.out.Guard() // also who is allowed in the own network speaks TLS
	n.Endpoint = strings.Replace(b.Endpoint, "https://", "http://", 1)
	if f, ok := fault.As(func() error { _, err := h.s.Add(t.Context(), n); return err }()); !ok || f.Code != "not_https" {
		t.Errorf("http, allowed: %v", f)
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	h := newHouse(t)
	person, session := h.somebody()
	good := named(person, session, h.browser())
	point, err := base64.RawURLEncoding.DecodeString(good.P256dh)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	off := bytes.Clone(point)
	off[64] ^= 1
	compressed := append([]byte{2 + point[64]&1}, point[1:33]...)
	hybrid := append([]byte{6 + point[64]&1}, point[1:]...)
	for what, bad := range map[string]func(n *push.New){
		"p256dh off the curve": func(n *push.New) { n.P256dh = encode(off) }, "p256dh short": func(n *push.New) { n.P256dh = encode(point[:64]) },
		"p256dh long": func(n *push.New) { n.P256dh = encode(append(bytes.Clone(point), 0)) }, "p256dh compressed": func(n *push.New) { n.P256dh = encode(compressed) },
		"p256dh hybrid": func(n *push.New) { n.P256dh = encode(hybrid) }, "p256dh infinity": func(n *push.New) { n.P256dh = encode([]byte{0}) },
		"p256dh zero": func(n *push.New) { n.P256dh = encode(make([]byte, 65)) }, "p256dh none": func(n *push.New) { n.P256dh = "" },
		"p256dh no base64": func(n *push.New) { n.P256dh = strings.Repeat("!", 87) }, "p256dh huge": func(n *push.New) { n.P256dh = strings.Repeat("A", 1<<20) },
		"auth short": func(n *push.New) { n.Auth = encode(make([]byte, 15)) }, "auth long": func(n *push.New) { n.Auth = encode(make([]byte, 17)) },
		"auth none": func(n *push.New) { n.Auth = "" }, "auth no base64": func(n *push.New) { n.Auth = "……" },
	} {
		n := good
		bad(&n)
		_, err := h.s.Add(t.Context(), n)
		if f, ok := fault.As(err); !ok || f.Kind != fault.KindInvalid || f.Code != "bad_key" || f.Field != "keys."+strings.Fields(what)[0] {
			t.Errorf("%s: %v", what, err)
		}
	}
	n := good
	n.Language = "fr"
	if f, ok := fault.As(func() error { _, err := h.s.Add(t.Context(), n); return err }()); !ok || f.Field != "language" {
		t.Errorf("French: %v", f)
	}
	if n := h.query(`SELECT count(*) FROM push_subscription`); n != 0 {
		t.Errorf("%d were kept", n)
	}
	// The other alphabet, padded, is the same key.
	n = good
	n.P256dh, n.Auth = base64.StdEncoding.EncodeToString(point), good.Auth+"=="
	h.add(n)
}

// A device that its page names again stays one; another person's becomes this one's by another id, as what is under way to the first is
// not this one's to see.
func TestDeviceIsOfWhoNamedItLast(t *testing.T) {
	h := newHouse(t)
	b, first := h.device()
	h.now = h.now.Add(time.Hour)
	_, later := h.somebody()
	again := named(first.Person, first.Session, b)
	again.Language = "en"
	same := h.add(again)
	if same.ID != first.ID || !same.MadeAt.Equal(first.MadeAt) || !same.SaidAt.Equal(h.now) || same.Language != "en" {
		t.Errorf("%+v, was %+v", same, first)
	}
	if n := h.query(`SELECT count(*) FROM audit WHERE act = 'push.add'`); n != 1 {
		t.Errorf("%d records of one device", n)
	}
	again.Session = later // another's
	if _, err := h.s.Add(t.Context(), again); !fault.Is(err, fault.KindUnauthenticated) {
		t.Errorf("in another's session: %v", err)
	}
	b.Status(500, "")
	_ = h.send(first, words)
	b.Answer(nil)
	person, session := h.somebody()
	moved := h.add(named(person, session, b))
	if moved.ID == first.ID || len(h.devices(first.Person)) != 0 || moved.FailingSince != nil || h.devices(person)[0].FailingSince != nil {
		t.Errorf("%+v", moved)
	}
	if _, err := h.s.Device(t.Context(), first.Person, first.ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("what is under way to the first finds %v", err)
	}
	if _, err := h.s.Device(t.Context(), first.Person, moved.ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("the first has another's: %v", err)
	}
	if err := h.s.Remove(t.Context(), first.Person, moved.ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("the first removes another's: %v", err)
	}
	if err := h.s.Remove(t.Context(), person, moved.ID); err != nil || len(h.devices(person)) != 0 {
		t.Error(err)
	}
}

// A person has ten devices at most, also who adds several at once: those that were named last.
func TestTenDevicesAtMost(t *testing.T) {
	h := newHouse(t)
	person, session := h.somebody()
	first := h.add(named(person, session, h.browser()))
	kept := h.browser()
	h.add(named(person, session, kept))
	var tick atomic.Int64
	h.s.Now = func() time.Time { return apptest.Now.Add(time.Duration(tick.Add(1)) * time.Millisecond) }
	h.add(named(person, session, kept)) // named again
	var all sync.WaitGroup
	for range 9 {
		n := named(person, session, h.browser())
		all.Go(func() {
			if _, err := h.s.Add(context.WithoutCancel(t.Context()), n); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list := h.devices(person)
	if len(list) != push.Most {
		t.Fatalf("%d devices", len(list))
	}
	for _, d := range list {
		if d.ID == first.ID {
			t.Error("the one that was named the longest ago is still there")
		}
	}
}

// A push service that does not answer is left alone for a while, longer each time, and holds up no other.
func TestSilentPushServicesAreLeftAlone(t *testing.T) {
	h := newHouse(t)
	_, d := h.device()
	down := h.out
	h.out = pushtest.New(t)
	roots := h.out.Guard().Roots
	h.s.Roots = roots
	up, well := h.device()
	down.Close()
	if f := h.send(d, words); f == nil || f.Why != "unreachable" || f.Wait != 0 {
		t.Fatalf("%+v", f)
	}
	if f := h.send(d, words); f == nil || f.Wait != time.Minute {
		t.Errorf("at once again: %+v", f)
	}
	if f := h.send(well, words); f != nil || len(up.Got()) != 1 {
		t.Errorf("another one: %v", f)
	}
	h.now = h.now.Add(time.Minute)
	if f := h.send(d, words); f == nil || f.Wait != 0 {
		t.Errorf("after a minute it is not asked: %+v", f)
	}
	if f := h.send(d, words); f == nil || f.Wait != 2*time.Minute {
		t.Errorf("the second time: %+v", f)
	}
	for range 10 {
		h.now = h.now.Add(time.Hour)
		_ = h.send(d, words)
	}
	if f := h.send(d, words); f == nil || f.Wait != 30*time.Minute {
		t.Errorf("in the end: %+v", f)
	}
	// Who asked has left: that says nothing of the other side.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.s.Send(ctx, &well, words); err == nil {
		t.Error("broken off, and sent")
	}
	if f := h.send(well, words); f != nil {
		t.Errorf("after one that was broken off: %v", f)
	}
}

func TestTestsAreFew(t *testing.T) {
	h := newHouse(t)
	b, d := h.device()
	say := func(*push.Device) ([]byte, error) { return words.Payload, nil }
	test := func(d push.Device) (*push.Failure, error) { return h.s.Test(t.Context(), d.Person, d.ID, say) }
	if f, err := test(d); f != nil || err != nil || len(b.Got()) != 1 {
		t.Fatal(f, err)
	}
	h.now = h.now.Add(4 * time.Second)
	if f, ok := fault.As(func() error { _, err := test(d); return err }()); !ok || f.Kind != fault.KindTooMany || f.RetryAfter != 6*time.Second {
		t.Errorf("again: %v", f)
	}
	_, other := h.device()
	if f, err := test(other); f != nil || err != nil {
		t.Errorf("somebody else: %v, %v", f, err)
	}
	h.now = h.now.Add(6 * time.Second)
	b.Status(410, "")
	if f, err := test(d); err != nil || f == nil || f.Why != "gone" || len(h.devices(d.Person)) != 0 {
		t.Errorf("a device that is no more: %v, %v", f, err)
	}
	if _, err := test(d); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("and again: %v", err)
	}
}

// What ends a session, or an account, comes after a device or before it: none is left behind.
func TestNoDeviceOutlivesWhatEndsIt(t *testing.T) {
	h := newHouse(t)
	for range 20 {
		token, person := apptest.SignIn(t, h.c)
		id, err := h.c.Auth.Identify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		n := named(person, id.Session, h.browser())
		var both sync.WaitGroup
		both.Go(func() { _, _ = h.s.Add(context.WithoutCancel(t.Context()), n) }) // or it is refused
		both.Go(func() {
			if err := h.c.Auth.SignOut(context.WithoutCancel(t.Context()), token); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if list := h.devices(person); len(list) != 0 {
			t.Fatal("a device outlives its session")
		}
	}
}

// Demos call nobody.
func TestDemosTellNoDevice(t *testing.T) {
	h := newHouse(t)
	b, d := h.device()
	h.s.Demo = true
	if err := h.s.Send(t.Context(), &d, words); !fault.Is(err, fault.KindForbidden) || b.Asked() != 0 {
		t.Errorf("%v", err)
	}
	if _, err := h.s.Add(t.Context(), named(d.Person, d.Session, b)); !fault.Is(err, fault.KindForbidden) {
		t.Errorf("%v", err)
	}
	if _, err := h.s.Key(t.Context()); !fault.Is(err, fault.KindForbidden) {
		t.Errorf("%v", err)
	}
	err := pgx.BeginFunc(t.Context(), h.c.Pool, func(tx pgx.Tx) error { return push.Forget(t.Context(), tx, d.Person, uuid.Nil) })
	if err != nil || len(h.devices(d.Person)) != 0 {
		t.Error(err)
	}
}

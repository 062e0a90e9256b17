package auth_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pquerna/otp/totp"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// sealer is a small real one.
type sealer struct{ cipher.AEAD }

func newSealer(t testing.TB) sealer {
	b, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	return sealer{a}
}

func (s sealer) Seal(label string, plain []byte) ([]byte, error) {
	nonce := make([]byte, s.NonceSize())
	_, _ = rand.Read(nonce)
	return s.AEAD.Seal(nonce, nonce, plain, []byte(label)), nil
}

func (s sealer) Open(label string, sealed []byte) ([]byte, error) {
	if len(sealed) < s.NonceSize() {
		return nil, errors.New("too short")
	}
	return s.AEAD.Open(nil, sealed[:s.NonceSize()], sealed[s.NonceSize():], []byte(label))
}

// world is a city with a clock of its own.
type world struct {
	testing.TB
	*auth.Service
	people *person.Service
	pool   *pgxpool.Pool
	clock  *clock
	cfg    auth.Config
}

func newWorld(t testing.TB, change ...func(*auth.Config)) *world {
	t.Helper()
	_, pool, code := pgtest.City(t)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)} // noon
	writer := &feed.Writer{}
	people := &person.Service{Pool: pool, Feed: writer, Now: c.now, Zone: zone}
	cfg := auth.Config{Pool: pool, Feed: writer, People: people, Now: c.now, Sealer: newSealer(t), City: code}
	for _, f := range change {
		f(&cfg)
	}
	w := &world{TB: t, people: people, pool: pool, clock: c, cfg: cfg}
	w.Service = w.node()
	return w
}

// node is another node of the same service.
func (w *world) node() *auth.Service {
	s := auth.New(w.cfg).Cheap()
	w.Cleanup(s.Close)
	return s
}

const password = "correct horse battery staple"

// user makes a person with an account.
func (w *world) user(login string) uuid.UUID {
	w.Helper()
	p, err := w.people.Create(context.Background(), person.New{Name: "人 " + login})
	w.ok(err)
	made, err := w.CreateAccount(context.Background(), auth.NewAccount{Person: p.ID, Login: login, Password: password})
	w.ok(err)
	if made != "" {
		w.Error("a password that was given is told")
	}
	return p.ID
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) post(who uuid.UUID, role policy.Role, a policy.Area, from, to person.Day) person.Post {
	w.Helper()
	p, err := w.people.CreatePost(context.Background(), person.Post{Person: who, Role: role, Area: a, Begins: from, Ends: to})
	w.ok(err)
	return p
}

func (w *world) in(login string) auth.SignedIn {
	w.Helper()
	in, err := w.SignIn(context.Background(), auth.Attempt{Login: login, Password: password, Address: "192.0.2.1"})
	w.ok(err)
	return in
}

func (w *world) refused(err error, code string) {
	w.Helper()
	_ = w.heard(err, code)
}

func (w *world) heard(err error, code string) *fault.Error {
	w.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		w.Fatalf("error %v, want %s", err, code)
	}
	return f
}

var (
	wholeCity = policy.Area{Level: policy.City, Code: "330481"}
	grid      = policy.Area{Level: policy.Grid, Code: "330481101001001"}
)

func TestSignInAndOut(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang.fang")
	w.post(who, policy.GridWorker, grid, "2026-01-01", "")
	in, err := w.SignIn(ctx, auth.Attempt{Login: " Wang.Fang ", Password: password, Address: "192.0.2.1", Agent: "a\x00\xffb"})
	w.ok(err)
	id := in.Identity
	if id.Person != who || id.Login != "wang.fang" || id.Name != "人 wang.fang" || id.Session == uuid.Nil || id.Token != uuid.Nil || id.MustChange || id.Actor.Only != nil {
		t.Errorf("%+v", id)
	}
	reach := id.Actor.Reach(policy.ReportView, w.clock.now())
	if len(reach.Areas) != 1 || reach.Areas[0] != grid || reach.City {
		t.Errorf("%+v", reach)
	}
	if want := w.clock.now().Add(auth.DefaultLimits.Idle); !id.Ends.Equal(want) {
		t.Errorf("ends %v, want %v", id.Ends, want)
	}
	list, err := w.Sessions(ctx, who)
	w.ok(err)
	if len(list) != 1 || list[0].Agent != "ab" || list[0].Address != "192.0.2.1" || list[0].ID != id.Session {
		t.Errorf("%+v", list)
	}
	// The token is nowhere in the database.
	var found int
	w.ok(w.pool.QueryRow(ctx, `SELECT count(*) FROM session s WHERE s::text LIKE '%' || $1 || '%' OR encode(s.hash, 'base64') LIKE $1 || '%'`, in.Token).Scan(&found))
	if found != 0 {
		t.Error("the token itself is kept")
	}
	// Signing in again ends the session that came along: a token planted before does not become the person's.
	again, err := w.SignIn(ctx, auth.Attempt{Login: "wang.fang", Password: password, OldToken: in.Token, Device: in.Device})
	w.ok(err)
	if again.Token == in.Token || again.Device != in.Device {
		t.Error("the token stays, or the device does not")
	}
	_, err = w.Identify(ctx, in.Token)
	w.refused(err, "no_session")
	w.ok(w.SignOut(ctx, again.Token))
	_, err = w.Identify(ctx, again.Token)
	w.refused(err, "no_session")
	w.ok(w.SignOut(ctx, again.Token))
	for _, token := range []string{"", "x", strings.Repeat("A", 43), "ggt_" + strings.Repeat("A", 43), strings.Repeat("\x00", 43), strings.Repeat("A", 1<<20)} {
		_, err = w.Identify(ctx, token)
		w.refused(err, "no_session")
	}
}

func TestWhatAStrangerHears(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	disabled := w.user("gone")
	w.user("here")
	machine, err := w.people.Create(ctx, person.New{Name: "hotline", Machine: true})
	w.ok(err)
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: machine.ID, Login: "hotline"})
	w.ok(err)
	w.ok(w.Disable(ctx, disabled))
	heard := map[string]bool{}
	for _, login := range []string{"gone", "here", "nobody", "hotline", "not a login!", strings.Repeat("x", 1000), ""} {
		for _, p := range []string{"wrong", "", strings.Repeat("y", 1<<16)} {
			_, err := w.SignIn(ctx, auth.Attempt{Login: login, Password: p, Address: "192.0.2.7"})
			f := w.heard(err, "wrong_credentials")
			heard[f.Error()] = true
			if f.Kind != fault.KindUnauthenticated {
				t.Errorf("%v", f.Kind)
			}
		}
	}
	if len(heard) != 1 {
		t.Errorf("logins can be told apart: %v", heard)
	}
	_, err = w.SignIn(ctx, auth.Attempt{Login: "gone", Password: password, Address: "198.51.100.1"})
	w.refused(err, "account_disabled")
	w.ok(w.Enable(ctx, disabled))
	w.in("gone")
}

// However strangers guess, the person signs in on the device that is known; and whoever guesses from there is slowed too.
func TestStrangersDoNotLockOut(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.user("wang")
	first := w.in("wang")
	refusals := 0
	for i := range 100 {
		_, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: "wrong", Address: "198.51.100." + string(rune('0'+i%10))})
		if f, _ := fault.As(err); f.Kind == fault.KindTooMany {
			if f.RetryAfter <= 0 {
				t.Error("nobody says how long to wait")
			}
			refusals++
		}
	}
	if refusals < 80 {
		t.Errorf("only %d of 100 guesses were refused", refusals)
	}
	_, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Address: "203.0.113.9"})
	if err != nil {
		t.Errorf("the person from elsewhere, with guesses left for the login: %v", err)
	}
	for i := range 100 { // from everywhere
		_, _ = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: "wrong", Address: "10.1." + string(rune('0'+i%10)) + string(rune('0'+i/10)) + ".1"})
	}
	_, err = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Address: "203.0.113.9"})
	w.refused(err, "too_many_attempts")
	in, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Device: first.Device, Address: "10.1.11.1"})
	w.ok(err)
	for range auth.DefaultRates.Device.Burst {
		_, err = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: "wrong", Device: in.Device})
		w.refused(err, "wrong_credentials")
	}
	_, err = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Device: in.Device})
	w.refused(err, "too_many_attempts")
	// Another's device is a stranger's.
	w.user("li")
	li := w.in("li")
	_, err = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Device: li.Device})
	w.refused(err, "too_many_attempts")
	w.clock.add(time.Hour)
	w.in("wang")
}

func TestSessionsEnd(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	valid := func(token string, want bool) {
		t.Helper()
		w.Forget()
		_, err := w.Identify(ctx, token)
		if (err == nil) != want || err != nil && !errors.Is(err, auth.ErrNoSession) {
			t.Errorf("valid: %v, want %v", err, want)
		}
	}
	in := w.in("wang")
	used := w.in("wang")
	for range 20 { // used every seven hours
		w.clock.add(7 * time.Hour)
		valid(used.Token, true)
		w.Close() // what is written in the background is written
	}
	valid(in.Token, false) // idle for long
	w.clock.add(auth.DefaultLimits.Absolute - 140*time.Hour - time.Second)
	valid(used.Token, false) // idle for a day, near the absolute end
	used = w.in("wang")
	for range 23 {
		w.clock.add(7 * time.Hour)
		valid(used.Token, true)
		w.Close()
	}
	w.clock.add(7*time.Hour - time.Second)
	valid(used.Token, true)
	w.clock.add(time.Second)
	valid(used.Token, false) // the absolute end

	w.post(who, policy.Administrator, wholeCity, "2026-01-01", "")
	admin := w.in("wang")
	w.clock.add(auth.DefaultLimits.AdminIdle - time.Second)
	valid(admin.Token, true)
	w.Close()
	w.clock.add(auth.DefaultLimits.AdminIdle)
	valid(admin.Token, false)

	a, b, c := w.in("wang"), w.in("wang"), w.in("wang")
	w.ok(w.EndSession(ctx, who, a.Identity.Session))
	valid(a.Token, false)
	w.refused(w.EndSession(ctx, uuid.New(), b.Identity.Session), "not_found") // another's
	valid(b.Token, true)
	n, err := w.EndOthers(ctx, who, c.Identity.Session)
	w.ok(err)
	if n != 1+1 { // b, and the administrator's, which is idle but there
		t.Errorf("%d others ended", n)
	}
	valid(b.Token, false)
	valid(c.Token, true)
	w.ok(w.DisableAny(ctx, who))
	valid(c.Token, false)
	w.ok(w.Enable(ctx, who))
	valid(c.Token, false) // ended for good
}

func TestPasswords(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	a, b := w.in("wang"), w.in("wang")
	const next = "staple battery horse correct"
	w.refused(w.ChangePassword(ctx, a.Identity, "", "wrong", next), "wrong_password")
	w.refused(w.ChangePassword(ctx, a.Identity, "", password, "short"), "too_short")
	w.refused(w.ChangePassword(ctx, a.Identity, "", password, password), "same_password")
	w.ok(w.ChangePassword(ctx, a.Identity, "", password, next))
	if _, err := w.Identify(ctx, a.Token); err != nil {
		t.Errorf("the session in which it was changed: %v", err)
	}
	_, err := w.Identify(ctx, b.Token)
	w.refused(err, "no_session")
	_, err = w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password})
	w.refused(err, "wrong_credentials")

	once, err := w.ResetPassword(ctx, who)
	w.ok(err)
	_, err = w.Identify(ctx, a.Token)
	w.refused(err, "no_session")
	w.post(who, policy.Administrator, wholeCity, "2026-01-01", "")
	in, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: once})
	w.ok(err)
	may := func(a policy.Action) bool {
		id, err := w.Identify(ctx, in.Token)
		w.ok(err)
		r := id.Actor.Reach(a, w.clock.now())
		return !r.Empty()
	}
	if !in.Identity.MustChange || may(policy.PersonEdit) || !may(policy.AccountOwn) {
		t.Error("who has to change the password may do more, or not even that")
	}
	w.ok(w.ChangePassword(ctx, in.Identity, "", once, next))
	if !may(policy.PersonEdit) {
		t.Error("the changed password does not set free")
	}
	for range 20 {
		err = w.ChangePassword(ctx, in.Identity, "", "wrong", password)
	}
	w.refused(err, "too_many_attempts")

	for login, code := range map[string]string{"wang": "account_exists", "": "bad_login", "a b": "bad_login", "-a": "bad_login", "../x": "bad_login"} {
		p, err := w.people.Create(ctx, person.New{Name: "x"})
		w.ok(err)
		_, err = w.CreateAccount(ctx, auth.NewAccount{Person: p.ID, Login: login})
		w.refused(err, code)
	}
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: who, Login: "wang2"})
	w.refused(err, "account_exists")
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	in := w.in("wang")
	set, err := w.BeginTOTP(ctx, in.Identity)
	w.ok(err)
	code := func() string {
		c, err := totp.GenerateCode(set.Secret, w.clock.now())
		w.ok(err)
		return c
	}
	if _, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password}); err != nil {
		t.Errorf("a factor that is not confirmed is asked for: %v", err)
	}
	_, err = w.ConfirmTOTP(ctx, in.Identity, "000000")
	w.refused(err, "wrong_code")
	recovery, err := w.ConfirmTOTP(ctx, in.Identity, code())
	w.ok(err)
	if len(recovery) != 10 {
		t.Errorf("%d recovery codes", len(recovery))
	}
	sign := func(c string) error {
		_, err := w.SignIn(ctx, auth.Attempt{Login: "wang", Password: password, Code: c, Device: in.Device})
		return err
	}
	w.refused(sign(""), "code_needed")
	if f := w.heard(sign(code()), "wrong_credentials"); f.Field != "code" { // it confirmed the factor already
		t.Error("a code used before is not said to be wrong")
	}
	w.clock.add(30 * time.Second)
	c := code()
	w.ok(sign(c))
	w.refused(sign(c), "wrong_credentials")
	w.clock.add(30 * time.Second)
	w.refused(sign(c), "wrong_credentials") // within the skew, yet used
	w.clock.add(29 * time.Second)
	late := code()
	w.clock.add(30 * time.Second)
	w.ok(sign(late)) // a step late
	w.clock.add(2 * time.Minute)
	old := code()
	w.clock.add(time.Minute)
	w.refused(sign(old), "wrong_credentials")
	w.ok(sign(strings.ToUpper(recovery[3])))
	w.refused(sign(recovery[3]), "wrong_credentials")
	w.clock.add(time.Hour) // enough wrong codes for now
	fresh, err := w.NewRecoveryCodes(ctx, in.Identity, code())
	w.ok(err)
	w.refused(sign(recovery[4]), "wrong_credentials")
	w.ok(sign(fresh[0]))

	// One code, many at once: one gets in.
	w.clock.add(time.Hour)
	c = code()
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { errs[i] = sign(c) })
	}
	wg.Wait()
	got := 0
	for _, err := range errs {
		if err == nil {
			got++
		}
	}
	if got != 1 {
		t.Errorf("one code opened %d sessions", got)
	}

	// Sealed, and of this person alone.
	var sealed []byte
	w.ok(w.pool.QueryRow(ctx, `SELECT totp FROM account WHERE person_id = $1`, who).Scan(&sealed))
	if _, err := w.cfg.Sealer.Open("totp:"+uuid.NewString(), sealed); err == nil {
		t.Error("the secret opens under another's label")
	}
	n, err := w.Reseal(ctx)
	w.ok(err)
	var anew []byte
	w.ok(w.pool.QueryRow(ctx, `SELECT totp FROM account WHERE person_id = $1`, who).Scan(&anew))
	if n != 1 || string(anew) == string(sealed) {
		t.Errorf("%d secrets sealed anew", n)
	}
	w.clock.add(time.Hour)
	w.ok(sign(code()))
	w.clock.add(time.Hour)
	w.refused(w.RemoveTOTP(ctx, in.Identity, "", "wrong"), "wrong_password")
	w.ok(w.RemoveTOTP(ctx, in.Identity, "", password))
	w.ok(sign(""))

	noKey := newWorld(t, func(c *auth.Config) { c.Sealer = nil })
	noKey.user("wang")
	_, err = noKey.BeginTOTP(ctx, noKey.in("wang").Identity)
	w.refused(err, "key_missing")
}

func TestAdministratorsNeedTheSecondFactorWhereTheCitySaysSo(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	w.post(who, policy.Administrator, wholeCity, "2026-01-01", "")
	w.user("li")
	w.ok(w.SetSettings(ctx, auth.Settings{RequireTOTPAdmin: true}))
	set, err := w.Settings(ctx)
	w.ok(err)
	if !set.RequireTOTPAdmin || set.PublicMap {
		t.Errorf("%+v", set)
	}
	in, li := w.in("wang"), w.in("li")
	edit := in.Identity.Actor.Reach(policy.PersonEdit, w.clock.now())
	if !in.Identity.NeedsTOTP || !edit.Empty() || li.Identity.NeedsTOTP {
		t.Errorf("%+v %+v", in.Identity, li.Identity)
	}
	setup, err := w.BeginTOTP(ctx, in.Identity)
	w.ok(err)
	c, err := totp.GenerateCode(setup.Secret, w.clock.now())
	w.ok(err)
	_, err = w.ConfirmTOTP(ctx, in.Identity, c)
	w.ok(err)
	id, err := w.Identify(ctx, in.Token)
	w.ok(err)
	if edit := id.Actor.Reach(policy.PersonEdit, w.clock.now()); edit.Empty() || id.NeedsTOTP {
		t.Error("the second factor does not set free")
	}
}

func TestVisitorsSeeAnOpenedMap(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	may := func() bool {
		v, err := w.Visitor(ctx)
		w.ok(err)
		r := v.Reach(policy.CityView, w.clock.now())
		return !r.Empty()
	}
	if may() {
		t.Error("a city is open by default")
	}
	w.ok(w.node().SetSettings(ctx, auth.Settings{PublicMap: true}))
	w.clock.add(5 * time.Second)
	if !may() {
		t.Error("an opened city is closed after 5 s")
	}
}

func TestTokensOfMachines(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	m, err := w.people.Create(ctx, person.New{Name: "12345", Machine: true})
	w.ok(err)
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: m.ID, Login: "hotline", Password: password})
	w.refused(err, "machine_password")
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: m.ID, Login: "hotline"})
	w.ok(err)
	w.post(m.ID, policy.Hotline, wholeCity, "2026-01-01", "")
	n := auth.NewToken{Person: m.ID, Name: "n", Scopes: []policy.Action{policy.ReportFile}, ExpiresAt: w.clock.now().Add(24 * time.Hour)}
	for code, change := range map[string]func(*auth.NewToken){
		"unknown_scope": func(n *auth.NewToken) { n.Scopes = []policy.Action{"report.*"} },
		"required":      func(n *auth.NewToken) { n.Scopes = nil },
		"twice":         func(n *auth.NewToken) { n.Scopes = append(n.Scopes, n.Scopes...) },
		"in_the_past":   func(n *auth.NewToken) { n.ExpiresAt = w.clock.now() },
		"too_late":      func(n *auth.NewToken) { n.ExpiresAt = w.clock.now().AddDate(0, 0, 401) },
		"bad_name":      func(n *auth.NewToken) { n.Name = " " },
		"not_a_machine": func(n *auth.NewToken) { n.Person = w.user("wang") },
		"not_found":     func(n *auth.NewToken) { n.Person = uuid.New() },
	} {
		bad := n
		change(&bad)
		_, _, err := w.CreateToken(ctx, bad)
		w.refused(err, code)
	}
	secret, token, err := w.CreateToken(ctx, n)
	w.ok(err)
	if !strings.HasPrefix(secret, auth.TokenPrefix) {
		t.Errorf("%s", secret)
	}
	id, err := w.Identify(ctx, secret)
	w.ok(err)
	now := w.clock.now()
	file, view := id.Actor.Reach(policy.ReportFile, now), id.Actor.Reach(policy.ReportView, now)
	if id.Token != token.ID || id.Session != uuid.Nil || file.Empty() || !view.Empty() {
		t.Errorf("%+v: file %+v, view %+v", id, file, view)
	}
	w.clock.add(24*time.Hour - time.Second)
	_, err = w.Identify(ctx, secret)
	w.ok(err)
	w.clock.add(time.Second)
	_, err = w.Identify(ctx, secret)
	w.refused(err, "no_session")

	n.ExpiresAt = w.clock.now().Add(time.Hour)
	secret, token, err = w.CreateToken(ctx, n)
	w.ok(err)
	w.ok(w.Disable(ctx, m.ID))
	_, err = w.Identify(ctx, secret)
	w.refused(err, "no_session")
	w.ok(w.Enable(ctx, m.ID))
	_, err = w.Identify(ctx, secret)
	w.ok(err)
	w.ok(w.RevokeToken(ctx, token.ID))
	_, err = w.Identify(ctx, secret)
	w.refused(err, "no_session")
	w.refused(w.RevokeToken(ctx, token.ID), "not_found")
	list, err := w.Tokens(ctx, m.ID)
	w.ok(err)
	all, err := w.Tokens(ctx, uuid.Nil)
	w.ok(err)
	if len(list) != 2 || len(all) != 2 || list[0].RevokedAt == nil {
		t.Errorf("%+v", list)
	}
}

func TestOneOfManyNodesMakesTheFirstAdministrator(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var passwords []string
	for range 6 {
		node := w.node()
		wg.Go(func() {
			login, p, made, err := node.FirstAdministrator(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || login != "admin" || made != (p != "") {
				t.Error(login, made, err)
			}
			if made {
				passwords = append(passwords, p)
			}
		})
	}
	wg.Wait()
	if len(passwords) != 1 {
		t.Fatalf("%d nodes made one", len(passwords))
	}
	in, err := w.SignIn(ctx, auth.Attempt{Login: "admin", Password: passwords[0]})
	w.ok(err)
	if !in.Identity.MustChange {
		t.Error("the one-time password need not be changed")
	}
	var people int
	w.ok(w.pool.QueryRow(ctx, `SELECT count(*) FROM person`).Scan(&people))
	if people != 1 {
		t.Errorf("%d people", people)
	}
}

// Who comes first is called in the language that the city's name is in.
func TestTheFirstAdministratorHasANameOfTheCitysLanguage(t *testing.T) {
	for city, want := range map[string]string{"海宁市": "管理员", "Haining 海宁": "管理员", "Washington": "Administrator", "": "Administrator"} {
		w := newWorld(t, func(c *auth.Config) { c.Name = city })
		login, _, _, err := w.FirstAdministrator(t.Context())
		w.ok(err)
		a, err := w.AccountNamed(t.Context(), login)
		w.ok(err)
		if a.Name != want {
			t.Errorf("of %q the first administrator is called %s, want %s", city, a.Name, want)
		}
	}
}

func TestSettingsAreChangedOneByOne(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	acts := func() (n int) {
		w.ok(w.pool.QueryRow(ctx, `SELECT count(*) FROM audit WHERE act = 'setting.change'`).Scan(&n))
		return n
	}
	w.ok(w.SetSettings(ctx, auth.Settings{RequireTOTPAdmin: true}))
	w.ok(w.ChangeSettings(ctx, map[string]bool{"public_map": true}))
	w.ok(w.ChangeSettings(ctx, map[string]bool{"public_map": true, "resident_reports": false}))
	w.ok(w.ChangeSettings(ctx, nil))
	if set, err := w.Settings(ctx); err != nil || set != (auth.Settings{RequireTOTPAdmin: true, PublicMap: true}) || acts() != 2 {
		t.Errorf("%+v %v, %d acts", set, err, acts())
	}
	w.refused(w.ChangeSettings(ctx, map[string]bool{"public_map": false, "message_smtp": true}), "unknown_setting")
	if set, err := w.Settings(ctx); err != nil || !set.PublicMap {
		t.Errorf("%+v %v", set, err)
	}
}

// An account and a post for somebody who is there come together or not at all.
func TestAnAccountForSomebodyWhoIsThere(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p, err := w.people.Create(ctx, person.New{Name: "王芳"})
	w.ok(err)
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: p.ID, Login: "wang", Password: password}, person.Post{Role: policy.Hotline, Area: wholeCity})
	w.refused(err, "role_of_machines")
	if _, err := w.Account(ctx, p.ID); err == nil {
		t.Error("there is an account without its post")
	}
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: p.ID, Login: "wang", Password: password}, person.Post{Role: policy.Planner, Area: wholeCity})
	w.ok(err)
	if in := w.in("wang"); in.Identity.Person != p.ID || len(in.Identity.Actor.Posts) != 1 || in.Identity.Actor.Posts[0].Role != policy.Planner {
		t.Errorf("%+v", in.Identity)
	}
}

func TestDemoAccounts(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.Demo = true })
	ctx := t.Context()
	city := auth.DemoCity{City: auth.DemoArea{Code: "330481", Name: "海宁市", NameEN: "Haining"}, Town: auth.DemoArea{Code: "330481101", Name: "许村镇", NameEN: "Xucun"},
		Village: auth.DemoArea{Code: "330481101001"}, Grid: auth.DemoArea{Code: grid.Code}, Microgrid: auth.DemoArea{Code: grid.Code + "01"}, Password: "haining demo 4 all"}
	var wg sync.WaitGroup
	for range 3 {
		node := w.node()
		wg.Go(func() {
			if err := node.MakeDemoAccounts(ctx, city); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.ok(w.MakeDemoAccounts(ctx, city))
	list, err := w.DemoAccounts(ctx)
	w.ok(err)
	var roles []policy.Role
	for _, r := range policy.Roles {
		if r == policy.Committee {
			roles = append(roles, r) // of the city, before that of the town
		}
		if !r.IsMachine() {
			roles = append(roles, r)
		}
	}
	if len(list) != len(roles) {
		t.Fatalf("%d accounts for %d roles: %+v", len(list), len(roles), list)
	}
	for i, d := range list {
		if d.Role != roles[i] || d.Login != string(d.Role) && d.Login != auth.CityCommittee || i > 0 && d.Login == list[i-1].Login || d.Name == "" || d.Place == "" {
			t.Errorf("%+v", d)
		}
		in, err := w.SignIn(ctx, auth.Attempt{Login: d.Login, Password: city.Password, Address: "192.0.2.1"})
		w.ok(err)
		if in.Identity.MustChange || !in.Identity.Demo || len(in.Identity.Actor.Posts) != 1 {
			t.Errorf("%+v", in.Identity)
		}
		w.refused(w.ChangePassword(ctx, in.Identity, "", city.Password, password), "demo_account")
		_, err = w.BeginTOTP(ctx, in.Identity)
		w.refused(err, "demo_account")
	}
	// The demand of a second factor, which they cannot have, shuts nobody out but administrators of one's own.
	who := w.user("wang")
	w.post(who, policy.Administrator, policy.Area{Level: policy.City, Code: "330481"}, "2026-01-01", "")
	w.ok(w.SetSettings(ctx, auth.Settings{RequireTOTPAdmin: true}))
	for login, needs := range map[string]bool{"administrator": false, "wang": true} {
		in, err := w.SignIn(ctx, auth.Attempt{Login: login, Password: map[bool]string{false: city.Password, true: password}[needs]})
		w.ok(err)
		if edit := in.Identity.Actor.Reach(policy.SettingEdit, w.clock.now()); in.Identity.NeedsTOTP != needs || edit.Empty() != needs {
			t.Errorf("%s: %+v", login, in.Identity)
		}
	}
	in, err := w.SignIn(ctx, auth.Attempt{Login: "desk", Password: city.Password})
	w.ok(err)
	// The same rows in a city that is real.
	w.cfg.Demo = false
	real := w.node()
	_, err = real.Identify(ctx, in.Token)
	w.refused(err, "no_session")
	_, err = real.SignIn(ctx, auth.Attempt{Login: "desk", Password: city.Password})
	w.refused(err, "wrong_credentials")
	w.refused(real.MakeDemoAccounts(ctx, city), "not_a_demo")
	if list, err := real.DemoAccounts(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// Not a word of an erased person is left in any table, and nothing of hers opens a door.
func TestErasedPeopleLeaveNoWord(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who, _, err := w.CreateUser(ctx, person.New{Name: "CANARY 王芳", Phone: "+86 13900009999", Email: "canary@example.org"},
		auth.NewAccount{Login: "canary-wang", Password: password}, person.Post{Role: policy.Planner, Area: wholeCity, Certificate: "CANARY-1"})
	w.ok(err)
	in, err := w.SignIn(ctx, auth.Attempt{Login: "canary-wang", Password: password, Address: "192.0.2.99", Agent: "CANARY browser"})
	w.ok(err)
	w.ok(w.Erase(ctx, who))
	w.ok(w.Erase(ctx, who))
	var tables []string
	w.ok(w.pool.QueryRow(ctx, `SELECT array_agg(relname::text) FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')`).Scan(&tables))
	if len(tables) < 10 {
		t.Fatalf("only %v are searched", tables)
	}
	for _, table := range tables {
		words := `canary|王芳|1390000|192.0.2.99`
		if table == "audit" { // from where somebody acted stays on record, for good
			words = `canary|王芳|1390000`
		}
		var n int
		w.ok(w.pool.QueryRow(ctx, `SELECT count(*) FROM `+table+` t WHERE t::text ~* $1`, words).Scan(&n))
		if n != 0 {
			t.Errorf("%d rows of %s tell of the person", n, table)
		}
	}
	_, err = w.Identify(ctx, in.Token)
	w.refused(err, "no_session")
	_, err = w.SignIn(ctx, auth.Attempt{Login: "canary-wang", Password: password})
	w.refused(err, "wrong_credentials")
	posts, err := w.people.PostsOf(ctx, w.pool, who)
	w.ok(err)
	if len(posts) != 1 || posts[0].InForce(w.clock.now()) {
		t.Errorf("%+v", posts)
	}
	_, err = w.people.CreatePost(ctx, person.Post{Person: who, Role: policy.Planner, Area: wholeCity, Begins: "2026-01-01"})
	w.refused(err, "person_erased")
}

// Who tries logins learns nothing from the time that a refusal takes.
func TestAnUnknownLoginCostsAsMuchAsAKnownOne(t *testing.T) {
	w := newWorld(t)
	w.user("wang")
	for _, login := range []string{"wang", "nobody", "no login!"} {
		for i := range 3 {
			before := w.Compared()
			_, err := w.SignIn(t.Context(), auth.Attempt{Login: login, Password: "wrong", Address: "192.0.2." + string(rune('1'+i))})
			w.refused(err, "wrong_credentials")
			if n := w.Compared() - before; n != 1 {
				t.Errorf("%q costs %d comparisons", login, n)
			}
			w.clock.add(time.Hour)
		}
	}
}

// Who signs in with the right password is never slowed, however often and from however many seats behind one address.
func TestRightPasswordsAreNoGuesses(t *testing.T) {
	w := newWorld(t)
	for _, login := range []string{"wang", "li"} {
		w.user(login)
		for range 2 * auth.DefaultRates.Address.Burst {
			w.in(login)
		}
	}
}

func TestWhoIsVouchedForNeedsNoPassword(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	own := w.in("wang")
	in, err := w.OpenSession(ctx, who, auth.Attempt{Address: "192.0.2.1", OldToken: own.Token})
	w.ok(err)
	if in.Identity.Person != who || in.Device == own.Device {
		t.Errorf("%+v", in)
	}
	_, err = w.Identify(ctx, own.Token)
	w.refused(err, "no_session")
	set, err := w.BeginTOTP(ctx, in.Identity)
	w.ok(err)
	code, err := totp.GenerateCode(set.Secret, w.clock.now())
	w.ok(err)
	_, err = w.ConfirmTOTP(ctx, in.Identity, code)
	w.ok(err)
	_, err = w.OpenSession(ctx, who, auth.Attempt{})
	w.refused(err, "code_needed")
	_, err = w.OpenSession(ctx, who, auth.Attempt{Code: code})
	w.refused(err, "wrong_credentials")
	w.clock.add(30 * time.Second)
	code, err = totp.GenerateCode(set.Secret, w.clock.now())
	w.ok(err)
	_, err = w.OpenSession(ctx, who, auth.Attempt{Code: code})
	w.ok(err)
	for range auth.DefaultRates.Device.Burst + 1 {
		_, err = w.OpenSession(ctx, who, auth.Attempt{Code: "000000"})
	}
	w.refused(err, "too_many_attempts")
	w.ok(w.Disable(ctx, who))
	w.clock.add(time.Hour)
	_, err = w.OpenSession(ctx, who, auth.Attempt{})
	w.refused(err, "account_disabled")
	_, err = w.OpenSession(ctx, uuid.New(), auth.Attempt{})
	w.refused(err, "not_found")
}

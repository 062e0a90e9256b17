package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
)

var (
	errWrong    = fault.Unauthenticated("wrong_credentials", "login or password is wrong")
	errNeedCode = fault.Unauthenticated("code_needed", "give the code that your authenticator shows, or a recovery code")
	errDisabled = fault.Forbidden("account_disabled", "the account is disabled: ask the administrator")
	errCode     = func() *fault.Error {
		f := fault.Unauthenticated("wrong_credentials", "the code is wrong, or was used before: wait for the next one")
		f.Field = "code"
		return f
	}()
)

func tooMany(wait time.Duration) *fault.Error {
	wait = max(wait.Round(time.Second), time.Second)
	return fault.TooMany("too_many_attempts", wait, "too many wrong attempts; try again in %s", wait)
}

// candidate is the account that an attempt means.
type candidate struct {
	person       uuid.UUID // zero: there is none
	password     string
	totp         []byte
	confirmed    bool
	disabled     bool
	demo         bool
	by           *voucher // an identity provider says who it is: no password is asked
	device       bool     // the attempt comes from one of the person's
	deviceDigest string
}

// SignIn opens a session. Faults: wrong_credentials (401; the field is code where the password was right), code_needed
// (401), account_disabled (403), too_many_attempts (429, with RetryAfter). Only who knows the password hears another than
// wrong_credentials and too_many_attempts.
func (s *Service) SignIn(ctx context.Context, a Attempt) (SignedIn, error) {
	a.Address = address(a.Address)
	a.Login = foldLogin(a.Login)
	if len(a.Login) > 64 {
		a.Login = a.Login[:64] // no login is that long
	}
	c, err := s.candidate(ctx, a)
	if err != nil {
		return SignedIn{}, err
	}
	g := Guess{Login: a.Login, Address: a.Address}
	if c.device {
		g.Device = c.deviceDigest
	}
	if err := s.verify(ctx, a, c, g); err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, a, c, g)
}

// enter opens the session of who has shown who it is, but for the code.
func (s *Service) enter(ctx context.Context, a Attempt, c candidate, g Guess) (SignedIn, error) {
	in, err := s.open(ctx, a, c)
	if err == nil || fault.Is(err, fault.KindUnavailable) {
		s.throttle.Give(s.cfg.Now(), g)
	}
	if err != nil {
		return SignedIn{}, s.refused(ctx, a, c, err)
	}
	s.cache.remove(digest(hashOf(a.OldToken)))
	in.Identity, err = s.Identify(ctx, in.Token)
	return in, err
}

// candidate looks the login up, and whether the device is known to be the person's.
func (s *Service) candidate(ctx context.Context, a Attempt) (c candidate, err error) {
	if !loginPattern.MatchString(a.Login) {
		return c, nil
	}
	device := hashOf(a.Device)
	c.deviceDigest = string(device)
	var password *string
	err = s.cfg.Pool.QueryRow(ctx, `
		SELECT a.person_id, a.password, a.totp, a.totp_confirmed_at IS NOT NULL, a.disabled_at IS NOT NULL, a.demo,
			EXISTS (SELECT FROM device d WHERE d.hash = $2 AND d.person_id = a.person_id AND d.seen_at > $3)
		FROM account a JOIN person p ON p.id = a.person_id WHERE a.login = $1 AND p.erased_at IS NULL`,
		a.Login, device, s.cfg.Now().Add(-DeviceAge)).Scan(&c.person, &password, &c.totp, &c.confirmed, &c.disabled, &c.demo, &c.device)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return c, fmt.Errorf("read account: %w", err)
	}
	if password != nil {
		c.password = *password
	}
	return c, nil
}

// verify compares the password and tells whether a code is needed. The guess stays taken, until the session is open,
// unless the password was right and only the code is missing.
func (s *Service) verify(ctx context.Context, a Attempt, c candidate, g Guess) error {
	if wait := s.throttle.Wait(s.cfg.Now(), g); wait > 0 { // before it waits for its turn
		return tooMany(wait)
	}
	end, err := s.hasher.turn(ctx, c.device)
	if err != nil {
		return err
	}
	defer end()
	if wait, ok := s.throttle.Take(s.cfg.Now(), g); !ok {
		return tooMany(wait)
	}
	ok, err := s.hasher.matches(a.Password, c.password)
	if err != nil {
		return err
	}
	switch {
	case !ok || c.demo && !s.cfg.Demo:
		return s.refused(ctx, a, c, errWrong)
	case c.disabled:
		return s.refused(ctx, a, c, errDisabled)
	case c.asksCode() && a.Code == "":
		s.throttle.Give(s.cfg.Now(), g)
		return errNeedCode
	}
	return nil
}

// refused puts a refusal on record and returns it.
func (s *Service) refused(ctx context.Context, a Attempt, c candidate, why error) error {
	f, ok := fault.As(why)
	if !ok {
		return why
	}
	reason := f.Code
	if f.Field != "" {
		reason = "wrong_" + f.Field
	}
	err := s.transact(audit.By(ctx, audit.Author{Address: a.Address}), func(w *work) error {
		w.record("session.refused", c.person, nil, refusal{reason})
		return nil
	})
	if err != nil {
		return err
	}
	return why
}

type refusal struct {
	Reason string `json:"reason"`
}

// mostSessions and mostDevices are how many a person has at most: the latest used.
const (
	mostSessions = 50
	mostDevices  = 20
)

// open opens the session, in one transaction with the use of the code.
func (s *Service) open(ctx context.Context, a Attempt, c candidate) (in SignedIn, err error) {
	code, err := s.readCode(c, a.Code)
	if err != nil {
		return in, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return in, err
	}
	token, hash := newSecret("")
	device, deviceHash := a.Device, hashOf(a.Device)
	if !c.device {
		device, deviceHash = newSecret("")
	}
	err = s.transact(audit.By(ctx, audit.Author{Person: c.person, Address: a.Address}), func(w *work) error {
		l, err := w.lock(ctx, c.person)
		switch {
		case fault.Is(err, fault.KindNotFound):
			return errWrong
		case err != nil:
			return err
		case c.by == nil && (l.password == nil || *l.password != c.password):
			return errWrong // it was changed meanwhile
		case l.disabledAt != nil:
			return errDisabled
		case c.by != nil && c.by.mfa:
		case l.confirmed && !c.confirmed:
			return errNeedCode
		case l.confirmed:
			if err := w.useCode(ctx, c.person, l, code); err != nil {
				return err
			}
		}
		if c.by != nil {
			if err := w.admit(ctx, c.person, l, c.by); err != nil {
				return err
			}
		}
		if err := w.replace(ctx, a.OldToken, c.person, id); err != nil {
			return err
		}
		for _, st := range []struct {
			what, sql string
			args      []any
		}{
			{"end sessions", `DELETE FROM session WHERE person_id = $1 AND (ends_at <= $2 OR id NOT IN
				(SELECT s.id FROM session s WHERE s.person_id = $1 ORDER BY s.seen_at DESC, s.id LIMIT $3))`, []any{c.person, w.at, mostSessions - 1}},
			{"open session", `INSERT INTO session (id, hash, person_id, made_at, seen_at, ends_at, address, agent, vouched, mfa) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9)`,
				[]any{id, hash, c.person, w.at, w.at.Add(s.cfg.Limits.Absolute), a.Address, clean(a.Agent, 300), c.by != nil, c.by != nil && c.by.mfa}},
			{"know device", `INSERT INTO device (hash, person_id, made_at, seen_at) VALUES ($1, $2, $3, $3) ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at`,
				[]any{deviceHash, c.person, w.at}},
			{"forget devices", `DELETE FROM device WHERE person_id = $1 AND (seen_at <= $2 OR hash NOT IN
				(SELECT d.hash FROM device d WHERE d.person_id = $1 ORDER BY d.seen_at DESC, d.hash LIMIT $3))`, []any{c.person, w.at.Add(-DeviceAge), mostDevices}},
		} {
			if _, err := w.exec(ctx, st.what, st.sql, st.args...); err != nil {
				return err
			}
		}
		w.record("session.open", c.person, nil, sessionRecord{id})
		return nil
	})
	return SignedIn{Token: token, Device: device}, err
}

// replace ends the session that the browser had: what hangs on it goes on in the next one, where that is the same person's.
func (w *work) replace(ctx context.Context, token string, by, next uuid.UUID) error {
	var id, person uuid.UUID
	err := w.tx.QueryRow(ctx, `DELETE FROM session WHERE hash = $1 RETURNING id, person_id`, hashOf(token)).Scan(&id, &person)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("end the old session: %w", err)
	}
	if person != by {
		next = uuid.Nil
	}
	return w.ended(ctx, Ended{Sessions: []uuid.UUID{id}, Next: next})
}

type sessionRecord struct {
	Session uuid.UUID `json:"session"`
}

// address keeps what is an address, in one form, and nothing else.
func address(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// clean makes a client's word fit to be kept and shown: valid text of at most so many characters.
func clean(s string, most int) string {
	var out []rune
	for _, r := range s {
		if r == utf8.RuneError || r < ' ' || r == 0x7f {
			continue
		}
		if out = append(out, r); len(out) == most {
			break
		}
	}
	return string(out)
}

// SignOut ends the session of the token; one that there is not is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	if !wellFormed(token) {
		return nil
	}
	return s.transact(ctx, func(w *work) error {
		var id, person uuid.UUID
		err := w.tx.QueryRow(ctx, `DELETE FROM session WHERE hash = $1 RETURNING id, person_id`, hashOf(token)).Scan(&id, &person)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		w.record("session.end", person, nil, sessionRecord{id})
		w.forget = true
		return w.ended(ctx, Ended{Sessions: []uuid.UUID{id}})
	})
}

// Sessions lists a person's sessions, the latest used first.
func (s *Service) Sessions(ctx context.Context, person uuid.UUID) ([]Session, error) {
	now := s.cfg.Now()
	posts, err := s.cfg.People.PostsOf(ctx, s.cfg.Pool, person)
	if err != nil {
		return nil, err
	}
	idle := s.idle(posts, now)
	rows, err := s.cfg.Pool.Query(ctx, `
		SELECT id, made_at, seen_at, ends_at, address, agent FROM session
		WHERE person_id = $1 AND ends_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id`, person, now, now.Add(-idle))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Session, err error) {
		err = row.Scan(&o.ID, &o.MadeAt, &o.SeenAt, &o.Ends, &o.Address, &o.Agent)
		if used := o.SeenAt.Add(idle); used.Before(o.Ends) {
			o.Ends = used
		}
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// EndSession ends one of the person's sessions.
func (s *Service) EndSession(ctx context.Context, person, session uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		n, err := w.exec(ctx, "end session", `DELETE FROM session WHERE id = $1 AND person_id = $2`, session, person)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("there is no session %s, or it has ended", session)
		}
		w.record("session.end", person, nil, sessionRecord{session})
		w.forget = true
		return w.ended(ctx, Ended{Sessions: []uuid.UUID{session}})
	})
}

// EndOthers ends all sessions of the person but keep, and returns how many.
func (s *Service) EndOthers(ctx context.Context, person, keep uuid.UUID) (ended int, err error) {
	err = s.transact(ctx, func(w *work) error {
		n, err := w.exec(ctx, "end sessions", `DELETE FROM session WHERE person_id = $1 AND id <> $2`, person, keep)
		if err != nil {
			return err
		}
		if err := w.ended(ctx, Ended{Person: person, Keep: keep}); err != nil || n == 0 {
			return err
		}
		ended = int(n)
		w.record("session.end", person, nil, map[string]int{"sessions": ended})
		w.forget = true
		return nil
	})
	return ended, err
}

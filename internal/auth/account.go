package auth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/person"
)

var loginPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// foldLogin gives a login as it is kept.
func foldLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

const selectAccount = `
	SELECT a.person_id, a.login, p.name, p.machine, a.password IS NOT NULL, a.must_change, a.demo, a.totp_confirmed_at IS NOT NULL,
		coalesce(a.issuer, ''), coalesce(a.subject, ''), a.created_at, a.disabled_at, (SELECT max(s.seen_at) FROM session s WHERE s.person_id = a.person_id)
	FROM account a JOIN person p ON p.id = a.person_id`

func scanAccount(row pgx.CollectableRow) (a Account, err error) {
	err = row.Scan(&a.Person, &a.Login, &a.Name, &a.Machine, &a.Password, &a.MustChange, &a.Demo, &a.TOTP, &a.Issuer, &a.Subject, &a.CreatedAt, &a.DisabledAt, &a.LastSession)
	return a, err
}

func (s *Service) account(ctx context.Context, where string, arg any, missing error) (Account, error) {
	rows, err := s.cfg.Pool.Query(ctx, selectAccount+where, arg)
	if err != nil {
		return Account{}, fmt.Errorf("read account: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, missing
	} else if err != nil {
		return a, fmt.Errorf("read account: %w", err)
	}
	return a, nil
}

func noAccount(person uuid.UUID) *fault.Error {
	return fault.NotFound("the person %s has no account", person)
}

// Account reads a person's account.
func (s *Service) Account(ctx context.Context, person uuid.UUID) (Account, error) {
	return s.account(ctx, ` WHERE a.person_id = $1`, person, noAccount(person))
}

// AccountNamed reads an account by its login.
func (s *Service) AccountNamed(ctx context.Context, login string) (Account, error) {
	return s.account(ctx, ` WHERE a.login = $1`, foldLogin(login), fault.NotFound("there is no account %.63q; see the list of accounts", login))
}

// Accounts lists all accounts by login.
func (s *Service) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.cfg.Pool.Query(ctx, selectAccount+` ORDER BY a.login`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanAccount)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}

// CreateAccount gives a person an account, and posts where some are named, all or nothing; it returns the password that was
// made, "" where one was given or none is needed.
func (s *Service) CreateAccount(ctx context.Context, n NewAccount, posts ...person.Post) (password string, err error) {
	var machine bool
	err = s.cfg.Pool.QueryRow(ctx, `SELECT machine FROM person WHERE id = $1 AND erased_at IS NULL`, n.Person).Scan(&machine)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fault.NotFound("there is no person %s", n.Person)
	} else if err != nil {
		return "", fmt.Errorf("read person: %w", err)
	}
	ready, err := s.prepare(ctx, n, machine)
	if err != nil {
		return "", err
	}
	err = s.transact(ctx, func(w *work) error {
		for _, p := range posts {
			if err := w.give(ctx, n.Person, p); err != nil {
				return err
			}
		}
		return w.insertAccount(ctx, ready)
	})
	if err != nil {
		return "", err
	}
	return ready.made, nil
}

// CreateUser makes a person, the account and, with a role, the first post, all or nothing, and returns the password that
// was made. The person of n and post is filled in.
func (s *Service) CreateUser(ctx context.Context, p person.New, n NewAccount, post person.Post) (who uuid.UUID, password string, err error) {
	ready, err := s.prepare(ctx, n, p.Machine)
	if err != nil {
		return who, "", err
	}
	err = s.transact(ctx, func(w *work) error {
		who, err = w.holder(ctx, p, ready, post)
		return err
	})
	if err != nil {
		return uuid.Nil, "", err
	}
	return who, ready.made, nil
}

// readyAccount is an account whose password is hashed.
type readyAccount struct {
	NewAccount
	made string // the password, where it was made here
	hash *string
	demo bool
}

// prepare checks a new account and hashes its password, before any transaction.
func (s *Service) prepare(ctx context.Context, n NewAccount, machine bool) (r readyAccount, err error) {
	n.Login = foldLogin(n.Login)
	r.NewAccount = n
	if !loginPattern.MatchString(n.Login) {
		return r, fault.Invalid("login", "bad_login", "%.63q cannot be a login: use 1 to 63 lower-case letters, digits, dots, hyphens and underscores, a letter or digit first", n.Login)
	}
	if machine {
		if n.Password != "" {
			return r, fault.Invalid("password", "machine_password", "a machine has no password: give it a token")
		}
		return r, nil
	}
	password := n.Password
	if password == "" {
		r.made = newPassword()
		password = r.made
	} else if f := checkPassword(n.Login, password); f != nil {
		return r, f
	}
	h, err := s.hash(ctx, password)
	r.hash = &h
	return r, err
}

// hash takes a turn, as those do who have signed in.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	end, err := s.hasher.turn(ctx, true)
	if err != nil {
		return "", err
	}
	defer end()
	return s.hasher.hash(password)
}

func (w *work) insertAccount(ctx context.Context, r readyAccount) error {
	_, err := w.exec(ctx, "insert account", `
		INSERT INTO account (person_id, login, password, password_at, must_change, demo, totp_step, created_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $4)`,
		r.Person, r.Login, r.hash, w.at, r.made != "", r.demo)
	if state(err) == "23505" { // unique_violation: of the login, or the person has an account
		f := fault.Conflict("account_exists", "the login %s is taken, or the person has an account already: choose another login, or change that account", r.Login)
		f.Field = "login"
		return f
	} else if err != nil {
		return err
	}
	w.people = true
	w.record("account.create", r.Person, nil, accountRecord{Machine: r.hash == nil, Demo: r.demo})
	return nil
}

// accountRecord is what goes on record of an account: not the login, which may be a name.
type accountRecord struct {
	Machine bool `json:"machine,omitempty"`
	Demo    bool `json:"demo,omitempty"`
}

// lockedAccount is an account whose row is held.
type lockedAccount struct {
	password   *string
	demo       bool
	totp       []byte
	confirmed  bool
	step       int64
	disabledAt *time.Time
	issuer     string // "": it is not linked to an identity
	subject    string
}

// is tells whether the account is the identity's.
func (a *lockedAccount) is(realm, subject string) bool {
	return a.issuer == realm && a.subject == subject
}

func (w *work) lock(ctx context.Context, person uuid.UUID) (a lockedAccount, err error) {
	err = w.tx.QueryRow(ctx, `SELECT password, demo, totp, totp_confirmed_at IS NOT NULL, totp_step, disabled_at, coalesce(issuer, ''), coalesce(subject, '')
		FROM account WHERE person_id = $1 FOR UPDATE`, person).Scan(&a.password, &a.demo, &a.totp, &a.confirmed, &a.step, &a.disabledAt, &a.issuer, &a.subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, noAccount(person)
	} else if err != nil {
		return a, fmt.Errorf("lock account: %w", err)
	}
	return a, nil
}

var errDemo = fault.Forbidden("demo_account", "this account is the demo's, which many share: its password and second factor stay as they are")

// ChangePassword changes one's own password and ends one's other sessions. A wrong old password counts as a guess.
func (s *Service) ChangePassword(ctx context.Context, who *Identity, address, old, password string) error {
	if who.Demo {
		return errDemo
	}
	if f := checkPassword(who.Login, password); f != nil {
		return f
	}
	if old == password {
		return fault.Invalid("password", "same_password", "the new password is the old one: take another")
	}
	current, err := s.checkOwn(ctx, who, address, old)
	if err != nil {
		return err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.transact(ctx, func(w *work) error {
		n, err := w.exec(ctx, "change password", `UPDATE account SET password = $2, password_at = $3, must_change = false WHERE person_id = $1 AND password = $4`,
			who.Person, hash, w.at, current)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("stale", "the password was changed meanwhile: sign in again")
		}
		w.record("password.change", who.Person, nil, nil)
		w.people = true
		return w.endSessions(ctx, who.Person, who.Session)
	})
}

// checkOwn compares one's own password, and counts a wrong one as a guess from a device of its own: who has a session is
// not held up by strangers, and cannot guess without end. It returns the hash that matched.
func (s *Service) checkOwn(ctx context.Context, who *Identity, address, password string) (hash string, err error) {
	g := Guess{Login: who.Login, Address: address, Device: "session " + who.Person.String()}
	end, err := s.hasher.turn(ctx, true)
	if err != nil {
		return "", err
	}
	defer end()
	if wait, ok := s.throttle.Take(s.cfg.Now(), g); !ok {
		return "", tooMany(wait)
	}
	var stored *string
	err = s.cfg.Pool.QueryRow(ctx, `SELECT password FROM account WHERE person_id = $1 AND disabled_at IS NULL`, who.Person).Scan(&stored)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	if stored != nil {
		hash = *stored
	}
	ok, err := s.hasher.matches(password, hash)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.Invalid("old_password", "wrong_password", "the password is wrong")
	}
	s.throttle.Give(s.cfg.Now(), g)
	return hash, nil
}

// ResetPassword gives an account a new password, which it returns and which must be changed at the next sign-in, and ends
// all its sessions.
func (s *Service) ResetPassword(ctx context.Context, person uuid.UUID) (string, error) {
	password := newPassword()
	hash, err := s.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.transact(ctx, func(w *work) error {
		a, err := w.lock(ctx, person)
		switch {
		case err != nil:
			return err
		case a.demo:
			return errDemo
		case a.password == nil:
			return fault.Invalid("login", "machine_password", "a machine has no password: give it a token")
		}
		_, err = w.exec(ctx, "reset password", `UPDATE account SET password = $2, password_at = $3, must_change = true WHERE person_id = $1`, person, hash, w.at)
		if err != nil {
			return err
		}
		w.record("password.reset", person, nil, nil)
		w.people = true
		if err := w.forgetDevices(ctx, person); err != nil {
			return err
		}
		return w.endSessions(ctx, person, uuid.Nil)
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// Erase takes every word of a person out of person, account and sessions, and ends posts, sessions and tokens. The rows
// stay, as others name the person by id.
func (s *Service) Erase(ctx context.Context, person uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		records, err := w.cfg.People.EraseIn(ctx, w.tx, person)
		if err != nil || len(records) == 0 { // erased before
			return err
		}
		w.records, w.people = append(w.records, records...), true
		if w.cfg.Erasing != nil {
			if err := w.cfg.Erasing(ctx, w.tx, person); err != nil {
				return err
			}
		}
		for _, sql := range []string{
			`DELETE FROM session WHERE person_id = $1`, `DELETE FROM device WHERE person_id = $1`, `DELETE FROM recovery_code WHERE person_id = $1`,
			`DELETE FROM oidc_pending WHERE person_id = $1`,
			`UPDATE account SET login = 'erased-' || person_id::text, password = NULL, totp = NULL, totp_confirmed_at = NULL, issuer = NULL, subject = NULL
				WHERE person_id = $1`,
			`UPDATE token SET name = 'erased' WHERE person_id = $1`,
		} {
			if _, err := w.exec(ctx, "erase account", sql, person); err != nil {
				return err
			}
		}
		for _, sql := range []string{`UPDATE account SET disabled_at = coalesce(disabled_at, $2) WHERE person_id = $1`,
			`UPDATE token SET revoked_at = coalesce(revoked_at, $2) WHERE person_id = $1`} {
			if _, err := w.exec(ctx, "erase account", sql, person, w.at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *work) forgetDevices(ctx context.Context, person uuid.UUID) error {
	_, err := w.exec(ctx, "forget devices", `DELETE FROM device WHERE person_id = $1`, person)
	return err
}

func (w *work) endSessions(ctx context.Context, person, keep uuid.UUID) error {
	if _, err := w.exec(ctx, "end sessions", `DELETE FROM session WHERE person_id = $1 AND id <> $2`, person, keep); err != nil {
		return err
	}
	return w.ended(ctx, Ended{Person: person, Keep: keep})
}

// ended tells who has something that hangs on sessions.
func (w *work) ended(ctx context.Context, e Ended) error {
	if w.cfg.Ended == nil || e.Person == uuid.Nil && len(e.Sessions) == 0 {
		return nil
	}
	return w.cfg.Ended(ctx, w.tx, e)
}

// Disable takes an account out of use and ends its sessions; its tokens are refused while it lasts. That of the last who
// administers the city stays in use: the fault is last_administrator.
func (s *Service) Disable(ctx context.Context, person uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		return w.cfg.People.KeepAdministratorIn(ctx, w.tx, func() error { return w.disable(ctx, person) })
	})
}

// DisableAny is Disable for who runs the service: nobody's account is kept in use.
func (s *Service) DisableAny(ctx context.Context, person uuid.UUID) error {
	return s.transact(ctx, func(w *work) error { return w.disable(ctx, person) })
}

func (w *work) disable(ctx context.Context, person uuid.UUID) error {
	a, err := w.lock(ctx, person)
	if err != nil || a.disabledAt != nil {
		return err
	}
	if _, err := w.exec(ctx, "disable account", `UPDATE account SET disabled_at = $2 WHERE person_id = $1`, person, w.at); err != nil {
		return err
	}
	w.record("account.disable", person, nil, nil)
	w.people = true
	return w.endSessions(ctx, person, uuid.Nil)
}

// Enable puts it into use again.
func (s *Service) Enable(ctx context.Context, person uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		a, err := w.lock(ctx, person)
		if err != nil || a.disabledAt == nil {
			return err
		}
		if _, err := w.exec(ctx, "enable account", `UPDATE account SET disabled_at = NULL WHERE person_id = $1`, person); err != nil {
			return err
		}
		w.record("account.enable", person, nil, nil)
		w.people = true
		return nil
	})
}

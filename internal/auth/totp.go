package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"gridgov/internal/fault"
)

// What authenticators agree on (RFC 6238): 30 s, six digits, SHA-1. A code of the step before or after is taken too, as
// clocks differ.
const (
	totpPeriod = 30
	totpSkew   = 1
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

func totpLabel(person uuid.UUID) string { return "totp:" + person.String() }

var errNoKey = fault.Unavailable("key_missing", "the service runs without its master key: second factors cannot be read or made; put the key file back and start again")

// code is what somebody gave as second factor: a step of the authenticator, or the hash of a recovery code.
type code struct {
	step     int64
	recovery []byte
}

// readCode tells what a code is, outside of the transaction that uses it.
func (s *Service) readCode(c candidate, text string) (code, error) {
	if !c.asksCode() {
		return code{}, nil
	}
	text = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(text))
	if len(text) == recoveryLength {
		return code{recovery: recoveryHash(c.person, text)}, nil
	}
	step, err := s.stepOf(c.person, c.totp, text)
	if err != nil {
		return code{}, err
	}
	if step == 0 {
		return code{}, errCode
	}
	return code{step: step}, nil
}

// stepOf finds the step whose code it is; 0: none near now.
func (s *Service) stepOf(person uuid.UUID, sealed []byte, text string) (int64, error) {
	if s.cfg.Sealer == nil {
		return 0, errNoKey
	}
	secret, err := s.cfg.Sealer.Open(totpLabel(person), sealed)
	if err != nil {
		return 0, fmt.Errorf("open the second factor: %w", err)
	}
	return stepAt(s.cfg.Now(), base32Text.EncodeToString(secret), text), nil
}

func stepAt(now time.Time, secret, text string) (found int64) {
	at := now.Unix() / totpPeriod
	for step := at - totpSkew; step <= at+totpSkew; step++ {
		ok, err := hotp.ValidateCustom(text, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok {
			found = step
		}
	}
	return found
}

// useCode uses a code up, with the account's row held: each is good once, and none that is older than one used before.
func (w *work) useCode(ctx context.Context, person uuid.UUID, l lockedAccount, c code) error {
	if c.recovery != nil {
		n, err := w.exec(ctx, "use recovery code", `UPDATE recovery_code SET used_at = $3 WHERE hash = $1 AND person_id = $2 AND used_at IS NULL`, c.recovery, person, w.at)
		if err == nil && n == 0 {
			return errCode
		}
		if err == nil {
			w.record("totp.recover", person, nil, nil)
		}
		return err
	}
	if c.step <= l.step {
		return errCode
	}
	_, err := w.exec(ctx, "use code", `UPDATE account SET totp_step = $2 WHERE person_id = $1`, person, c.step)
	return err
}

// BeginTOTP makes a secret for the person's authenticator. It counts once ConfirmTOTP has seen a code of it.
func (s *Service) BeginTOTP(ctx context.Context, who *Identity) (TOTPSetup, error) {
	switch {
	case who.Demo:
		return TOTPSetup{}, errDemo
	case s.cfg.Sealer == nil:
		return TOTPSetup{}, errNoKey
	}
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	sealed, err := s.cfg.Sealer.Seal(totpLabel(who.Person), secret)
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("seal the second factor: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "gridgov " + s.cfg.City, AccountName: who.Login, Secret: secret, Period: totpPeriod})
	if err != nil {
		return TOTPSetup{}, err
	}
	err = s.transact(ctx, func(w *work) error {
		l, err := w.lock(ctx, who.Person)
		switch {
		case err != nil:
			return err
		case l.confirmed:
			return fault.Conflict("totp_on", "the account has a second factor: take it out of use first")
		}
		_, err = w.exec(ctx, "keep secret", `UPDATE account SET totp = $2, totp_step = 0 WHERE person_id = $1`, who.Person, sealed)
		return err
	})
	if err != nil {
		return TOTPSetup{}, err
	}
	return TOTPSetup{Secret: key.Secret(), URL: key.URL()}, nil
}

// ConfirmTOTP puts the second factor into use and returns ten recovery codes, each good once in place of a code.
func (s *Service) ConfirmTOTP(ctx context.Context, who *Identity, text string) (recovery []string, err error) {
	err = s.withCode(ctx, who, text, false, func(w *work) error {
		if _, err := w.exec(ctx, "confirm", `UPDATE account SET totp_confirmed_at = $2 WHERE person_id = $1`, who.Person, w.at); err != nil {
			return err
		}
		w.record("totp.on", who.Person, nil, nil)
		w.people = true
		recovery, err = w.newRecovery(ctx, who.Person)
		return err
	})
	return recovery, err
}

// NewRecoveryCodes replaces the recovery codes; it takes a code of the authenticator.
func (s *Service) NewRecoveryCodes(ctx context.Context, who *Identity, text string) (recovery []string, err error) {
	err = s.withCode(ctx, who, text, true, func(w *work) error {
		w.record("totp.recovery_codes", who.Person, nil, nil)
		recovery, err = w.newRecovery(ctx, who.Person)
		return err
	})
	return recovery, err
}

// withCode does what takes a code of the authenticator. A wrong one counts as a guess.
func (s *Service) withCode(ctx context.Context, who *Identity, text string, confirmed bool, do func(w *work) error) error {
	g := Guess{Login: who.Login, Device: "session " + who.Person.String()}
	if wait, ok := s.throttle.Take(s.cfg.Now(), g); !ok {
		return tooMany(wait)
	}
	err := s.transact(ctx, func(w *work) error {
		l, err := w.lock(ctx, who.Person)
		switch {
		case err != nil:
			return err
		case l.totp == nil:
			return fault.Conflict("totp_off", "the account has no second factor: begin with a new one")
		case l.confirmed != confirmed && confirmed:
			return fault.Conflict("totp_off", "the account has no second factor yet: confirm it with a code first")
		case l.confirmed != confirmed:
			return fault.Conflict("totp_on", "the account has a second factor already")
		}
		step, err := s.stepOf(who.Person, l.totp, strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return err
		}
		if step == 0 {
			return wrongCode()
		}
		if err := w.useCode(ctx, who.Person, l, code{step: step}); err != nil {
			if errors.Is(err, errCode) {
				return wrongCode()
			}
			return err
		}
		return do(w)
	})
	if f, ok := fault.As(err); !ok || f.Code != "wrong_code" {
		s.throttle.Give(s.cfg.Now(), g)
	}
	return err
}

// wrongCode is told to who has signed in: 401 would sign them out.
func wrongCode() *fault.Error {
	return fault.Invalid("code", "wrong_code", "the code is wrong, or was used before: wait for the next one; is the phone's clock right?")
}

// Reseal seals all second factors, and the secret that the identity provider knows the city by, anew by the key that is
// current now, and returns how many: after it, older keys are not needed for them.
func (s *Service) Reseal(ctx context.Context) (resealed int, err error) {
	if s.cfg.Sealer == nil {
		return 0, errNoKey
	}
	err = s.transact(ctx, func(w *work) error {
		resealed = 0
		rows, err := w.tx.Query(ctx, `SELECT person_id, totp FROM account WHERE totp IS NOT NULL ORDER BY person_id FOR UPDATE`)
		if err != nil {
			return fmt.Errorf("read second factors: %w", err)
		}
		type factor struct {
			Person uuid.UUID
			Sealed []byte
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[factor])
		if err != nil {
			return fmt.Errorf("read second factors: %w", err)
		}
		for _, f := range all {
			secret, err := s.cfg.Sealer.Open(totpLabel(f.Person), f.Sealed)
			if err != nil {
				return fmt.Errorf("open the second factor of %s: %w", f.Person, err)
			}
			sealed, err := s.cfg.Sealer.Seal(totpLabel(f.Person), secret)
			if err != nil {
				return fmt.Errorf("seal the second factor of %s: %w", f.Person, err)
			}
			if _, err := w.exec(ctx, "keep secret", `UPDATE account SET totp = $2 WHERE person_id = $1`, f.Person, sealed); err != nil {
				return err
			}
			resealed++
		}
		n, err := w.resealProvider(ctx)
		resealed += n
		return err
	})
	return resealed, err
}

const (
	recoveryCodes  = 10
	recoveryLength = 16 // characters of base32: 80 bits
)

// recoveryHash binds a code to its person.
func recoveryHash(person uuid.UUID, text string) []byte {
	return hashOf("recovery " + person.String() + " " + text)
}

// newRecovery replaces the person's recovery codes.
func (w *work) newRecovery(ctx context.Context, person uuid.UUID) (codes []string, err error) {
	if _, err := w.exec(ctx, "drop recovery codes", `DELETE FROM recovery_code WHERE person_id = $1`, person); err != nil {
		return nil, err
	}
	for range recoveryCodes {
		b := make([]byte, recoveryLength*5/8)
		_, _ = rand.Read(b) // never fails
		text := strings.ToLower(base32Text.EncodeToString(b))
		if _, err := w.exec(ctx, "keep recovery code", `INSERT INTO recovery_code (hash, person_id) VALUES ($1, $2)`, recoveryHash(person, text), person); err != nil {
			return nil, err
		}
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
	}
	return codes, nil
}

// RemoveTOTP takes one's own second factor out of use; it takes the password. A wrong one counts as a guess.
func (s *Service) RemoveTOTP(ctx context.Context, who *Identity, address, password string) error {
	if who.Demo {
		return errDemo
	}
	if _, err := s.checkOwn(ctx, who, address, password); err != nil {
		return err
	}
	return s.dropTOTP(ctx, who.Person, who.Session, "totp.off")
}

// ResetTOTP takes another's second factor out of use, for who has lost it, and ends the sessions.
func (s *Service) ResetTOTP(ctx context.Context, person uuid.UUID) error {
	return s.dropTOTP(ctx, person, uuid.Nil, "totp.reset")
}

func (s *Service) dropTOTP(ctx context.Context, person, keep uuid.UUID, act string) error {
	return s.transact(ctx, func(w *work) error {
		l, err := w.lock(ctx, person)
		if err != nil || l.totp == nil {
			return err
		}
		for _, sql := range []string{`UPDATE account SET totp = NULL, totp_confirmed_at = NULL, totp_step = 0 WHERE person_id = $1`,
			`DELETE FROM recovery_code WHERE person_id = $1`} {
			if _, err := w.exec(ctx, "drop the second factor", sql, person); err != nil {
				return err
			}
		}
		w.record(act, person, nil, nil)
		w.people = true
		return w.endSessions(ctx, person, keep)
	})
}

package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// CreateToken gives a machine a token and returns what the machine holds: it cannot be read again.
func (s *Service) CreateToken(ctx context.Context, n NewToken) (secret string, t Token, err error) {
	now := s.cfg.Now()
	n.Name = strings.TrimSpace(n.Name)
	if f := n.check(now, s.cfg.Limits.Token); f != nil {
		return "", t, f
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", t, err
	}
	secret, hash := newSecret(TokenPrefix)
	scopes := make([]string, len(n.Scopes))
	for i, a := range n.Scopes {
		scopes[i] = string(a)
	}
	err = s.transact(ctx, func(w *work) error {
		var machine bool
		err := w.tx.QueryRow(ctx, `SELECT p.machine FROM account a JOIN person p ON p.id = a.person_id
			WHERE a.person_id = $1 AND p.erased_at IS NULL FOR UPDATE OF a`, n.Person).Scan(&machine)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return noAccount(n.Person)
		case err != nil:
			return fmt.Errorf("read account: %w", err)
		case !machine:
			return fault.Invalid("person", "not_a_machine", "tokens are for machines: people sign in")
		}
		t = Token{ID: id, Person: n.Person, Name: n.Name, Scopes: n.Scopes, MadeAt: w.at, ExpiresAt: n.ExpiresAt}
		_, err = w.exec(ctx, "insert token", `INSERT INTO token (id, hash, person_id, name, scopes, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, hash, n.Person, n.Name, scopes, w.at, n.ExpiresAt)
		if err != nil {
			return err
		}
		w.record("token.create", n.Person, nil, tokenRecord{id, n.Scopes, n.ExpiresAt.UTC()})
		return nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, t, nil
}

type tokenRecord struct {
	Token   uuid.UUID       `json:"token"`
	Scopes  []policy.Action `json:"scopes"`
	Expires time.Time       `json:"expires"`
}

func (n *NewToken) check(now time.Time, longest time.Duration) *fault.Error {
	switch {
	case n.Name == "" || utf8.RuneCountInString(n.Name) > 100 || !utf8.ValidString(n.Name) || strings.IndexFunc(n.Name, unicode.IsControl) >= 0:
		return fault.Invalid("name", "bad_name", "a token needs a name of 1 to 100 characters that tells what it is for")
	case len(n.Scopes) == 0:
		return fault.Invalid("scopes", "required", "a token needs at least one scope: an action such as %s", policy.ReportFile)
	case !n.ExpiresAt.After(now):
		return fault.Invalid("expires_at", "in_the_past", "a token expires in the future")
	case n.ExpiresAt.After(now.Add(longest)):
		return fault.Invalid("expires_at", "too_late", "a token lasts %d days at most", longest/(24*time.Hour))
	}
	actions := policy.Actions()
	for i, a := range n.Scopes {
		if !slices.Contains(actions, a) {
			known := make([]string, len(actions))
			for i, a := range actions {
				known[i] = string(a)
			}
			return fault.Invalid("scopes", "unknown_scope", "there is no action %.60q: use some of %s", a, strings.Join(known, ", "))
		}
		if slices.Contains(n.Scopes[:i], a) {
			return fault.Invalid("scopes", "twice", "the scope %s is named twice", a)
		}
	}
	return nil
}

// Tokens lists a machine's tokens, the newest first; those of all with a zero id.
func (s *Service) Tokens(ctx context.Context, person uuid.UUID) ([]Token, error) {
	rows, err := s.cfg.Pool.Query(ctx, `
		SELECT id, person_id, name, scopes, made_at, seen_at, expires_at, revoked_at FROM token
		WHERE person_id = $1 OR $1 = '00000000-0000-0000-0000-000000000000' ORDER BY made_at DESC, id DESC`, person)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Token, err error) {
		var scopes []string
		err = row.Scan(&t.ID, &t.Person, &t.Name, &scopes, &t.MadeAt, &t.SeenAt, &t.ExpiresAt, &t.RevokedAt)
		for _, a := range scopes {
			t.Scopes = append(t.Scopes, policy.Action(a))
		}
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return list, nil
}

// RevokeToken ends a token.
func (s *Service) RevokeToken(ctx context.Context, id uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		var person uuid.UUID
		err := w.tx.QueryRow(ctx, `UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING person_id`, id, w.at).Scan(&person)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.NotFound("there is no token %s, or it was revoked before", id)
		} else if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		w.record("token.revoke", person, nil, map[string]uuid.UUID{"token": id})
		w.people = true
		return nil
	})
}

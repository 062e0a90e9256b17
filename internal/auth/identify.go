package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// newSecret makes 256 random bits as text, and what is kept of them.
func newSecret(prefix string) (text string, hash []byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	text = prefix + base64.RawURLEncoding.EncodeToString(b)
	return text, hashOf(text)
}

func hashOf(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// secretLength is that of a session's token; a machine's has the prefix besides.
const secretLength = 43

func wellFormed(token string) bool {
	return len(strings.TrimPrefix(token, TokenPrefix)) == secretLength
}

// Identify tells whose a session's or machine's token is, or ErrNoSession. What was read is good for 4 s, so that a right
// that ends is gone within 5 s; else it costs one statement.
func (s *Service) Identify(ctx context.Context, token string) (*Identity, error) {
	if !wellFormed(token) {
		return nil, ErrNoSession
	}
	key := digest(hashOf(token))
	for {
		asked := s.cfg.Now()
		id, era := s.cache.get(key, asked)
		if id != nil {
			return id, nil
		}
		// Those who ask for one token at once share one statement. Who asked after a drop reads anew.
		answer := s.flights.DoChan(fmt.Sprintf("%x %d", key, era), func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
			defer cancel()
			return s.read(ctx, token, key, era)
		})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case a := <-answer:
			if a.Err != nil {
				return nil, a.Err
			}
			r := a.Val.(readAt)
			if r.at.Before(asked) && s.cfg.Now().Sub(r.at) >= goodFor {
				continue // it was begun before this was asked, and took long
			}
			return r.identity, nil
		}
	}
}

// readTimeout ends a statement that those who asked for it may no longer wait for.
const readTimeout = 10 * time.Second

type readAt struct {
	identity *Identity
	at       time.Time
}

// seenEvery is how often it is written down that a session is used.
const seenEvery = time.Minute

const (
	identityColumns = `a.person_id, a.login, p.name, a.must_change, a.demo, a.totp_confirmed_at IS NOT NULL,
		coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'require_totp_admin'), false),
		coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'public_map'), false),
		coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'resident_reports'), false), ` + person.HeldColumns
	identityTables = `JOIN account a ON a.person_id = h.person_id AND a.disabled_at IS NULL
		JOIN person p ON p.id = a.person_id AND p.erased_at IS NULL
		LEFT JOIN post o ON o.person_id = p.id
		LEFT JOIN unit u ON u.id = o.unit_id`
	readSession = `SELECT h.id, h.seen_at, h.ends_at, NULL::text[], h.vouched, h.mfa, ` + identityColumns + `
		FROM session h ` + identityTables + ` WHERE h.hash = $1 AND h.ends_at > $2 ORDER BY o.id`
	readToken = `SELECT h.id, coalesce(h.seen_at, h.made_at), h.expires_at, h.scopes, false, false, ` + identityColumns + `
		FROM token h ` + identityTables + ` WHERE h.hash = $1 AND h.expires_at > $2 AND h.revoked_at IS NULL AND p.machine ORDER BY o.id`
)

// read reads who a token's is.
func (s *Service) read(ctx context.Context, token string, key digest, era uint64) (readAt, error) {
	now := s.cfg.Now()
	ofMachine := strings.HasPrefix(token, TokenPrefix)
	sql := readSession
	if ofMachine {
		sql = readToken
	}
	rows, err := s.cfg.Pool.Query(ctx, sql, key[:], now)
	if err != nil {
		return readAt{}, fmt.Errorf("read session: %w", err)
	}
	id := &Identity{}
	var found uuid.UUID
	var seen, ends time.Time
	var scopes []string
	var demand, public, told, vouched, mfa bool
	var posts []policy.Post
	var held person.Held
	to := append([]any{&found, &seen, &ends, &scopes, &vouched, &mfa, &id.Person, &id.Login, &id.Name, &id.MustChange, &id.Demo, &id.TOTP, &demand, &public, &told}, held.Dest()...)
	_, err = pgx.ForEachRow(rows, to, func() error {
		if p, ok := held.Post(s.cfg.People.Zone); ok {
			posts = append(posts, p)
		}
		return nil
	})
	if err != nil {
		return readAt{}, fmt.Errorf("read session: %w", err)
	}
	id.Actor = &policy.Actor{Person: id.Person, Public: public, Told: told, Posts: posts}
	id.Ends = ends
	switch {
	case found == uuid.Nil, id.Demo && !s.cfg.Demo:
		return readAt{}, ErrNoSession
	case ofMachine:
		id.Token = found
		id.Actor.Only = make([]policy.Action, len(scopes)) // never nil: that would be no limit
		for i, a := range scopes {
			id.Actor.Only[i] = policy.Action(a)
		}
	default:
		id.Session = found
		idle := s.idle(posts, now)
		if !now.Before(seen.Add(idle)) {
			return readAt{}, ErrNoSession
		}
		if used := now.Add(idle); used.Before(ends) {
			id.Ends = used
		}
		id.MustChange = id.MustChange && !vouched // nobody else has the password that let this one in: there was none
		// A demo's account is anybody's: it has no second factor, and the rest of the city is what the demand guards.
		id.NeedsTOTP = demand && !id.TOTP && !mfa && !id.Demo && isAdministrator(posts, now)
		if id.MustChange || id.NeedsTOTP {
			id.Actor.Only = ownAccount
		}
	}
	s.cache.put(key, id, now, era)
	if now.Sub(seen) >= seenEvery {
		s.writeSeen(found, ofMachine, now)
	}
	return readAt{id, now}, nil
}

// ownAccount is what is left to who has to change the password, or to set up the second factor, first.
var ownAccount = []policy.Action{policy.ServiceDescribe, policy.SessionOpen, policy.AccountOwn}

func isAdministrator(posts []policy.Post, at time.Time) bool {
	for i := range posts {
		if posts[i].Role == policy.Administrator && posts[i].InForce(at) {
			return true
		}
	}
	return false
}

func (s *Service) idle(posts []policy.Post, at time.Time) time.Duration {
	if isAdministrator(posts, at) {
		return min(s.cfg.Limits.AdminIdle, s.cfg.Limits.Idle)
	}
	return s.cfg.Limits.Idle
}

// writeSeen writes down that a session or token is used, while the request goes on. What is lost is written by the next.
func (s *Service) writeSeen(id uuid.UUID, ofMachine bool, at time.Time) {
	sql := `UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2`
	if ofMachine {
		sql = `UPDATE token SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)`
	}
	s.writing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		_ = pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql, id, at)
			return err
		})
	})
}

// InUse tells whether a person has an account that may sign in.
func (s *Service) InUse(ctx context.Context, person uuid.UUID) (bool, error) {
	var inUse bool
	err := s.cfg.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM account WHERE person_id = $1 AND disabled_at IS NULL)`, person).Scan(&inUse)
	if err != nil {
		return false, fmt.Errorf("read an account: %w", err)
	}
	return inUse, nil
}

// Visitor is who has not signed in.
func (s *Service) Visitor(ctx context.Context) (*policy.Actor, error) {
	now := s.cfg.Now()
	if v := s.visitor.Load(); v != nil && !now.Before(v.at) && now.Sub(v.at) < goodFor {
		return v.actor, nil
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	v := &visitor{&policy.Actor{Public: set.PublicMap, Told: set.ResidentReports}, now}
	s.visitor.Store(v)
	return v.actor, nil
}

type visitor struct {
	actor *policy.Actor
	at    time.Time
}

// Forget drops what is in memory: people, posts or settings have changed.
func (s *Service) Forget() {
	s.cache.drop()
	s.visitor.Store(nil)
}

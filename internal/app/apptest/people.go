package apptest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/policy"
)

// CityArea is the city itself, as what a post is for.
var CityArea = policy.Area{Level: policy.City, Code: "330481"}

// TownArea is the city's only town.
var TownArea = policy.Area{Level: policy.Town, Code: "330481101"}

// VillageArea is the village in column vx, row vy.
func VillageArea(vx, vy int) policy.Area {
	return policy.Area{Level: policy.Village, Code: VillageCode(vx, vy)}
}

// GridArea is the grid in column x, row y.
func GridArea(x, y int) policy.Area { return policy.Area{Level: policy.Grid, Code: GridCode(x, y)} }

// Post is a post of a role for an area, in force since yesterday.
func Post(role policy.Role, area policy.Area) policy.Post {
	return policy.Post{Role: role, Area: area, From: Now.AddDate(0, 0, -1)}
}

// Everything are posts that together may do all that a post may.
func Everything() (posts []policy.Post) {
	for _, role := range policy.Roles {
		posts = append(posts, Post(role, CityArea))
	}
	return posts
}

// Unit makes a unit that works in the area.
func Unit(t testing.TB, c *app.City, kind policy.UnitKind, area policy.Area) policy.UnitID {
	t.Helper()
	var id policy.UnitID
	err := pgx.BeginFunc(t.Context(), c.Pool, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `INSERT INTO unit (kind, name, level, code, version) VALUES ($1, $2, nullif($3, ''), nullif($4, ''), 1) RETURNING id`,
			kind, "unit "+uuid.NewString(), area.Level, area.Code).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// SignIn makes a person with the posts, and a session of theirs; it returns the session's token. It writes rows as they
// are, so that a person may hold what no administrator could give.
func SignIn(t testing.TB, c *app.City, posts ...policy.Post) (token string, person uuid.UUID) {
	t.Helper()
	return SignInAt(t, c.Pool, Now, posts...)
}

// SignInAt is SignIn at another time, on any connection that sees the city's schema.
func SignInAt(t testing.TB, db interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}, now time.Time, posts ...policy.Post) (token string, person uuid.UUID) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	token = base64.RawURLEncoding.EncodeToString(secret)
	hash := sha256.Sum256([]byte(token))
	person = uuid.New()
	day := func(at time.Time) *string {
		if at.IsZero() {
			return nil
		}
		return new(at.In(zone).Format(time.DateOnly))
	}
	err = pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`INSERT INTO person (id, name, machine, created_at, version) VALUES ($1, '王小明', false, $2, 1)`, person, now)
		b.Queue(`INSERT INTO account (person_id, login, password_at, must_change, demo, totp_step, created_at) VALUES ($1, $2, $3, false, false, 0, $3)`,
			person, person.String(), now)
		b.Queue(`INSERT INTO session (id, hash, person_id, made_at, seen_at, ends_at, address, agent) VALUES ($1, $2, $3, $4, $4, $5, '', '')`,
			uuid.New(), hash[:], person, now, now.AddDate(0, 0, 7))
		for _, p := range posts {
			until := p.Until // the last day is the one before
			if !until.IsZero() {
				until = until.AddDate(0, 0, -1)
			}
			var unit *policy.UnitID
			area := p.Area
			if p.Unit != 0 {
				unit, area = &p.Unit, policy.Area{}
			}
			b.Queue(`INSERT INTO post (person_id, role, unit_id, level, code, begins, ends, certificate, certificate_until, version)
				VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6::date, $7::date, 'ZJ-1', '2030-01-01', 1)`,
				person, p.Role, unit, area.Level, area.Code, day(p.From), day(until))
		}
		return tx.SendBatch(t.Context(), b).Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return token, person
}

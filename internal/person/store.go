package person

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

const selectPerson = `
	SELECT p.id, p.name, coalesce(p.phone, ''), coalesce(p.email, ''), p.machine, coalesce(a.login, ''), p.created_at, p.erased_at, p.version
	FROM person p LEFT JOIN account a ON a.person_id = p.id`

func scanPerson(row pgx.CollectableRow) (p Person, err error) {
	err = row.Scan(&p.ID, &p.Name, &p.Phone, &p.Email, &p.Machine, &p.Login, &p.CreatedAt, &p.ErasedAt, &p.Version)
	return p, err
}

const selectUnit = `
	SELECT u.id, u.kind, u.name, coalesce(u.name_en, ''), coalesce(u.level, ''), coalesce(u.code, ''), u.closed_at, u.version
	FROM unit u`

func scanUnit(row pgx.CollectableRow) (u Unit, err error) {
	err = row.Scan(&u.ID, &u.Kind, &u.Name, &u.NameEN, &u.Area.Level, &u.Area.Code, &u.ClosedAt, &u.Version)
	return u, err
}

const selectPost = `
	SELECT o.id, o.person_id, o.role, coalesce(o.unit_id, 0), coalesce(u.name, ''), coalesce(u.kind, ''), coalesce(o.level, u.level, ''),
		coalesce(o.code, u.code, ''), to_char(o.begins, 'YYYY-MM-DD'), coalesce(to_char(o.ends, 'YYYY-MM-DD'), ''),
		coalesce(o.certificate, ''), coalesce(to_char(o.certificate_until, 'YYYY-MM-DD'), ''), coalesce(o.station, ''), o.version
	FROM post o LEFT JOIN unit u ON u.id = o.unit_id`

func scanPost(row pgx.CollectableRow) (p Post, err error) {
	var kind policy.UnitKind
	err = row.Scan(&p.ID, &p.Person, &p.Role, &p.Unit, &p.UnitName, &kind, &p.Area.Level, &p.Area.Code, &p.Begins, &p.Ends,
		&p.Certificate, &p.CertificateUntil, &p.Station, &p.Version)
	if kind != "" && !kind.HasTerritory() {
		p.Area = policy.Area{}
	}
	return p, err
}

// HeldColumns are what the policy wants to know of a post o in a unit u, as [Held] scans them. All are NULL where an outer
// join finds no post.
const HeldColumns = `o.id, o.role, o.unit_id, u.kind, coalesce(o.level, u.level), coalesce(o.code, u.code), o.begins, o.ends`

// Held is a row of HeldColumns.
type Held struct {
	id                      *int64
	role, kind, level, code *string
	unit                    *int64
	begins, ends            *time.Time
}

// Dest are where a row of HeldColumns is scanned to.
func (h *Held) Dest() []any {
	return []any{&h.id, &h.role, &h.unit, &h.kind, &h.level, &h.code, &h.begins, &h.ends}
}

// Post gives the post as the policy takes it; false where there is none. Days begin at midnight in the zone.
func (h *Held) Post(zone *time.Location) (p policy.Post, ok bool) {
	if h.id == nil {
		return p, false
	}
	p = policy.Post{ID: policy.PostID(*h.id), Role: policy.Role(*h.role), From: midnight(*h.begins, zone)}
	if h.ends != nil {
		p.Until = midnight(h.ends.AddDate(0, 0, 1), zone)
	}
	if h.unit != nil {
		p.Unit = policy.UnitID(*h.unit)
	}
	if h.level != nil && (h.kind == nil || policy.UnitKind(*h.kind).HasTerritory()) {
		p.Area = policy.Area{Level: policy.Level(*h.level), Code: *h.code}
	}
	return p, true
}

func person(ctx context.Context, q Querier, id uuid.UUID, lock bool) (Person, error) {
	sql := selectPerson + ` WHERE p.id = $1`
	if lock {
		sql += ` FOR UPDATE OF p`
	}
	rows, err := q.Query(ctx, sql, id)
	if err != nil {
		return Person{}, fmt.Errorf("read person: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPerson)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, fault.NotFound("there is no person %s", id)
	} else if err != nil {
		return p, fmt.Errorf("read person: %w", err)
	}
	return p, nil
}

func unit(ctx context.Context, q Querier, id policy.UnitID, lock string) (Unit, error) {
	rows, err := q.Query(ctx, selectUnit+` WHERE u.id = $1`+lock, id)
	if err != nil {
		return Unit{}, fmt.Errorf("read unit: %w", err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUnit)
	if errors.Is(err, pgx.ErrNoRows) {
		return u, fault.NotFound("there is no unit %d", id)
	} else if err != nil {
		return u, fmt.Errorf("read unit: %w", err)
	}
	return u, nil
}

func post(ctx context.Context, q Querier, id policy.PostID, lock bool) (Post, error) {
	sql := selectPost + ` WHERE o.id = $1`
	if lock {
		sql += ` FOR UPDATE OF o`
	}
	list, err := postsWhere(ctx, q, sql, id)
	switch {
	case err != nil:
		return Post{}, err
	case len(list) == 0:
		return Post{}, fault.NotFound("there is no post %d", id)
	}
	return list[0], nil
}

func postsWhere(ctx context.Context, q Querier, sql string, args ...any) ([]Post, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPost)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	return list, nil
}

// addPosts fills in the posts of people.
func addPosts(ctx context.Context, q Querier, people []Person) error {
	at := make(map[uuid.UUID]int, len(people))
	ids := make([]uuid.UUID, len(people))
	for i := range people {
		ids[i], at[people[i].ID] = people[i].ID, i
	}
	list, err := postsWhere(ctx, q, selectPost+` WHERE o.person_id = ANY($1) ORDER BY o.begins DESC, o.id DESC`, ids)
	for _, p := range list {
		i := at[p.Person]
		people[i].Posts = append(people[i].Posts, p)
	}
	return err
}

// Get reads a person; whom the reach does not cover is not found. A nil reach covers all.
func (s *Service) Get(ctx context.Context, id uuid.UUID, reach *policy.Reach) (Person, error) {
	list, err := s.people(ctx, Query{Reach: reach}, id)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("there is no person %s", id)
	}
	if err != nil {
		return Person{}, err
	}
	return list[0], nil
}

// List reads a page of people, by name.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > 200 {
		return Page{}, fault.Invalid("limit", "out_of_range", "limit is %d: give 1 to 200", q.Limit)
	}
	if f := checkText("search", q.Search, 100, false); f != nil {
		return Page{}, f
	}
	if q.Role != "" && !slices.Contains(policy.Roles, q.Role) {
		return Page{}, fault.Invalid("role", "unknown_role", "there is no role %.60q: use one of %s", q.Role, join(policy.Roles))
	}
	if _, ok := inState[q.State]; !ok {
		return Page{}, fault.Invalid("state", "unknown_value", "%.40q is none of in_force, to_come, ended, none", string(q.State))
	}
	if q.After != "" {
		if _, err := uuid.Parse(q.After); err != nil {
			return Page{}, fault.Invalid("after", "bad_cursor", "is no end of a page: give what the page before said")
		}
	}
	list, err := s.people(ctx, q, uuid.Nil)
	if err != nil {
		return Page{}, err
	}
	page := Page{People: list}
	if len(list) > q.Limit {
		page.People = list[:q.Limit]
		page.Next = list[q.Limit-1].ID.String()
	}
	return page, nil
}

// conditions collects what stands in a WHERE.
type conditions struct {
	sql  []string
	args []any
}

// add appends a condition; each ? stands for the next argument.
func (c *conditions) add(sql string, args ...any) {
	for _, a := range args {
		c.args = append(c.args, a)
		sql = strings.Replace(sql, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	c.sql = append(c.sql, sql)
}

// inState are conditions on a post o; ? is today.
var inState = map[State]string{
	"":      `coalesce(o.ends, 'infinity') >= greatest(o.begins, ?::date)`,
	NoPost:  `coalesce(o.ends, 'infinity') >= greatest(o.begins, ?::date)`,
	InForce: `?::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')`,
	ToCome:  `o.begins > ?::date AND coalesce(o.ends, 'infinity') >= o.begins`,
	Ended:   `o.ends < ?::date AND o.ends >= o.begins`,
}

// people reads those whom a query asks for, one more than its limit; or with an id, that one, erased or not.
func (s *Service) people(ctx context.Context, q Query, id uuid.UUID) ([]Person, error) {
	var c conditions
	today := string(dayOf(s.Now(), s.Zone))
	if id != uuid.Nil {
		c.add(`p.id = ?`, id)
	} else {
		c.add(`p.erased_at IS NULL`)
	}
	if q.Reach != nil {
		s.within(&c, q.Reach, today)
	}
	if text := strings.TrimSpace(q.Search); text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
		c.add(`(p.name ILIKE ? OR (? AND a.login ILIKE ?) OR p.phone = ? OR EXISTS (SELECT FROM post o WHERE o.person_id = p.id AND o.code = ?))`,
			like, q.Logins, like, text, text)
	}
	if q.Kind != 0 {
		c.add(`p.machine = ?`, q.Kind == Machines)
	}
	if q.Unit != 0 || q.Role != "" || q.State != "" {
		has := `EXISTS`
		if q.State == NoPost {
			has = `NOT EXISTS`
		}
		c.add(has+` (SELECT FROM post o WHERE o.person_id = p.id AND (?::bigint = 0 OR o.unit_id = ?) AND (?::text = '' OR o.role = ?)
			AND `+inState[q.State]+`)`, q.Unit, q.Unit, string(q.Role), string(q.Role), today)
	}
	if q.After != "" {
		c.add(`(p.name, p.id) > (SELECT l.name, l.id FROM person l WHERE l.id = ? AND l.erased_at IS NULL)`, q.After)
	}
	sql := selectPerson + ` WHERE ` + strings.Join(c.sql, " AND ") + ` ORDER BY p.name, p.id`
	if q.Limit > 0 {
		sql += fmt.Sprintf(` LIMIT %d`, q.Limit+1)
	}
	rows, err := s.Pool.Query(ctx, sql, c.args...)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPerson)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return list, addPosts(ctx, s.Pool, list)
}

// within keeps those whom a reach covers: by a post that has not ended in one of its units, or in one of its areas or
// below. Who has no post is in the whole city's reach alone.
func (s *Service) within(c *conditions, r *policy.Reach, today string) {
	if r.City {
		return
	}
	levels, codes, everywhere := []string{}, []string{}, false
	plan := s.plan()
	for _, a := range r.Areas {
		below := []policy.Area{a}
		switch {
		case a.Level == policy.City:
			everywhere = true
		case plan != nil:
			below = append(below, plan.Below(a)...)
		}
		for _, b := range below {
			levels, codes = append(levels, string(b.Level)), append(codes, b.Code)
		}
	}
	units := make([]int64, len(r.Units))
	for i, u := range r.Units {
		units[i] = int64(u)
	}
	own := uuid.Nil
	if r.Own {
		own = r.Me
	}
	// A unit without territory lies in no area, whatever its own jurisdiction.
	c.add(`(p.id = ? OR EXISTS (SELECT FROM post o LEFT JOIN unit u ON u.id = o.unit_id
		WHERE o.person_id = p.id AND coalesce(o.ends, 'infinity') >= greatest(o.begins, ?::date) AND (o.unit_id = ANY(?::bigint[])
			OR ((u.id IS NULL OR u.kind <> ALL(?::text[])) AND coalesce(o.level, u.level) IS NOT NULL
				AND (? OR (coalesce(o.level, u.level), coalesce(o.code, u.code)) IN (SELECT level, code FROM unnest(?::text[], ?::text[]) AS a (level, code)))))))`,
		own, today, units, withoutTerritory(), everywhere, levels, codes)
}

func withoutTerritory() (kinds []string) {
	for _, k := range policy.UnitKinds {
		if !k.HasTerritory() {
			kinds = append(kinds, string(k))
		}
	}
	return kinds
}

func (s *Service) plan() Plan {
	if s.Plan == nil {
		return nil
	}
	return s.Plan()
}

// Unit reads a unit.
func (s *Service) Unit(ctx context.Context, id policy.UnitID) (Unit, error) {
	return unit(ctx, s.Pool, id, "")
}

// Units lists the units by kind and name, closed ones too.
func (s *Service) Units(ctx context.Context) ([]Unit, error) {
	rows, err := s.Pool.Query(ctx, selectUnit+` ORDER BY u.kind, u.name, u.id`)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanUnit)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	return list, nil
}

// Post reads a post.
func (s *Service) Post(ctx context.Context, id policy.PostID) (Post, error) {
	return post(ctx, s.Pool, id, false)
}

// PostsOf gives a person's posts, past and future ones too, as the policy takes them: from the first day's midnight in the
// city's zone until the midnight after the last.
func (s *Service) PostsOf(ctx context.Context, q Querier, person uuid.UUID) ([]policy.Post, error) {
	rows, err := q.Query(ctx, `SELECT `+HeldColumns+` FROM post o LEFT JOIN unit u ON u.id = o.unit_id WHERE o.person_id = $1 ORDER BY o.id`, person)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (policy.Post, error) {
		var h Held
		if err := row.Scan(h.Dest()...); err != nil {
			return policy.Post{}, err
		}
		p, _ := h.Post(s.Zone)
		return p, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	return list, nil
}

// Names tells what people and machines are called now; who was erased is not among them.
func (s *Service) Names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id, name FROM person WHERE id = ANY($1) AND erased_at IS NULL`, ids)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n struct {
		id   uuid.UUID
		name string
	}, err error) {
		err = row.Scan(&n.id, &n.name)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	out := make(map[uuid.UUID]string, len(names))
	for _, n := range names {
		out[n.id] = n.name
	}
	return out, nil
}

// NamesWithin are the names of those people whom a reach covers.
func (s *Service) NamesWithin(ctx context.Context, ids []uuid.UUID, reach *policy.Reach) (map[uuid.UUID]string, error) {
	if len(ids) == 0 || reach.Empty() {
		return map[uuid.UUID]string{}, nil
	}
	var c conditions
	c.add(`p.id = ANY(?)`, ids)
	s.within(&c, reach, string(dayOf(s.Now(), s.Zone)))
	rows, err := s.Pool.Query(ctx, `SELECT p.id FROM person p WHERE `+strings.Join(c.sql, " AND "), c.args...)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	covered, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	return s.Names(ctx, covered)
}

func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// null turns "" into NULL.
func null[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	text := string(s)
	return &text
}

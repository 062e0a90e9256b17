package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// Staff is all that is held of somebody who works here, to be handed out.
type Staff struct {
	ID        uuid.UUID      `json:"id"`
	City      string         `json:"city"`
	CreatedAt time.Time      `json:"created_at"`
	ErasedAt  *time.Time     `json:"erased_at,omitempty"`
	Name      string         `json:"name"`
	Phone     string         `json:"phone,omitempty"`
	Email     string         `json:"email,omitempty"`
	Login     string         `json:"login,omitempty"` // none: no account
	Posts     []StaffPost    `json:"posts"`
	Sessions  []StaffSession `json:"sessions"`
	Reports   []report.Num   `json:"reports"`          // filed by the account
	Photos    []photo.ID     `json:"photos,omitempty"` // likewise uploaded
	Voices    []photo.ID     `json:"voices,omitempty"` // likewise spoken
	Acts      []StaffAct     `json:"acts"`             // on record, the newest first
	// Held is what else there is of the person, by what it is.
	Held map[string][]json.RawMessage `json:"held"`
}

// holdings say how the rest of what is held of somebody is read: the rows, as their columns are named, of the person $1. What opens
// doors (hashes, secrets) is not handed out. TestStaffExportIsWhole tells of a column that is in none of them.
var holdings = []struct{ name, sql string }{
	{"account", `SELECT created_at, password_at, must_change, totp_confirmed_at, disabled_at, issuer, subject FROM account WHERE person_id = $1`},
	{"tokens", `SELECT name, scopes, made_at, seen_at, expires_at, revoked_at FROM token WHERE person_id = $1 ORDER BY made_at, id`},
	{"devices", `SELECT made_at, seen_at FROM device WHERE person_id = $1 ORDER BY made_at, hash`},
	{"recovery_codes", `SELECT count(*) AS given, count(used_at) AS used FROM recovery_code WHERE person_id = $1 HAVING count(*) > 0`},
	{"skills", `SELECT skill FROM person_skill WHERE person_id = $1 ORDER BY skill`},
	{"shifts", `SELECT u.name AS unit, s.from_at, s.to_at, s.kind, s.changed_at FROM shift s JOIN unit u ON u.id = s.unit_id WHERE s.person_id = $1 ORDER BY s.from_at`},
	{"swaps", `
		SELECT u.name AS unit, CASE WHEN s.person_id = $1 THEN 'gives' ELSE 'is_asked' END AS as_who, s.from_at, s.to_at, s.other_from, s.other_to, s.state, s.asked_at, s.answered_at
		FROM shift_swap s JOIN unit u ON u.id = s.unit_id WHERE $1 IN (s.person_id, s.other_id) ORDER BY s.asked_at, s.id`},
	{"leave", `SELECT u.name AS unit, l.from_at, l.to_at, l.kind, l.granted, l.asked_at FROM leave l JOIN unit u ON u.id = l.unit_id WHERE l.person_id = $1 ORDER BY l.from_at`},
	{"position_consent", `SELECT given_at FROM position_consent WHERE person_id = $1`},
	{"last_position", `SELECT lon, lat, accuracy_m, at FROM last_position WHERE person_id = $1`},
	{"calendar_address", `SELECT made_at FROM calendar_feed WHERE person_id = $1`},
	{"push_devices", `SELECT host, agent, language, made_at, said_at, sent_at, failing_since, failures, why FROM push_subscription WHERE person_id = $1 ORDER BY made_at, id`},
	{"mail_choice", `SELECT language, amber, late, red, supervise, push_amber, push_late, push_red, push_supervise FROM notice_choice WHERE person_id = $1`},
	{"notices", `SELECT step, why, report_num AS report, part, words_zh, words_en, at, read_at FROM notice WHERE person_id = $1 ORDER BY id`},
	{"views", `
		SELECT v.name, u.name AS unit, v.content, v.changed_at FROM queue_view v LEFT JOIN unit u ON u.id = v.unit_id
		WHERE v.person_id = $1 OR v.changed_by = $1 ORDER BY v.changed_at, v.id`},
	{"cases_in_hand", `SELECT report_num AS report, part, state FROM cases WHERE handler = $1 ORDER BY report_num, part`},
	{"cases_dealt_with", `SELECT report_num AS report, part, state FROM cases WHERE done_by = $1 ORDER BY report_num, part`},
	{"case_acts", `SELECT report_num AS report, part, at, done_at, act, is_now, reason FROM case_act WHERE person_id = $1 ORDER BY at, report_num, part, n`},
	{"late_acts", `SELECT report_num AS report, part, at, done_at, act, was, reason, detail FROM late_act WHERE person_id = $1 ORDER BY at, report_num, part, n`},
	{"photos_used", `SELECT photo_id AS photo, report_num AS report, part, used_at FROM photo_use WHERE used_by = $1 ORDER BY used_at, photo_id, report_num, part, n`},
	{"batches", `SELECT acts, state, made_at, address, CASE WHEN made_by = $1 THEN 'made' ELSE 'cancelled' END AS as_who FROM batch WHERE $1 IN (made_by, cancelled_by) ORDER BY made_at, id`},
	{"lists_carried_over", `SELECT regime_id AS list, begun_at, done_at, cases FROM recount WHERE person_id = $1 ORDER BY begun_at`},
	{"screenings", `SELECT id AS screening, at, made AS proposals FROM screening WHERE person_id = $1 ORDER BY id`},
	{"proposals_decided", `SELECT proposal_id AS proposal, at, act, reason FROM proposal_act WHERE person_id = $1 ORDER BY at, proposal_id, n`},
	{"investigations", `
		SELECT o.id AS investigation, o.day, o.state, o.ordered_by = $1 AS ordered_it FROM investigation_order o
		WHERE $1 IN (o.officer1, o.officer2, o.ordered_by) OR EXISTS (SELECT FROM order_officer x WHERE x.order_id = o.id AND x.person_id = $1) ORDER BY o.id`},
	{"investigation_acts", `SELECT order_id AS investigation, at, act, reason FROM order_act WHERE person_id = $1 ORDER BY at, order_id, n`},
	{"patrol_points", `SELECT id AS point, name, made_at, made_by = $1 AS made_it, changed_at, changed_by = $1 AS changed_it, removed_at FROM patrol_point WHERE $1 IN (made_by, changed_by) ORDER BY id`},
	{"patrol_visits", `
		SELECT v.id AS visit, v.point_id AS point, p.name, v.at, v.told_at, v.lon, v.lat, v.accuracy_m, v.distance_m, v.note FROM patrol_visit v JOIN patrol_point p ON p.id = v.point_id
		WHERE v.person_id = $1 ORDER BY v.at, v.id`},
	{"pictures_taken", `SELECT id AS photo, encode(taken_digest, 'hex') AS sha256 FROM photo WHERE uploaded_by = $1 AND taken_digest IS NOT NULL ORDER BY id`},
	{"phone_of_reports", `
		SELECT d.report_num AS report, d.position_at, d.ahead_ms, d.plan, d.grid, d.sure FROM report_device d JOIN report r ON r.num = d.report_num
		WHERE r.filed_by = $1 ORDER BY d.report_num`},
	{"documents_changed", `SELECT id, kind, state, changed_at FROM regime WHERE changed_by = $1 ORDER BY id`},
}

// held reads the holdings of a person.
func (c *City) held(ctx context.Context, id uuid.UUID) (map[string][]json.RawMessage, error) {
	held := map[string][]json.RawMessage{}
	for _, h := range holdings {
		rows, err := c.Pool.Query(ctx, `SELECT to_jsonb(r) FROM (`+h.sql+`) r`, id)
		if err != nil {
			return nil, fmt.Errorf("read %s of somebody who works here: %w", h.name, err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
		if err != nil {
			return nil, fmt.Errorf("read %s of somebody who works here: %w", h.name, err)
		}
		if len(list) > 0 {
			held[h.name] = list
		}
	}
	return held, nil
}

// StaffPost is a post, past and future ones too.
type StaffPost struct {
	Role             string     `json:"role"`
	Unit             string     `json:"unit,omitempty"`
	Level            string     `json:"level,omitempty"`
	Code             string     `json:"code,omitempty"`
	Station          string     `json:"station,omitempty"`
	Begins           person.Day `json:"begins"`
	Ends             person.Day `json:"ends,omitempty"`
	Certificate      string     `json:"certificate,omitempty"`
	CertificateUntil person.Day `json:"certificate_until,omitempty"`
}

// StaffSession is a session that lasts.
type StaffSession struct {
	MadeAt  time.Time `json:"made_at"`
	SeenAt  time.Time `json:"seen_at"`
	Address string    `json:"address"`
	Agent   string    `json:"agent"`
}

// StaffAct is an act on record.
type StaffAct struct {
	At      time.Time `json:"at"`
	Act     string    `json:"act"`
	Subject string    `json:"subject"`
	Address string    `json:"address,omitempty"`
}

// actsPage is how many acts are read at once.
const actsPage = 1000

// ExportStaff gives all that is held of somebody who works here, with an account or without. It goes on record.
func (c *City) ExportStaff(ctx context.Context, id uuid.UUID) (Staff, error) {
	p, err := c.People.Get(ctx, id, nil)
	if err != nil {
		return Staff{}, err
	}
	s := Staff{ID: p.ID, City: c.Code, CreatedAt: p.CreatedAt.UTC(), ErasedAt: p.ErasedAt, Name: p.Name, Phone: p.Phone, Email: p.Email, Login: p.Login,
		Posts: []StaffPost{}, Sessions: []StaffSession{}, Acts: []StaffAct{}}
	for _, o := range p.Posts {
		s.Posts = append(s.Posts, StaffPost{string(o.Role), o.UnitName, string(o.Area.Level), o.Area.Code, string(o.Station), o.Begins, o.Ends, o.Certificate, o.CertificateUntil})
	}
	sessions, err := c.Auth.Sessions(ctx, p.ID)
	if err != nil {
		return Staff{}, err
	}
	for _, o := range sessions {
		s.Sessions = append(s.Sessions, StaffSession{o.MadeAt.UTC(), o.SeenAt.UTC(), o.Address, o.Agent})
	}
	rows, err := c.Pool.Query(ctx, `SELECT num FROM report WHERE filed_by = $1 ORDER BY num`, p.ID)
	if err == nil {
		s.Reports, err = pgx.CollectRows(rows, pgx.RowTo[report.Num])
	}
	if err != nil {
		return Staff{}, fmt.Errorf("read whose account filed reports: %w", err)
	}
	if s.Photos, err = c.Photos.UploadedBy(ctx, p.ID, photo.Picture); err != nil {
		return Staff{}, err
	}
	if s.Voices, err = c.Photos.UploadedBy(ctx, p.ID, photo.Spoken); err != nil {
		return Staff{}, err
	}
	if s.Held, err = c.held(ctx, p.ID); err != nil {
		return Staff{}, err
	}
	for before := int64(0); ; {
		page, err := audit.List(ctx, c.Pool, audit.Query{Person: p.ID, Before: before, Limit: actsPage})
		if err != nil {
			return Staff{}, err
		}
		for _, r := range page.Rows {
			s.Acts = append(s.Acts, StaffAct{r.At, r.Act, r.Subject, r.Address})
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	err = postgres.Transact(ctx, c.Pool, func(tx pgx.Tx) error {
		_, err := c.Writer.Append(ctx, tx, c.now().UTC(), nil, audit.Record{Act: "person.export", Subject: "person:" + p.ID.String()})
		return err
	})
	if err != nil {
		return Staff{}, err
	}
	return s, nil
}

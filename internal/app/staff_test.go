package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gridgov/internal/auth"
	"gridgov/internal/casework"
	"gridgov/internal/policy"
)

// ofPeople says of each column that names somebody who works here where an export has what it tells; the last word of a table that
// keeps none is why.
var ofPeople = map[string]string{
	"account.person_id": "account", "batch.cancelled_by": "batches", "batch.made_by": "batches", "calendar_feed.person_id": "calendar_address",
	"case_act.person_id": "case_acts", "cases.done_by": "cases_dealt_with", "cases.handler": "cases_in_hand", "device.person_id": "devices",
	"last_position.person_id": "last_position", "late_act.person_id": "late_acts", "leave.person_id": "leave", "notice.person_id": "notices", "notice_choice.person_id": "mail_choice",
	"oidc_pending.person_id": "", // minutes, on the way to the identity provider and back
	"person_skill.person_id": "skills", "photo.uploaded_by": ".photos", "photo_use.used_by": "photos_used", "position_consent.person_id": "position_consent",
	"post.person_id": ".posts", "push_subscription.person_id": "push_devices", "queue_view.changed_by": "views", "queue_view.person_id": "views", "recount.person_id": "lists_carried_over",
	"recovery_code.person_id": "recovery_codes", "session.person_id": ".sessions", "shift.person_id": "shifts", "shift_swap.other_id": "swaps",
	"shift_swap.person_id": "swaps", "token.person_id": "tokens",
	"investigation_order.officer1": "investigations", "investigation_order.officer2": "investigations", "investigation_order.ordered_by": "investigations",
	"order_act.person_id": "investigation_acts", "order_officer.person_id": "investigations", "proposal_act.person_id": "proposals_decided", "screening.person_id": "screenings",
	"patrol_point.made_by": "patrol_points", "patrol_point.changed_by": "patrol_points", "patrol_visit.person_id": "patrol_visits",
	// Without a foreign key: they outlive the person, or are of a machine.
	"regime.changed_by": "documents_changed", "report.filed_by": ".reports", "audit.person": ".acts",
}

// Nothing that is held of somebody who works here is missing in what is handed out, and when they are erased what is theirs alone goes.
func TestStaffExportIsWhole(t *testing.T) {
	o := newOffice(t)
	c, ctx := o.c, t.Context()
	var columns []string
	if err := c.Pool.QueryRow(ctx, `
		SELECT array_agg(DISTINCT k.conrelid::regclass::text || '.' || a.attname) FROM pg_constraint k
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
		WHERE k.contype = 'f' AND k.confrelid IN ('person'::regclass, 'account'::regclass, 'position_consent'::regclass)`).Scan(&columns); err != nil {
		t.Fatal(err)
	}
	for _, column := range columns {
		column = column[strings.LastIndex(column[:strings.LastIndex(column, ".")], ".")+1:] // without its schema
		if _, known := ofPeople[column]; !known {
			t.Errorf("%s names people, and no export has it", column)
		}
	}
	if len(columns) < 25 {
		t.Fatalf("only %v were found", columns)
	}
	if _, err := c.Auth.CreateAccount(ctx, auth.NewAccount{Person: o.worker, Login: "worker", Password: "watch-the-tidal-bore"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Auth.SignIn(ctx, auth.Attempt{Login: "worker", Password: "watch-the-tidal-bore", Address: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Claim, casework.Begin, casework.FeedBack)
	o.do(casework.Ref{Report: o.filed()}, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Claim)
	for _, sql := range []string{
		`INSERT INTO post (person_id, role, unit_id, begins, version) SELECT $1, 'unit_member', min(id), '2026-01-01', 1 FROM unit`,
		`INSERT INTO token (id, hash, person_id, name, scopes, made_at, expires_at) SELECT gen_random_uuid(), sha256('c'), $1, 'script', '{}', m, m FROM (SELECT timestamptz '2026-01-01' m) x`,
		`INSERT INTO recovery_code (hash, person_id) SELECT sha256('d'), $1`,
		`INSERT INTO person_skill (person_id, skill) VALUES ($1, '无人机')`,
		`INSERT INTO shift (unit_id, person_id, from_at, to_at, kind, version, changed_at) SELECT min(id), $1, '2026-01-01', '2026-01-02', 'duty', 1, '2026-01-01' FROM unit`,
		`INSERT INTO shift_swap (unit_id, person_id, other_id, from_at, to_at, state, asked_at) SELECT min(u.id), (array_agg(p.id))[1], $1, '2026-01-01', '2026-01-02', 'asked', '2026-01-01'
			FROM unit u, person p WHERE p.id <> $1`,
		`INSERT INTO leave (unit_id, person_id, from_at, to_at, kind, granted, asked_at) SELECT min(id), $1, '2026-02-01', '2026-02-02', 'sick', true, '2026-01-01' FROM unit`,
		`INSERT INTO position_consent (person_id, given_at) VALUES ($1, '2026-01-01')`,
		`INSERT INTO last_position (person_id, lon, lat, accuracy_m, at) VALUES ($1, 120, 30, 5, '2026-01-01')`,
		`INSERT INTO calendar_feed (person_id, hash, made_at) VALUES ($1, sha256('e'), '2026-01-01')`,
		`INSERT INTO push_subscription (id, person_id, session_id, endpoint, sealed, host, agent, language, made_at, said_at, failures)
			SELECT gen_random_uuid(), $1, gen_random_uuid(), sha256('g'), 'sealed', 'fcm.googleapis.com', 'Firefox', 'zh', m, m, 0 FROM (SELECT timestamptz '2026-01-01' m) x`,
		`INSERT INTO notice_choice (person_id, language, amber, red, supervise) VALUES ($1, 'zh', true, true, true)`,
		`INSERT INTO notice (person_id, step, why, words_zh, words_en, at) VALUES ($1, 'webhook', 'administrator', '未送达', 'given up', '2026-01-01')`,
		`INSERT INTO late_act (report_num, part, n, at, seen, was, after, act, person_id, reason, detail, key)
			SELECT report_num, part, 1, '2026-01-01', 0, 'reported', 1, 'note', $1, '已清', '{}', gen_random_uuid() FROM cases ORDER BY report_num LIMIT 1`,
		`INSERT INTO queue_view (id, person_id, name, content, place, changed_at, changed_by) VALUES (gen_random_uuid(), $1, '我的', '{}', 0, '2026-01-01', $1)`,
		`INSERT INTO batch (id, acts, ask, content, state, made_at, made_by, address, starts_at) VALUES (gen_random_uuid(), '{accept}', '{}', '', 'waiting', '2026-01-01', $1, '192.0.2.1', '2026-01-01')`,
		`INSERT INTO recount (regime_id, person_id, begun_at, cases, clocks) SELECT min(id), $1, '2026-01-01', 0, 0 FROM regime ON CONFLICT (regime_id) DO UPDATE SET person_id = excluded.person_id`,
		`INSERT INTO regime (kind, state, content, edits, changed_at, changed_by) VALUES ('rules', 'draft', '{}', 1, '2026-01-01', $1)`,
		`UPDATE report SET filed_by = $1 WHERE num = 1`,
		`INSERT INTO screening (at, person_id, epoch, seq, list_id, level, days, least, q, seed, from_at, to_at, reports, units, proposals, made, took_ms, cut, result, digest)
			SELECT '2026-01-01', $1, 1, 1, min(id), 'grid', 28, 12, 0.05, 1, '2026-01-01', '2026-01-01', 1, 1, 1, 1, 1, '', '', sha256('f') FROM regime`,
		`INSERT INTO proposal (screening_id, n, item, level, town, villages, grids, units, told, found, expected, facts, made_at, state, version)
			SELECT s.id, 0, '01', 'grid', '', '{}', '{}', '{x}', 1, 0, 1, '{}', '2026-01-01', 'open', 1 FROM screening s JOIN person p ON p.id = s.person_id WHERE p.id = $1`,
		`INSERT INTO proposal_act (proposal_id, n, at, act, person_id) SELECT max(id), 1, '2026-01-01', 'decline', $1 FROM proposal`,
		`INSERT INTO investigation_order (state, version, unit_id, supporting, day, level, units, towns, villages, grids, objects, items, officer1_post, officer1, officer2_post, officer2,
				ordered_at, ordered_by, ended_at)
			SELECT 'cancelled', 1, min(u.id), '{}', '2026-01-01', 'grid', '{x}', '{}', '{}', '{}', '{}', '{01}', min(o.id), $1, min(o.id), (array_agg(p.id))[1], '2026-01-01', $1, '2026-01-02'
			FROM unit u, post o, person p WHERE p.id <> $1`,
		`INSERT INTO order_act (order_id, n, at, act, person_id, detail) SELECT max(id), 1, '2026-01-01', 'order', $1, '{}' FROM investigation_order`,
		`INSERT INTO patrol_point (name, lon, lat, rhythm_days, generated, made_at, made_by, version, changed_at, changed_by) VALUES ('桥', 120, 30, 7, false, '2026-01-01', $1, 1, '2026-01-01', $1)`,
		`INSERT INTO patrol_visit (id, point_id, person_id, at, told_at, lon, lat, accuracy_m, distance_m, reach_m, note, generated)
			SELECT gen_random_uuid(), max(id), $1, '2026-01-01', '2026-01-01', 120.0001, 30, 5, 9.6, 50, '都好', false FROM patrol_point`,
		`INSERT INTO photo (id, kind, uploaded_by, state, length, received, made_at, changed_at, mime, ms) SELECT gen_random_uuid(), 'voice', $1, 'ready', 1, 1, m, m, 'audio/webm', 900
			FROM (SELECT timestamptz '2026-01-01' m) x`,
	} {
		if _, err := c.Pool.Exec(ctx, sql, o.worker); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	held, err := c.ExportStaff(ctx, o.worker)
	if err != nil {
		t.Fatal(err)
	}
	have := slices.Collect(maps.Keys(held.Held))
	for name, n := range map[string]int{".photos": len(held.Photos), ".posts": len(held.Posts), ".sessions": len(held.Sessions), ".reports": len(held.Reports), ".acts": len(held.Acts)} {
		if n > 0 {
			have = append(have, name)
		}
	}
	for column, name := range ofPeople {
		if name != "" && !slices.Contains(have, name) {
			t.Errorf("the export says nothing of %s; it has %v", column, have)
		}
	}
	for name, list := range held.Held {
		for _, row := range list {
			if strings.Contains(string(row), "hash") || strings.Contains(string(row), "sealed") || strings.Contains(string(row), "password\"") {
				t.Errorf("%s hands out a secret: %s", name, row)
			}
		}
	}
	if err := c.Auth.Erase(ctx, o.worker); err != nil {
		t.Fatal(err)
	}
	after, err := c.ExportStaff(ctx, o.worker)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"skills", "position_consent", "last_position", "calendar_address", "mail_choice", "notices", "views", "devices", "recovery_codes", "push_devices"} {
		if len(after.Held[gone]) > 0 || len(held.Held[gone]) == 0 {
			t.Errorf("%s stay: %s", gone, after.Held[gone])
		}
	}
	// That somebody was there stays, as coverage counts it; where exactly they stood and what they wrote goes.
	for _, word := range []string{"120.0001", "都好"} {
		if was, is := held.Held["patrol_visits"], after.Held["patrol_visits"]; !strings.Contains(string(was[0]), word) || len(is) != 1 || strings.Contains(string(is[0]), word) {
			t.Errorf("%s of a visit: before %s, after %s", word, was, is)
		}
	}
	if len(held.Voices) != 1 || len(after.Voices) != 0 || len(after.Photos) != len(held.Photos) {
		t.Errorf("voice notes %v, then %v; photos %v, then %v", held.Voices, after.Voices, held.Photos, after.Photos)
	}
	if len(after.Held["shifts"]) == 0 || after.Name != "" || policy.Role(after.Posts[0].Role) != policy.UnitMember {
		t.Errorf("%+v", after)
	}
}

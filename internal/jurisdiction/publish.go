package jurisdiction

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/audit"
	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

const toleranceM = 0.001

// Check builds every level of a draft again, now with all its levels at hand: gaps that no upper level explains, faces
// out of their parents, what parents cover and no child does, levels that nest. A level right above that was not imported is
// dissolved from the parents' codes. A level above that is the union of its children within the tolerance is stored as
// exactly that union. What the imports said of the polygons as they came stays. acceptGaps, unless it is empty, is why gaps
// in all levels are meant. The plan is checked when nothing is refused.
func (s *Service) Check(ctx context.Context, name, acceptGaps string) (Plan, error) {
	p, err := s.Plan(ctx, name)
	if err != nil {
		return p, err
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		id, err := s.lockDraft(ctx, tx, p.Name)
		if err != nil {
			return err
		}
		refused, err := s.check(ctx, tx, id, acceptGaps)
		if err != nil {
			return err
		}
		state, at := Checked, new(s.at())
		if refused {
			state, at = Draft, nil
		}
		if _, err = tx.Exec(ctx, `UPDATE plan SET state = $2, checked_at = $3 WHERE id = $1`, id, state, at); err != nil {
			return err
		}
		_, err = s.Feed.Append(ctx, tx, s.at(), nil, audit.Record{Act: "plan.check", Subject: id.subject(), After: map[string]any{"state": state}})
		return err
	})
	if err != nil {
		return p, err
	}
	return s.Plan(ctx, p.Name)
}

// built is a stored level with its coverage and what was found.
type built struct {
	stored
	cov      *coverage.Coverage
	ofInput  []coverage.Finding // by the import
	findings []coverage.Finding // by this check
}

func (b *built) refused() bool {
	return coverage.HasRefused(b.ofInput) || coverage.HasRefused(b.findings)
}

func (s *Service) check(ctx context.Context, tx pgx.Tx, plan PlanID, acceptGaps string) (refused bool, err error) {
	if err := s.dropDissolved(ctx, tx, plan); err != nil {
		return false, err
	}
	list, err := s.read(ctx, tx, plan)
	if err != nil {
		return false, err
	}
	if acceptGaps != "" {
		for i := range list {
			list[i].AcceptedGaps = acceptGaps
		}
	}
	if list, err = s.withDissolved(list); err != nil {
		return false, err
	}
	ofInput, err := findings(ctx, tx, plan, true)
	if err != nil {
		return false, err
	}
	var done []*built
	var upper []*coverage.Coverage
	for _, l := range list {
		b := &built{stored: l, ofInput: ofInput[l.Role]}
		if err := b.build(ctx, upper); err != nil {
			return false, err
		}
		done, upper = append(done, b), append(upper, b.cov)
	}
	// From the lowest up, so that a union of unions is the union.
	for i := len(done) - 1; i > 0; i-- {
		if err := nest(done[i], done[i-1]); err != nil {
			return false, err
		}
	}
	for _, b := range done {
		refused = refused || b.refused()
		if err := b.write(ctx, tx, s, plan, b.cov, b.ofInput, b.findings); err != nil {
			return false, err
		}
	}
	return refused, nil
}

// build makes the level's coverage under those of the levels above.
func (b *built) build(ctx context.Context, upper []*coverage.Coverage) (err error) {
	opt := coverage.Options{AcceptGaps: b.AcceptedGaps, Upper: upper}
	if b.WithParent && len(upper) > 0 {
		opt.Parent = upper[len(upper)-1]
	}
	if b.cov, b.findings, err = coverage.Build(ctx, b.polygons(), opt); err != nil {
		return err
	}
	// An outline that touches itself does so in what was made of it too.
	b.findings = slices.DeleteFunc(b.findings, func(f coverage.Finding) bool {
		return f.Kind.OfInput() && slices.ContainsFunc(b.ofInput, func(g coverage.Finding) bool {
			return f.Kind == g.Kind && len(f.Codes) > 0 && slices.Equal(f.Codes, g.Codes)
		})
	})
	if b.Dissolved && len(upper) > 0 { // it names no parents
		uncovered, err := coverage.Uncovered(ctx, b.cov, upper[len(upper)-1], toleranceM, b.AcceptedGaps)
		if err != nil {
			return err
		}
		b.findings = append(b.findings, uncovered...)
	}
	return nil
}

// nest finds out whether the lower level nests in the upper one, and then gives the upper one exactly its children's union.
func nest(lower, upper *built) error {
	lower.Nests = lower.WithParent && !lower.refused() && len(coverage.Nests(lower.cov, upper.cov, toleranceM)) == 0
	if !lower.Nests {
		return nil
	}
	union := lower.cov.Dissolve(func(i int) string { return lower.cov.Faces[i].Parent })
	if union.Len() != upper.cov.Len() {
		return fmt.Errorf("%d faces of level %s dissolve to %d", upper.cov.Len(), upper.Role, union.Len())
	}
	parent := map[string]string{}
	for _, f := range upper.faces {
		parent[f.Code] = f.Parent
	}
	for i := range union.Faces {
		union.Faces[i].Parent = parent[union.Faces[i].Code]
	}
	if n := reshaped(upper.cov, union); n > 0 {
		upper.findings = append(upper.findings, coverage.Finding{Kind: coverage.Joined, Severity: coverage.Repaired, Place: union.InnerPoint(0),
			Message: fmt.Sprintf("%d faces were given exactly the union of their %s, from which they differed by less than %g m", n, lower.Name, toleranceM)})
	}
	upper.cov = union
	return nil
}

// reshaped counts the faces whose shapes differ; the two coverages have the same codes in the same order.
func reshaped(a, b *coverage.Coverage) (n int) {
	for i := range a.Len() {
		if !orb.Equal(a.Shape(i), b.Shape(i)) {
			n++
		}
	}
	return n
}

// withDissolved adds the levels that were not imported but follow from the parents' codes of the level below. Dissolved
// faces have their code for a name and name no parents.
func (s *Service) withDissolved(list []stored) ([]stored, error) {
	var out []stored
	for _, l := range list { // top first
		if rank := s.rank(l.Role); l.WithParent && rank > 0 && !s.namesNearest(&l, out) {
			cov, err := coverage.FromFaces(l.polygons())
			if err != nil {
				return nil, fmt.Errorf("level %s as stored: %w", l.Role, err)
			}
			union := cov.Dissolve(func(i int) string { return cov.Faces[i].Parent })
			up := stored{Level: s.Levels[rank-1], Dissolved: true, AcceptedGaps: l.AcceptedGaps, File: "dissolved from " + l.File, Generated: l.Generated}
			for i := range union.Len() {
				up.faces = append(up.faces, Face{Code: union.Faces[i].Code, Name: union.Faces[i].Code, Line: union.Faces[i].Line, Shape: union.Shape(i)})
			}
			if len(up.faces) > 0 {
				out = append(out, up)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// Publish puts a checked plan in force from a moment (zero: now), and says so on the feed. It runs the check itself when the
// plan is still a draft. Among the faults are plan_refused, no_grids, before_in_force, which is a moment before that of the
// plan in force, and same_moment.
func (s *Service) Publish(ctx context.Context, name string, from time.Time) (Plan, error) {
	p, err := s.Plan(ctx, name)
	if err != nil {
		return p, err
	}
	if p.State == Draft {
		if p, err = s.Check(ctx, p.Name, ""); err != nil {
			return p, err
		}
	}
	switch p.State {
	case Draft:
		return p, fault.Conflict("plan_refused", "plan %q has %d refused findings: see `plan check`, mend the boundaries and import them again", p.Name, p.Findings[coverage.Refused])
	case Published, Retired:
		return p, fault.Conflict("plan_published", "plan %q is published already, in force from %s", p.Name, p.InForceFrom.Format(time.RFC3339))
	}
	if from.IsZero() {
		from = s.at()
	}
	from = from.UTC().Truncate(time.Microsecond)
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		id, err := s.lockDraft(ctx, tx, p.Name)
		if err != nil {
			return err
		}
		list, err := s.read(ctx, tx, id)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(l stored) bool { return l.Role == RoleGrid }) {
			return fault.Conflict("no_grids", "plan %q has no grids yet: import the city's grid level first", p.Name)
		}
		if err := s.notBefore(ctx, tx, from); err != nil {
			return err
		}
		v, err := version(list, from)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE plan SET state = 'published', in_force_from = $2, version = $3, published_at = $4
			WHERE id = $1 AND state = 'checked'`, id, from, v, s.at())
		if isUnique(err) {
			return fault.Conflict("same_moment", "another plan is in force from exactly %s: choose another moment", from.Format(time.RFC3339))
		}
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.Conflict("plan_changed", "plan %q was changed meanwhile: check it again", p.Name)
		}
		_, err = s.Feed.Append(ctx, tx, s.at(), []feed.Event{{Type: feed.PlanPublished, Data: feed.Published{Plan: int64(id), Version: v, InForceFrom: from}}},
			audit.Record{Act: "plan.publish", Subject: id.subject(), After: map[string]any{"version": v, "in_force_from": from}})
		return err
	})
	if err != nil {
		return p, err
	}
	return s.Plan(ctx, p.Name)
}

// notBefore refuses a moment before that of the plan in force, from which a plan would be retired at once. It lets one
// publisher in at a time, once a plan is published.
func (s *Service) notBefore(ctx context.Context, tx pgx.Tx, from time.Time) error {
	if _, err := tx.Exec(ctx, `SELECT id FROM plan WHERE state = 'published' ORDER BY id FOR NO KEY UPDATE`); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	var name string
	var since time.Time
	err := tx.QueryRow(ctx, `
		SELECT name, in_force_from FROM plan WHERE state = 'published' AND in_force_from <= $1
		ORDER BY in_force_from DESC LIMIT 1`, s.at()).Scan(&name, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("publish: %w", err)
	case from.Before(since):
		return fault.Invalid("from", "before_in_force", "plan %q is in force from %s; from %s on, this one would never be in force: choose a later date",
			name, since.UTC().Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return nil
}

func isUnique(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// version digests what a plan's tiles show, and its date, so that the same URL never shows two things.
func version(list []stored, from time.Time) (string, error) {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, from.UnixMicro()) // a hash takes everything
	for _, l := range list {
		for _, f := range l.faces {
			_, _ = fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%s\x00", l.Role, f.Code, f.Name, f.NameLatin, f.Parent)
			if err := digest(h, f.Shape); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func digest(w io.Writer, shape orb.MultiPolygon) error {
	b, err := wkb.Marshal(shape)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

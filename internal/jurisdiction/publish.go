package jurisdiction

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

const toleranceM = 0.001

// Check builds every level of a draft again, now with all its levels at hand: gaps that no upper level explains, faces
// out of their parents, levels that nest. A level whose upper level was not imported gets it dissolved from its parents'
// codes. A level above that is the union of its children within the tolerance is stored as exactly that union. The
// plan is checked when nothing is refused.
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
		if acceptGaps == "" {
			acceptGaps = p.AcceptedGaps
		}
		refused, err := s.check(ctx, tx, id, acceptGaps)
		if err != nil {
			return err
		}
		state, at := Checked, new(s.at())
		if refused {
			state, at = Draft, nil
		}
		_, err = tx.Exec(ctx, `UPDATE plan SET state = $2, checked_at = $3, accepted_gaps = $4 WHERE id = $1`, id, state, at, null(acceptGaps))
		return err
	})
	if err != nil {
		return p, err
	}
	return s.Plan(ctx, p.Name)
}

// built is a stored level with its coverage and what was found in it.
type built struct {
	stored
	cov      *coverage.Coverage
	findings []coverage.Finding
}

func (s *Service) check(ctx context.Context, tx pgx.Tx, plan PlanID, acceptGaps string) (refused bool, err error) {
	list, err := s.readWithDissolved(ctx, tx, plan)
	if err != nil {
		return false, err
	}
	var done []*built
	var upper []*coverage.Coverage
	for _, l := range list {
		opt := coverage.Options{AcceptGaps: acceptGaps, Upper: upper}
		if l.WithParent && len(done) > 0 {
			opt.Parent = done[len(done)-1].cov
		}
		b := &built{stored: l}
		if b.cov, b.findings, err = coverage.Build(ctx, l.polygons(), opt); err != nil {
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
		refused = refused || coverage.HasRefused(b.findings)
		if err := b.write(ctx, tx, s, plan, b.cov, b.findings); err != nil {
			return false, err
		}
	}
	if len(done) == 0 || done[len(done)-1].Role != RoleGrid && done[len(done)-1].Role != RoleMicrogrid {
		return true, fault.Invalid("plan", "no_grids", "the plan has no grids yet: import the city's grid level first")
	}
	return refused, nil
}

// nest finds out whether the lower level nests in the upper one, and then gives the upper one exactly its children's union.
func nest(lower, upper *built) error {
	lower.Nests = lower.WithParent && !coverage.HasRefused(lower.findings) && len(coverage.Nests(lower.cov, upper.cov, toleranceM)) == 0
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

// readWithDissolved reads the plan's levels and adds those that were not imported but follow from the parents' codes of
// the level below. Dissolved faces have their code for a name.
func (s *Service) readWithDissolved(ctx context.Context, tx pgx.Tx, plan PlanID) ([]stored, error) {
	list, err := s.read(ctx, tx, plan)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || !list[0].WithParent {
		return list, nil
	}
	top := s.rank(list[0].Role)
	if top == 0 {
		return list, nil
	}
	cov, _, err := coverage.Build(ctx, list[0].polygons(), coverage.Options{AcceptGaps: "dissolving"})
	if err != nil {
		return nil, err
	}
	union := cov.Dissolve(func(i int) string { return cov.Faces[i].Parent })
	up := stored{Level: s.Levels[top-1], File: "dissolved from " + list[0].File, Generated: list[0].Generated}
	for i := range union.Len() {
		up.faces = append(up.faces, Face{Code: union.Faces[i].Code, Name: union.Faces[i].Code, Line: union.Faces[i].Line, Shape: union.Shape(i)})
	}
	return append([]stored{up}, list...), nil
}

// Publish puts a checked plan in force from a moment, and says so on the feed. It runs the check itself when the plan
// is still a draft.
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
		_, err = feed.Append(ctx, tx, s.at(), []feed.Event{{Type: feed.PlanPublished, Data: feed.Published{Plan: int64(id), Version: v, InForceFrom: from}}})
		return err
	})
	if err != nil {
		return p, err
	}
	return s.Plan(ctx, p.Name)
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

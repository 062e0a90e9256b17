package jurisdiction

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/coverage"
	"gridgov/internal/fault"
)

// Import is one level on its way into a draft.
type Import struct {
	Plan       string // the draft's name; created when new
	Level      Level
	File       string // for the record
	Faces      []Face
	WithParent bool // faces name their parents, and must lie in them; without a level above in the draft it will be dissolved from these names
	Generated  bool
	AcceptGaps string // the reason why gaps in this level are meant; without one, those of before are no longer accepted
}

// Imported is what became of it.
type Imported struct {
	Faces    int
	Findings []coverage.Finding
	Rejects  []*fault.Error // faces left out, each with its line
}

// ImportLevel puts one level into a draft, replacing what the draft had of it. What is under the tolerance is repaired;
// the rest is told in the findings, and a draft with refused findings cannot be published. The draft goes back to state
// draft when it was checked. Gaps that were accepted in levels below are so no longer: against this level they are others.
func (s *Service) ImportLevel(ctx context.Context, in Import) (Imported, error) {
	var out Imported
	if in.Plan = strings.TrimSpace(in.Plan); in.Plan == "" || len([]rune(in.Plan)) > 100 {
		return out, fault.Invalid("plan", "bad_name", "a plan's name has 1 to 100 characters")
	}
	faces, rejects := sift(in.Faces)
	faces, elsewhere, err := s.sited(ctx, faces)
	out.Rejects = slices.Concat(rejects, elsewhere)
	if err != nil {
		return out, err
	}
	if len(faces) == 0 {
		return out, fault.Invalid("file", "no_faces", "no usable face was found in %s", in.File)
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		plan, err := s.lockDraft(ctx, tx, in.Plan)
		if err != nil {
			return err
		}
		if err := s.reopen(ctx, tx, plan, in.Level.Role); err != nil {
			return err
		}
		upper, err := s.above(ctx, tx, plan, in.Level.Role)
		if err != nil {
			return err
		}
		opt := coverage.Options{AcceptGaps: in.AcceptGaps}
		for _, u := range upper {
			c, err := coverage.FromFaces(u.polygons())
			if err != nil {
				return fmt.Errorf("level %s as stored: %w", u.Role, err)
			}
			opt.Upper = append(opt.Upper, c)
		}
		level := stored{Level: in.Level, WithParent: in.WithParent, AcceptedGaps: in.AcceptGaps, File: in.File, Generated: in.Generated, faces: faces}
		if in.WithParent && s.rank(in.Level.Role) == 0 {
			return fault.Invalid("parent", "no_parent_level", "%s is the city's uppermost level: leave out --parent", in.Level.Name)
		}
		if s.namesNearest(&level, upper) {
			opt.Parent = opt.Upper[len(upper)-1]
		}
		cov, findings, err := coverage.Build(ctx, level.polygons(), opt)
		if err != nil {
			return err
		}
		out.Faces, out.Findings = cov.Len(), findings
		if cov.Len() == 0 {
			return fault.Invalid("file", "no_faces", "no face of %s has an area", in.File)
		}
		ofInput, ofCoverage := split(findings)
		if err := level.write(ctx, tx, s, plan, cov, ofInput, ofCoverage); err != nil {
			return err
		}
		_, err = s.Feed.Append(ctx, tx, s.at(), nil, audit.Record{Act: "plan.import", Subject: plan.subject(),
			After: map[string]any{"level": in.Level.Role, "faces": cov.Len()}})
		return err
	})
	return out, err
}

// reopen makes a plan a draft again, without what a check or an earlier import of the level made of it.
func (s *Service) reopen(ctx context.Context, tx pgx.Tx, plan PlanID, role Role) error {
	if _, err := tx.Exec(ctx, `UPDATE plan SET state = 'draft', checked_at = NULL WHERE id = $1`, plan); err != nil {
		return fmt.Errorf("reopen draft: %w", err)
	}
	below := []string{}
	for _, l := range s.Levels[s.rank(role)+1:] {
		below = append(below, string(l.Role))
	}
	if _, err := tx.Exec(ctx, `UPDATE plan_level SET accepted_gaps = NULL WHERE plan_id = $1 AND role = ANY($2)`, plan, below); err != nil {
		return fmt.Errorf("reopen draft: %w", err)
	}
	return s.dropDissolved(ctx, tx, plan)
}

// split parts what is said of the polygons as they came from the rest.
func split(findings []coverage.Finding) (ofInput, ofCoverage []coverage.Finding) {
	for _, f := range findings {
		if f.Kind.OfInput() {
			ofInput = append(ofInput, f)
		} else {
			ofCoverage = append(ofCoverage, f)
		}
	}
	return ofInput, ofCoverage
}

// namesNearest tells whether the parents that a level names are those of the nearest level above in the plan: of the level
// right above, or of one further up when most of the names are its codes. Otherwise the level right above is dissolved.
func (s *Service) namesNearest(l *stored, upper []stored) bool {
	if !l.WithParent || len(upper) == 0 {
		return false
	}
	nearest := upper[len(upper)-1]
	if s.rank(nearest.Role) == s.rank(l.Role)-1 {
		return true
	}
	codes, named, known := map[string]bool{}, map[string]bool{}, 0
	for _, f := range nearest.faces {
		codes[f.Code] = true
	}
	for _, f := range l.faces {
		if !named[f.Parent] && codes[f.Parent] {
			known++
		}
		named[f.Parent] = true
	}
	return 2*known > len(named)
}

// sift takes the faces whose words and numbers hold, and the first of each code.
func sift(faces []Face) (good []Face, rejects []*fault.Error) {
	first := map[string]int{}
	for _, f := range faces {
		if err := f.Check(); err != nil {
			rejects = append(rejects, err)
			continue
		}
		if line, ok := first[f.Code]; ok {
			rejects = append(rejects, fault.Invalid("code", "duplicate_code", "%q stands already on line %d: codes are unique in a level", f.Code, line).AtLine(f.Line))
			continue
		}
		first[f.Code] = f.Line
		good = append(good, f)
	}
	return good, rejects
}

// above reads the plan's levels above a role, top first.
func (s *Service) above(ctx context.Context, tx pgx.Tx, plan PlanID, role Role) ([]stored, error) {
	all, err := s.read(ctx, tx, plan)
	if err != nil {
		return nil, err
	}
	var out []stored
	for _, l := range all {
		if s.rank(l.Role) < s.rank(role) {
			out = append(out, l)
		}
	}
	return out, nil
}

package screening

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// State is how a proposal stands.
type State string

// The states.
const (
	IsOpen     State = "open"
	IsDeclined State = "declined"
	IsOrdered  State = "ordered" // somebody is to go
	IsDone     State = "done"    // somebody went
)

// States are all of them.
var States = []State{IsOpen, IsDeclined, IsOrdered, IsDone}

// Place is where something lies: units of a level within one town, with what they lie in as far as that is known of all.
type Place struct {
	Level    string
	Town     string // "": the plan names none
	Villages []string
	Grids    []string
	Units    []string
}

// Kept is a proposal as it is kept.
type Kept struct {
	ID        ProposalID
	Screening ID
	Item      string
	Place     Place
	Told      int
	Found     int
	Expected  float64
	MadeAt    time.Time
	State     State
	Version   int
	Order     int64 // 0: there is none
	// When reasons of decisions were emptied last, as all evidence is anonymous; nil: none were.
	AnonymisedAt *time.Time
	facts        []byte
}

// Facts are the screening's, as it found them.
func (k *Kept) Facts() (*Proposal, error) {
	p := new(Proposal)
	if err := json.Unmarshal(k.facts, p); err != nil {
		return nil, fmt.Errorf("read proposal %d: %w", k.ID, err)
	}
	return p, nil
}

// Within is a reach as a condition of lists: on where things lie, whole.
type Within struct {
	All                    bool
	Towns, Villages, Grids []string
	Units                  []int64
}

// Of makes it of a reach.
func Of(r *policy.Reach) Within {
	w := Within{All: r.City, Towns: []string{}, Villages: []string{}, Grids: []string{}, Units: []int64{}}
	for _, a := range r.Areas {
		switch a.Level {
		case policy.City:
			w.All = true
		case policy.Town:
			w.Towns = append(w.Towns, a.Code)
		case policy.Village:
			w.Villages = append(w.Villages, a.Code)
		case policy.Grid:
			w.Grids = append(w.Grids, a.Code)
		case policy.Microgrid: // smaller than what is screened
		}
	}
	for _, u := range r.Units {
		w.Units = append(w.Units, int64(u))
	}
	return w
}

// Has tells whether a place lies in it.
func (w *Within) Has(p *Place) bool { return w.HasAll([]string{p.Town}, p.Villages, p.Grids) }

// HasAll tells whether all towns are in it, or all villages, or all grids.
func (w *Within) HasAll(towns, villages, grids []string) bool {
	return w.All || subset(towns, w.Towns) || subset(villages, w.Villages) || subset(grids, w.Grids)
}

// subset tells whether all of some codes are among others; of no codes it is not known.
func subset(some, of []string) bool {
	for _, s := range some {
		there := false
		for _, o := range of {
			there = there || s == o && s != ""
		}
		if !there {
			return false
		}
	}
	return len(some) > 0
}

const keptColumns = `id, screening_id, item, level, town, villages, grids, units, told, found, expected, facts, made_at, state, version, coalesce(order_id, 0), anonymised_at`

func scanKept(row pgx.CollectableRow) (k Kept, err error) {
	var facts json.RawMessage
	p := &k.Place
	err = row.Scan(&k.ID, &k.Screening, &k.Item, &p.Level, &p.Town, &p.Villages, &p.Grids, &p.Units, &k.Told, &k.Found, &k.Expected, &facts, &k.MadeAt, &k.State, &k.Version, &k.Order, &k.AnonymisedAt)
	k.facts = facts
	return k, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Query asks for proposals.
type Query struct {
	Within    Within
	States    []State    // nil: any
	Items     []string   // nil: any
	Screening ID         // 0: any
	Order     int64      // those that it is about; 0: any
	Before    ProposalID // 0: the newest
	Limit     int
}

// Proposals are some, the newest first.
func (s *Service) Proposals(ctx context.Context, q Query) ([]Kept, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT `+keptColumns+` FROM proposal
		WHERE ($1 OR town = ANY ($2) OR cardinality(villages) > 0 AND villages <@ $3 OR cardinality(grids) > 0 AND grids <@ $4)
			AND ($5::text[] IS NULL OR state = ANY ($5)) AND ($6::text[] IS NULL OR item = ANY ($6)) AND ($7::bigint = 0 OR screening_id = $7) AND ($8::bigint = 0 OR order_id = $8)
			AND ($9::bigint = 0 OR id < $9)
		ORDER BY id DESC LIMIT $10`,
		q.Within.All, q.Within.Towns, q.Within.Villages, q.Within.Grids, q.States, q.Items, q.Screening, q.Order, q.Before, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanKept)
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	return list, nil
}

// MadeIn counts the proposals of screenings that lie in a reach.
func (s *Service) MadeIn(ctx context.Context, in Within, runs []ID) (map[ID]int, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT screening_id, count(*) FROM proposal
		WHERE ($1 OR town = ANY ($2) OR cardinality(villages) > 0 AND villages <@ $3 OR cardinality(grids) > 0 AND grids <@ $4) AND screening_id = ANY ($5)
		GROUP BY screening_id`, in.All, in.Towns, in.Villages, in.Grids, runs)
	if err != nil {
		return nil, fmt.Errorf("count proposals: %w", err)
	}
	out := map[ID]int{}
	var id ID
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count proposals: %w", err)
	}
	return out, nil
}

// Proposal reads one; what does not lie in a reach is not found.
func (s *Service) Proposal(ctx context.Context, id ProposalID, in Within) (Kept, error) {
	list, err := Read(ctx, s.Pool, []ProposalID{id}, "")
	if err != nil {
		return Kept{}, err
	}
	if len(list) == 0 || !in.Has(&list[0].Place) {
		return Kept{}, fault.NotFound("there is no proposal %d", id)
	}
	return list[0], nil
}

// Read reads proposals by their numbers, in their order; lock ends the statement, as FOR UPDATE.
func Read(ctx context.Context, q querier, ids []ProposalID, lock string) ([]Kept, error) {
	rows, err := q.Query(ctx, `SELECT `+keptColumns+` FROM proposal WHERE id = ANY ($1) ORDER BY id `+lock, ids)
	if err != nil {
		return nil, fmt.Errorf("read proposals: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanKept)
	if err != nil {
		return nil, fmt.Errorf("read proposals: %w", err)
	}
	return list, nil
}

// Evidence are the reports that serve for a proposal, by number.
func (s *Service) Evidence(ctx context.Context, id ProposalID) ([]uint32, error) {
	rows, err := s.Pool.Query(ctx, `SELECT report_num FROM proposal_evidence WHERE proposal_id = $1 ORDER BY report_num`, id)
	if err != nil {
		return nil, fmt.Errorf("read the evidence of a proposal: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uint32])
	if err != nil {
		return nil, fmt.Errorf("read the evidence of a proposal: %w", err)
	}
	return list, nil
}

// EvidenceCounts are how many reports serve for each of some proposals.
func (s *Service) EvidenceCounts(ctx context.Context, ids []ProposalID) (map[ProposalID]int, error) {
	rows, err := s.Pool.Query(ctx, `SELECT proposal_id, count(*) FROM proposal_evidence WHERE proposal_id = ANY ($1) GROUP BY proposal_id`, ids)
	if err != nil {
		return nil, fmt.Errorf("count evidence: %w", err)
	}
	out := map[ProposalID]int{}
	var id ProposalID
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count evidence: %w", err)
	}
	return out, nil
}

// Related are the proposals that are to be merged with one.
func (s *Service) Related(ctx context.Context, id ProposalID) ([]Kept, error) {
	rows, err := s.Pool.Query(ctx, `SELECT other_id FROM proposal_related WHERE proposal_id = $1 ORDER BY other_id`, id)
	if err != nil {
		return nil, fmt.Errorf("read what belongs to a proposal: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ProposalID])
	if err != nil {
		return nil, fmt.Errorf("read what belongs to a proposal: %w", err)
	}
	return Read(ctx, s.Pool, ids, "")
}

// ObjectNames are what the objects of proposals are called, by the reports whose cases name them; those whose words are gone are not among
// them.
func (s *Service) ObjectNames(ctx context.Context, nums []uint32) (map[uint32]string, error) {
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	rows, err := s.Pool.Query(ctx, `SELECT report_num, object FROM cases WHERE report_num = ANY ($1) AND part = 0 AND object IS NOT NULL`, list)
	if err != nil {
		return nil, fmt.Errorf("read what cases are about: %w", err)
	}
	out := map[uint32]string{}
	var num uint32
	var object string
	if _, err := pgx.ForEachRow(rows, []any{&num, &object}, func() error { out[num] = object; return nil }); err != nil {
		return nil, fmt.Errorf("read what cases are about: %w", err)
	}
	return out, nil
}

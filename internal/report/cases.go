package report

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/policy"
)

// Cases opens a case for each report as it is kept; package casework does.
type Cases interface {
	// Open opens the case of a report that is about to be kept, without SQL. It does so anew for each try.
	Open(m *Matter) (Opened, error)
	// With are CTEs that keep opened cases of a shape, for the reports whose numbers CTE n has as num; arg names the i-th of
	// an opened case's Args, from 0, in a row of n. Types are what the database calls their types.
	With(shape int, arg func(i int) string) string
	Types(shape int) []string
	// Copy keeps in the transaction the cases of reports that are in it.
	Copy(ctx context.Context, tx pgx.Tx, nums []Num, cases []Opened) error
}

// Opened is a case that was opened and is not kept yet.
type Opened interface {
	Args() []any
	Shape() int     // cases of one shape are kept by one statement, several at a time; there are few shapes
	Units() []int64 // who leads it, then who supports
}

// Matter is a report as who opens its case sees it.
type Matter struct {
	Num                    Num // 0: it has none yet
	Item                   string
	Kind                   Kind
	Source                 Source
	CapturedAt, ReceivedAt time.Time
	ClosedAt               *time.Time
	Generated              bool
	Cell                   policy.Cell // where it lies; zero: nowhere
}

func (r *ready) matter() *Matter {
	return &Matter{Item: r.Item, Kind: r.Kind, Source: r.Source, CapturedAt: r.CapturedAt.UTC(), ReceivedAt: r.receivedAt, ClosedAt: r.ClosedAt,
		Generated: r.Generated, Cell: r.placement.Cell()}
}

// Cell is where the placement lies.
func (p *Placement) Cell() policy.Cell {
	return policy.Cell{Town: p.Town, Village: p.Village, Grid: p.Grid, Microgrid: p.Microgrid}
}

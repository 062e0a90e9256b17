package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
)

// The evaluator's short way and the long one give the same answer: at borders, outside, for each accuracy and origin.
func TestEvaluatorEqualsUnder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		town := madeup.New(rapid.Uint64().Draw(t, "seed"), madeup.Plan{West: 120, South: 30, CellDeg: 0.002, Columns: 4, Rows: 4, Bends: 3})
		index, err := placement.New([]placement.Level{{Role: "grid", Faces: town.Faces}})
		if err != nil {
			t.Fatal(err)
		}
		placer := NewPlacer(7, index, []string{"grid"}, nil)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "points"), 3))
		e := evaluator{placer: placer, inside: map[placement.Faces]int64{}}
		short := 0
		for _, p := range append(town.Random(rng, 100), madeup.Offsets(rng, town.OnEdges(rng, 50))...) {
			q := asked{lon: p[0], lat: p[1], accuracyM: [...]float64{math.NaN(), 0, 3, 40, 500, 1e9}[rng.IntN(6)],
				located: [...]Located{LocatedPoint, LocatedPoint, LocatedAddress, LocatedHand}[rng.IntN(4)]}
			long := q.under(placer)
			if got := e.answer(&q); got != long.digest() {
				t.Fatalf("%+v: not the answer %+v", q, long)
			}
			if long.Rule == RuleInside && len(long.Near) == 0 {
				short++
			}
		}
		if short == 0 {
			t.Fatal("no point lay deep")
		}
	})
}

// A digest tells answers apart by what people are told, and not by the order in which neighbours are named.
func TestDigestTellsAnswersApart(t *testing.T) {
	changes := []func(*Placement){
		func(*Placement) {},
		func(p *Placement) { p.Method = placement.MethodEdge },
		func(p *Placement) { p.Rule = RuleManual },
		func(p *Placement) { p.Town = "t2" },
		func(p *Placement) { p.Village, p.Town = "t1", "v1" },
		func(p *Placement) { p.Grid = "g2" },
		func(p *Placement) { p.Microgrid = "m" },
		func(p *Placement) { p.Nearest = "m" },
		func(p *Placement) { p.Near = nil },
		func(p *Placement) { p.Near = []string{"ab"} },
		func(p *Placement) { p.Near, p.Candidates = nil, []string{"a", "b"} },
		func(p *Placement) { p.Candidates = []string{"a", "b"} },
	}
	seen := map[int64]string{}
	for i, change := range changes {
		p := Placement{Method: placement.MethodInside, Rule: RuleInside, Town: "t1", Village: "v1", Grid: "g1", Near: []string{"a", "b"}}
		change(&p)
		if other, known := seen[p.digest()]; known {
			t.Errorf("change %d has the digest of %s", i, other)
		}
		seen[p.digest()] = fmt.Sprintf("%+v", p)
	}
	p := Placement{Near: []string{"b", "a"}, BorderM: new(1.5), PlanID: 1}
	q := Placement{Near: []string{"a", "b"}, PlanID: 2}
	if p.digest() != q.digest() {
		t.Error("the order of neighbours, a distance or the plan make another digest")
	}
}

// Of a point that was set by hand or looked up, the reported accuracy says nothing.
func TestAccuracyIsThePointsOwn(t *testing.T) {
	town := madeup.New(1, madeup.Plan{West: 120, South: 30, CellDeg: 0.002, Columns: 4, Rows: 4, Bends: 3})
	index, err := placement.New([]placement.Level{{Role: "grid", Faces: town.Faces}})
	if err != nil {
		t.Fatal(err)
	}
	placer := NewPlacer(7, index, []string{"grid"}, nil)
	at := orb.Point{120.003, 30.003}
	for located, ambiguous := range map[Located]bool{LocatedPoint: true, LocatedHand: false, LocatedAddress: false} {
		q := asked{lon: at[0], lat: at[1], accuracyM: 400, located: located}
		if p := q.under(placer); (len(p.Candidates) > 0) != ambiguous {
			t.Errorf("%s: candidates %v", located, p.Candidates)
		}
	}
}

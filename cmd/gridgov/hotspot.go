package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
)

// hot is what gridgov hotspot is asked for.
type hot struct {
	city, level, stat, weights, style, value, sided, item, from, to, format string
	permutations                                                            int
	seed                                                                    uint64
}

// locals are the statistics with a line for each place, globals those with one in all.
var (
	locals  = []string{"gistar", "g", "lisa"}
	globals = []string{"moran", "geary", "gglobal", "joincount"}
)

func (t *tool) hotspot() *cobra.Command {
	var h hot
	cmd := &cobra.Command{
		Use: "hotspot", Short: "Tell where reports are more or fewer than chance would have it, as CSV", Args: noArgs,
		Long: `Counts reports by the units of a level and tests where they gather.

Local statistics (gistar, g, lisa) write code,name,n,value,z,p,q,class: p as it is published, of a normal distribution; q, by which the
class goes, of Benjamini and Hochberg, on p with the skewness of small counts. With --permutations p_sim, of as many draws, stands beside
them; from 20 draws for each unit on, 40 where it is two-sided, q goes by it, and q_by says so.
Global ones (moran, geary, gglobal, joincount) write stat,value,expected,variance,z,p.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := h.check(); err != nil {
				return err
			}
			rule, err := hotspot.ParseRule(h.weights)
			if err != nil {
				return usagef("--weights: %w", err)
			}
			return t.inCity(cmd.Context(), h.city, func(c *app.City) error {
				q := app.Counted{Level: h.level, Item: h.item, Rule: rule}
				if q.From, err = day(h.from, c.Zone); err != nil {
					return usagef("--from: %w", err)
				}
				if q.To, err = day(h.to, c.Zone); err != nil {
					return usagef("--to: %w", err)
				}
				m, err := c.Map(cmd.Context(), q)
				if err != nil {
					return err
				}
				if err := h.write(cmd.Context(), t.out, m); err != nil {
					return err
				}
				if len(m.Units) < hotspot.FewPlaces {
					t.say("%d units are few: p is a rough one below %d", len(m.Units), hotspot.FewPlaces)
				}
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&h.city, "city", "", "the city's code")
	f.StringVar(&h.level, "level", "", "a level of the plan in force: grid, village, town, or the city's own name for it")
	f.StringVar(&h.stat, "stat", "gistar", "gistar, g, lisa, moran, geary, gglobal or joincount (units with reports beside those without)")
	f.StringVar(&h.weights, "weights", "queen", "who is whose neighbour: queen, rook, knn:K or band:METRES")
	f.StringVar(&h.style, "style", "binary", "what a neighbour weighs: binary, 1; row, all of a place 1 together")
	f.StringVar(&h.value, "value", "count", "count, or rate: by households, else by people")
	f.StringVar(&h.sided, "sided", "two", "two, or one: more alone")
	f.StringVar(&h.item, "item", "", "reports of this item alone")
	f.StringVar(&h.from, "from", "", "reports from this date on")
	f.StringVar(&h.to, "to", "", "reports before this date")
	f.IntVar(&h.permutations, "permutations", 0, "also draw so often at random")
	f.Uint64Var(&h.seed, "seed", 1, "of the draws")
	f.StringVar(&h.format, "format", "csv", "csv")
	mustRequire(cmd, "city")
	mustRequire(cmd, "level")
	return cmd
}

func (h *hot) check() error {
	for _, c := range []struct {
		name, value string
		known       []string
	}{{"--stat", h.stat, slices.Concat(locals, globals)}, {"--style", h.style, []string{"binary", "row"}}, {"--value", h.value, []string{"count", "rate"}},
		{"--sided", h.sided, []string{"two", "one"}}, {"--format", h.format, []string{"csv"}}} {
		if !slices.Contains(c.known, c.value) {
			return usagef("%s is one of %v, not %.40q", c.name, c.known, c.value)
		}
	}
	if h.permutations < 0 || h.permutations > hotspot.MaxPermutations {
		return usagef("--permutations is 0 to %d", hotspot.MaxPermutations)
	}
	return nil
}

// day reads a date in the city's zone; none is the zero time.
func day(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return at, fmt.Errorf("%.40q is no date such as 2026-03-01", s)
	}
	return at, nil
}

func (h *hot) write(ctx context.Context, out io.Writer, m *app.Mapped) error {
	x := m.Counts
	if h.value == "rate" {
		if m.Base == nil {
			return fault.Invalid("value", "no_base", "the plan has neither households nor population for every unit: import them, or take --value count")
		}
		r, err := hotspot.EmpiricalBayes(m.Counts, m.Base)
		if err != nil {
			return err
		}
		x = r.Standard
	}
	sided := hotspot.TwoSided
	if h.sided == "one" {
		sided = hotspot.Greater
	}
	w := m.Neighbours.Weighted(hotspot.Style(h.style))
	if h.stat == "gistar" {
		w = w.WithSelf()
	}
	csv := csv.NewWriter(out)
	var err error
	if slices.Contains(globals, h.stat) {
		err = h.global(csv, x, w, sided)
	} else {
		err = h.local(ctx, csv, m, x, w, sided)
	}
	if err != nil {
		return err
	}
	csv.Flush()
	return csv.Error()
}

func (h *hot) local(ctx context.Context, out *csv.Writer, m *app.Mapped, x []float64, w hotspot.Weights, sided hotspot.Sided) error {
	test, draw := hotspot.Getis, hotspot.Permute
	if h.stat == "lisa" {
		test, draw = hotspot.LocalMoran, hotspot.PermuteMoran
	}
	l, err := test(x, w, sided)
	if err != nil {
		return err
	}
	tests := 0
	for _, v := range l.Verdict {
		if v == hotspot.Tested {
			tests++
		}
	}
	tails, by := l.Cautious, "formula"
	header := []string{"code", "name", "n", "value", "z", "p", "q", "class"}
	var drawn hotspot.Permuted
	if h.permutations > 0 {
		header = append(header, "p_sim", "q_by")
		if drawn, err = draw(ctx, x, w, h.permutations, h.seed, sided); err != nil {
			return err
		}
		if hotspot.FeedsFDR(h.permutations, tests, sided) {
			tails, by = drawn.P, "draws"
		}
	}
	q := hotspot.FDR(tails, func(i int) bool { return l.Verdict[i] == hotspot.Tested })
	if err := out.Write(header); err != nil {
		return err
	}
	for i, u := range m.Units {
		line := []string{u.Code, u.Name, number(m.Counts[i]), number(x[i]), number(l.Z[i]), number(l.P[i]), number(q[i]), class(h.stat, &l, q, x, i)}
		if h.permutations > 0 {
			line = append(line, number(drawn.P[i]), by)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// class says what was found of a place; of one that could not be tested, why.
func class(stat string, l *hotspot.Local, q, x []float64, i int) string {
	switch {
	case l.Verdict[i] != hotspot.Tested:
		return string(l.Verdict[i])
	case q[i] > 0.1:
		return ""
	case stat == "lisa":
		high := x[i] > mean(x)
		switch alike := l.Stat[i] > 0; {
		case high && alike:
			return "high-high"
		case high:
			return "high-low"
		case alike:
			return "low-low"
		}
		return "low-high"
	case l.Z[i] > 0:
		return "hot"
	}
	return "cold"
}

func mean(x []float64) (m float64) {
	for i, v := range x {
		m += (v - m) / float64(i+1)
	}
	return m
}

func (h *hot) global(out *csv.Writer, x []float64, w hotspot.Weights, sided hotspot.Sided) error {
	type line struct {
		stat string
		hotspot.Global
	}
	var lines []line
	var err error
	switch h.stat {
	case "joincount":
		kind := make([]bool, len(x))
		for i, v := range x {
			kind[i] = v > 0
		}
		var j hotspot.Joins
		if j, err = hotspot.JoinCounts(kind, w); err == nil {
			lines = []line{{"bb", j.BB}, {"bw", j.BW}, {"ww", j.WW}}
		}
	default:
		var g hotspot.Global
		switch h.stat {
		case "moran":
			g, err = hotspot.Moran(x, w, hotspot.Randomised, sided)
		case "geary":
			g, err = hotspot.Geary(x, w, hotspot.Randomised, sided)
		case "gglobal":
			g, err = hotspot.GlobalG(x, w, sided)
		}
		lines = []line{{h.stat, g}}
	}
	if err != nil {
		return fault.Invalid("value", "not_testable", "%v", err)
	}
	if err := out.Write([]string{"stat", "value", "expected", "variance", "z", "p"}); err != nil {
		return err
	}
	for _, l := range lines {
		if l.Verdict != hotspot.Tested {
			return fault.Invalid("value", string(l.Verdict), "%s cannot be tested: %s", l.stat, map[hotspot.Verdict]string{
				hotspot.Alone: "no unit has a neighbour", hotspot.Constant: "all units have the same", hotspot.TooFew: "there are too few units"}[l.Verdict])
		}
		if err := out.Write([]string{l.stat, number(l.Stat), number(l.Expected), number(l.Variance), number(l.Z), number(l.P)}); err != nil {
			return err
		}
	}
	return nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

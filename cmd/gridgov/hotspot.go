package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
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
	city, level, stat, weights, style, value, sided, item, from, to, format, within, days string
	permutations                                                                          int
	seed                                                                                  uint64

	metres, spans []float64 // of --within and --days
}

// locals are the statistics with a line for each place, globals those with one in all; spacetimes look at days as well.
var (
	locals     = []string{"gistar", "g", "lisa"}
	globals    = []string{"moran", "geary", "gglobal", "joincount"}
	spacetimes = []string{"knox", "kulldorff"}
)

func (t *tool) hotspot() *cobra.Command {
	var h hot
	cmd := &cobra.Command{
		Use: "hotspot", Short: "Tell where reports are more or fewer than chance would have it, as CSV", Args: noArgs,
		Long: `Counts reports by the units of a level and tests where they gather.

Local statistics (gistar, g, lisa) write code,name,n,value,z,p,q,class: p as it is published, of a normal distribution; q, by which the
class goes, of Benjamini and Hochberg, on p with the skewness of small counts. With --permutations p_sim, of as many draws, stands beside
them; from 20 draws for each unit on, 40 where it is two-sided, q goes by it, and q_by says so.
Global ones (moran, geary, gglobal, joincount) write stat,value,expected,variance,z,p.

In space and time, by 999 draws where --permutations names no other number, and one-sided:
knox, of the reports in units of the level, writes metres,days,pairs,expected,ratio,p: how many pairs lie in each band of --within, above the
limit before it and up to its own, and, by the calendar, in each of --days; expected, and p of so many or more, where the days are dealt out
anew.
kulldorff writes code,name,units,radius_m,from,to,n,expected,llr,p: clusters of up to 50 units about one, and up to half of the periods of
--days, none of which holds more than half of what is expected; the likeliest, and those besides with a p of 0.1 at most. to is
the day after the last one. A unit's share of each period is that of all periods together; with --value rate, that of its households.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := h.check(cmd.Flags().Changed("permutations")); err != nil {
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
				csv := csv.NewWriter(t.out)
				if err := h.write(cmd.Context(), csv, c, q, t.say); err != nil {
					return err
				}
				csv.Flush()
				return csv.Error()
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&h.city, "city", "", "the city's code")
	f.StringVar(&h.level, "level", "", "a level of the plan in force: grid, village, town, or the city's own name for it")
	f.StringVar(&h.stat, "stat", "gistar", "gistar, g, lisa, moran, geary, gglobal, joincount (units with reports beside those without), knox or kulldorff")
	f.StringVar(&h.weights, "weights", "queen", "who is whose neighbour: queen, rook, knn:K or band:METRES")
	f.StringVar(&h.style, "style", "binary", "what a neighbour weighs: binary, 1; row, all of a place 1 together")
	f.StringVar(&h.value, "value", "count", "count, or rate: by households, else by people")
	f.StringVar(&h.sided, "sided", "two", "two, or one: more alone")
	f.StringVar(&h.item, "item", "", "reports of this item alone")
	f.StringVar(&h.from, "from", "", "reports from this date on")
	f.StringVar(&h.to, "to", "", "reports before this date")
	f.StringVar(&h.within, "within", "100,200,400", "of knox: limits of bands in metres; 0: at the same point")
	f.StringVar(&h.days, "days", "7", "of knox: limits of bands in days, such as 7,14,28; 0: on the same day; of kulldorff: how many days a period has")
	f.IntVar(&h.permutations, "permutations", 0, "also draw so often at random")
	f.Uint64Var(&h.seed, "seed", 1, "of the draws")
	f.StringVar(&h.format, "format", "csv", "csv")
	mustRequire(cmd, "city")
	mustRequire(cmd, "level")
	return cmd
}

func (h *hot) check(drawn bool) error {
	for _, c := range []struct {
		name, value string
		known       []string
	}{{"--stat", h.stat, slices.Concat(locals, globals, spacetimes)}, {"--style", h.style, []string{"binary", "row"}}, {"--value", h.value, []string{"count", "rate"}},
		{"--sided", h.sided, []string{"two", "one"}}, {"--format", h.format, []string{"csv"}}} {
		if !slices.Contains(c.known, c.value) {
			return usagef("%s is one of %v, not %.40q", c.name, c.known, c.value)
		}
	}
	least := 0
	if slices.Contains(spacetimes, h.stat) {
		if least = 1; !drawn {
			h.permutations = 999
		}
	}
	if h.permutations < least || h.permutations > hotspot.MaxPermutations {
		return usagef("--permutations of %s is %d to %d", h.stat, least, hotspot.MaxPermutations)
	}
	var err error
	if h.metres, err = limits("--within", h.within); err != nil {
		return err
	}
	if h.spans, err = limits("--days", h.days); err != nil {
		return err
	}
	if whole := h.spans[0] >= 1 && h.spans[0] == math.Trunc(h.spans[0]); h.stat == "kulldorff" && (len(h.spans) > 1 || !whole) {
		return usagef("--days of kulldorff is one whole number from 1 on, not %.40q", h.days)
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

// write writes what was asked for; few says to whoever looks on that there is little of it.
func (h *hot) write(ctx context.Context, out *csv.Writer, c *app.City, q app.Counted, few func(format string, args ...any)) error {
	switch h.stat {
	case "knox":
		return h.knox(ctx, out, c, q)
	case "kulldorff":
		return h.kulldorff(ctx, out, c, q)
	}
	m, err := c.Map(ctx, q)
	if err != nil {
		return err
	}
	x := m.Counts
	if h.value == "rate" {
		if m.Base == nil {
			return noBase()
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
	if slices.Contains(globals, h.stat) {
		err = h.global(out, x, w, sided)
	} else {
		err = h.local(ctx, out, m, x, w, sided)
	}
	if err == nil && len(m.Units) < hotspot.FewPlaces {
		few("%d units are few: p is a rough one below %d", len(m.Units), hotspot.FewPlaces)
	}
	return err
}

func noBase() error {
	return fault.Invalid("value", "no_base", "the plan has neither households nor population for every unit: import them, or take --value count")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

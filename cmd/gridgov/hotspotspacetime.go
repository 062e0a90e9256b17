package main

import (
	"context"
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
)

// limits reads rising limits of bands, such as 100,200,400.
func limits(flag, s string) ([]float64, error) {
	var out []float64
	for _, part := range strings.Split(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(v >= 0) || v > 1e6 || len(out) > 0 && v <= out[len(out)-1] || len(out) == 20 {
			return nil, usagef("%s are up to 20 numbers that rise, from 0 on, such as 100,200,400, not %.40q", flag, s)
		}
		out = append(out, v)
	}
	return out, nil
}

// knox writes pairs of reports by band of space and of time. A limit is the band's upper one, and of it.
func (h *hot) knox(ctx context.Context, out *csv.Writer, c *app.City, q app.Counted) error {
	events, err := c.Events(ctx, q)
	if err != nil {
		return err
	}
	r, err := hotspot.Knox(ctx, events, h.metres, h.spans, h.permutations, h.seed)
	if err != nil {
		return notTestable(ctx, err)
	}
	if err := out.Write([]string{"metres", "days", "pairs", "expected", "ratio", "p"}); err != nil {
		return err
	}
	for s, metres := range r.Metres {
		for d, days := range r.Days {
			ratio := ""
			if e := r.Expected[s][d]; e > 0 {
				ratio = number(float64(r.Seen[s][d]) / e)
			}
			if err := out.Write([]string{number(metres), number(days), strconv.Itoa(r.Seen[s][d]), number(r.Expected[s][d]), ratio, number(r.P[s][d])}); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanPlaces is of how many units a floor is at most.
const scanPlaces = 50

// kulldorff writes clusters, the likeliest first: that one, and those others whose p is at most 0.1.
func (h *hot) kulldorff(ctx context.Context, out *csv.Writer, c *app.City, q app.Counted) error {
	m, err := c.Periods(ctx, q, int(h.spans[0]))
	if err != nil {
		return err
	}
	var base []float64
	if h.value == "rate" {
		if base = m.Base; base == nil {
			return noBase()
		}
		for i, row := range m.Seen {
			for _, n := range row {
				if n > 0 && base[i] == 0 {
					return fault.Invalid("value", "no_base", "unit %s has reports, but nobody lives there: take --value count", m.Units[i].Code)
				}
			}
		}
	}
	middles := make([]orb.Point, len(m.Units))
	for i, u := range m.Units {
		middles[i] = u.Center
	}
	middles = hotspot.Plane(middles)
	periods := len(m.Seen[0])
	found, err := hotspot.Kulldorff(ctx, m.Seen, hotspot.Shares(m.Seen, base), middles,
		hotspot.Scan{MaxPlaces: scanPlaces, MaxPeriods: max(1, periods/2), MaxShare: 0.5, Draws: h.permutations, Seed: h.seed})
	if err != nil {
		return notTestable(ctx, err)
	}
	if err := out.Write([]string{"code", "name", "units", "radius_m", "from", "to", "n", "expected", "llr", "p"}); err != nil {
		return err
	}
	for i, k := range found {
		if i > 0 && k.P > 0.1 {
			break
		}
		far, centre := middles[k.Places[len(k.Places)-1]], middles[k.Centre]
		day := func(period int) string { return m.First.AddDate(0, 0, period*m.Days).Format(time.DateOnly) }
		if err := out.Write([]string{m.Units[k.Centre].Code, m.Units[k.Centre].Name, strconv.Itoa(len(k.Places)), strconv.FormatFloat(math.Hypot(far[0]-centre[0], far[1]-centre[1]), 'f', 0, 64),
			day(k.From), day(k.To + 1), strconv.Itoa(k.Seen), number(k.Expected), number(k.LLR), number(k.P)}); err != nil {
			return err
		}
	}
	return nil
}

// notTestable is what an engine refuses, but for an interruption.
func notTestable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fault.Invalid("value", "not_testable", "%v", err)
}

package main

import (
	"encoding/csv"

	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
)

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

package main

import (
	"context"
	"encoding/csv"

	"gridgov/internal/app"
	"gridgov/internal/hotspot"
)

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

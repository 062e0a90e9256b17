package app

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gridgov/internal/report"
)

func trim(s string) string { return strings.TrimSpace(s) }

func splitAliases(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, "|") {
		if part = trim(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// placementHeader is the contract's: scripts depend on it.
var placementHeader = []string{"id", "lon", "lat", "grid", "village", "town", "method", "distance_m", "plan"}

// ExportPlacements writes one line a report, by number: its external id (its own where it has none), its point, where it
// lies and how. It returns the number of reports.
func (c *City) ExportPlacements(ctx context.Context, w io.Writer) (int64, error) {
	out := csv.NewWriter(w)
	if err := out.Write(placementHeader); err != nil {
		return 0, err
	}
	var n int64
	err := c.Reports.Placements(ctx, func(p report.Placed) error {
		n++
		return out.Write([]string{p.ID, float(p.Lon), float(p.Lat), p.Grid, p.Village, p.Town, p.Method, float(p.DistanceM), c.PlanName(p.PlanID)})
	})
	if err != nil {
		return n, err
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return n, fmt.Errorf("write placements: %w", err)
	}
	return n, nil
}

// float writes the shortest text that reads back as the same double; nothing for none.
func float(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

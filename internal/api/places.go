package api

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/report"
)

// maxAccuracyM is the largest accuracy that a report may have.
const maxAccuracyM = 100_000

func (a *api) locate(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	lon, lat := q.number("lon", true), q.number("lat", true)
	accuracy := q.number("accuracy_m", false)
	name := q.get("crs")
	if accuracy < 0 || accuracy > maxAccuracyM {
		q.fail(fault.Invalid("accuracy_m", "out_of_range", "is not from 0 to %d", maxAccuracyM))
	}
	if err := q.done(); err != nil {
		return err
	}
	if name == "" {
		name = crs.CGCS2000.String()
	}
	p, err := c.Reports.LonLat(r.Context(), name, orb.Point{lon, lat})
	if err != nil {
		return err
	}
	pl := c.State().Placer.At(p, accuracy, report.LocatedPoint)
	return writeJSON(w, http.StatusOK, Located{Lon: p[0], Lat: p[1], Beidou: beidouOf(p[0], p[1]), Placement: placementOf(c.Live, &pl)})
}

// number reads a finite number; NaN when it is absent and need not be there.
func (q *query) number(name string, required bool) float64 {
	s := q.get(name)
	if s == "" {
		if required {
			q.fail(fault.Invalid(name, "required", "is missing"))
		}
		return math.NaN()
	}
	v, err := crs.ParseNumber(name, s)
	if err != nil {
		q.fail(err)
		return math.NaN()
	}
	return v
}

var levelNames = []string{"city", "town", "village", "grid", "microgrid"}

// maxSifted is how many places are looked at for those of some levels.
const maxSifted = 10_000

func (a *api) search(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	text := strings.TrimSpace(q.get("q"))
	limit := q.integer("limit", 1, 50, 10)
	levels := q.list("level")
	for _, l := range levels {
		if !slices.Contains(levelNames, l) {
			q.fail(fault.Invalid("level", "unknown_level", "there is no level %.40q", l))
		}
	}
	if text == "" || utf8.RuneCountInString(text) > 100 {
		q.fail(fault.Invalid("q", "required", "give 1 to 100 characters to look for"))
	}
	if err := q.done(); err != nil {
		return err
	}
	state := c.State()
	out := struct {
		Results []Found `json:"results"`
	}{Results: []Found{}}
	most := limit
	if levels != nil {
		most = maxSifted
	}
	for _, m := range state.Places.Search(text, most) {
		if len(out.Results) == limit {
			break
		}
		if levels != nil && (m.Entry.Code == "" || !slices.Contains(levels, m.Entry.Kind)) {
			continue
		}
		f := Found{Type: "place", Name: m.Entry.Name, Lon: m.Entry.Lon, Lat: m.Entry.Lat, Score: m.Score}
		if l := state.Layout; l != nil {
			role := jurisdiction.Role(m.Entry.Kind)
			if level, unit, ok := l.Unit(role, m.Entry.Code); ok && m.Entry.Code != "" {
				u := &l.Levels[level].Units[unit]
				f.Type, f.Level, f.Code = "jurisdiction", new(Role(role)), &u.Code
				f.NameLatin, f.Bbox = optional(u.NameLatin), new(box(u.Bound))
				f.Within = optional(within(l.Parents(level, unit)))
			} else if pl := state.Placer.At(orb.Point{m.Entry.Lon, m.Entry.Lat}, math.NaN(), report.LocatedPoint); pl.Grid != "" {
				if level, unit, ok := l.Unit(jurisdiction.RoleGrid, pl.Grid); ok {
					f.Within = optional(within(l.Parents(level, unit)))
				}
			}
		}
		out.Results = append(out.Results, f)
	}
	return writeJSON(w, http.StatusOK, out)
}

// within joins the names of what something lies in, the largest first, the city itself left out.
func within(parents []jurisdiction.Ref) string {
	var names []string
	for _, p := range parents {
		if p.Level != jurisdiction.RoleCity {
			names = append(names, p.Name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, " ")
}

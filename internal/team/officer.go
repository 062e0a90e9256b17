package team

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Candidate is an officer of a unit as they stand to a case.
type Candidate struct {
	Person           uuid.UUID
	Certificated     bool
	CertificateUntil time.Time // zero: there is none
	Duty             Duty
	Claims           int     // open cases that one has claimed
	DistanceM        float64 // NaN: not known
	From             DistanceFrom
	Why              worktime.Words
}

// DistanceFrom is from where a distance is told.
type DistanceFrom string

// From where somebody was seen last, or from the middle of the unit's territory.
const (
	FromPosition  DistanceFrom = "position"
	FromTerritory DistanceFrom = "territory"
)

// Free tells whether somebody can go: on duty, not away, without a claim, with a certificate that is good.
func (c *Candidate) Free() bool {
	return c.Duty.On && !c.Duty.Away && c.Claims == 0 && c.Certificated
}

// Place is a point.
type Place struct{ Lon, Lat float64 }

// Scene is what officers are proposed for.
type Scene struct {
	Unit      policy.UnitID
	At        time.Time
	Case      *Place // nil: nobody knows where it is
	Territory *Place // the middle of the unit's; nil: it has none
	Claims    map[uuid.UUID]int
	Positions map[uuid.UUID]Position // those that may be used
}

// Officers are the officers of a unit, from memory: who is free comes first, the nearest first, then the others. Of two as near who
// has less to do.
func (r *Roster) Officers(s *Scene) []Candidate {
	best := map[uuid.UUID]*Candidate{}
	var list []*Candidate
	for _, m := range r.Posts(s.Unit, s.At) {
		if !slices.Contains(policy.OfficerRoles, m.Role) || m.Role != policy.Officer && m.CertifiedUntil.IsZero() {
			continue
		}
		c := best[m.Person]
		if c == nil {
			c = &Candidate{Person: m.Person, Duty: r.Of(s.Unit, m.Person, s.At), Claims: s.Claims[m.Person], DistanceM: math.NaN()}
			best[m.Person] = c
			list = append(list, c)
		}
		if m.CertifiedUntil.After(c.CertificateUntil) {
			c.CertificateUntil, c.Certificated = m.CertifiedUntil, m.Certified(s.At)
		}
	}
	out := make([]Candidate, len(list))
	for i, c := range list {
		s.measure(c)
		c.Why = c.words()
		out[i] = *c
	}
	slices.SortStableFunc(out, func(a, b Candidate) int {
		return cmp.Or(rank(&a)-rank(&b), nearer(a.DistanceM, b.DistanceM), cmp.Compare(a.Claims, b.Claims))
	})
	return out
}

// rank orders officers by how they stand: free, busy, off duty, away, without a certificate.
func rank(c *Candidate) int {
	switch {
	case c.Free():
		return 0
	case !c.Certificated:
		return 4
	case c.Duty.Away:
		return 3
	case !c.Duty.On:
		return 2
	}
	return 1
}

// nearer puts what is not known last.
func nearer(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	}
	return cmp.Compare(a, b)
}

// measure tells how far somebody is from the case. A position counts on duty alone.
func (s *Scene) measure(c *Candidate) {
	p, seen := s.Positions[c.Person]
	switch {
	case s.Case == nil:
	case seen && c.Duty.On:
		c.DistanceM, c.From = metres(*s.Case, Place{p.Lon, p.Lat}), FromPosition
	case s.Territory != nil:
		c.DistanceM, c.From = metres(*s.Case, *s.Territory), FromTerritory
	}
}

// metres is the distance on a sphere.
func metres(a, b Place) float64 {
	const radius = 6_371_008.8
	rad := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad, (b.Lon-a.Lon)*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}

func (c *Candidate) words() worktime.Words {
	var zh, en []string
	add := func(z, e string) { zh, en = append(zh, z), append(en, e) }
	switch {
	case c.Duty.Away:
		add("请假", "on leave")
	case c.Duty.On:
		add("在岗", "on duty")
	default:
		add("不在岗", "off duty")
	}
	if c.Claims == 0 {
		add("手头没有案件", "has claimed nothing")
	} else {
		add(fmt.Sprintf("手头 %d 件", c.Claims), fmt.Sprintf("has claimed %d", c.Claims))
	}
	switch far := roughly(c.DistanceM); {
	case math.IsNaN(c.DistanceM):
		add("距离未知", "distance unknown")
	case c.From == FromPosition:
		add("最后位置距此约 "+far.ZH, "about "+far.EN+" away when seen last")
	default:
		add("位置未知，按辖区中心约 "+far.ZH, "position unknown, about "+far.EN+" from the middle of the territory")
	}
	switch {
	case c.CertificateUntil.IsZero():
		add("没有执法证", "has no certificate")
	case !c.Certificated:
		add("执法证已过期", "certificate expired")
	}
	return worktime.Words{ZH: strings.Join(zh, "，"), EN: strings.Join(en, ", ")}
}

// roughly tells a distance as people do.
func roughly(m float64) worktime.Words {
	if m < 950 {
		n := max(50, math.Round(m/50)*50)
		return worktime.Words{ZH: fmt.Sprintf("%.0f 米", n), EN: fmt.Sprintf("%.0f m", n)}
	}
	return worktime.Words{ZH: fmt.Sprintf("%.1f 公里", m/1000), EN: fmt.Sprintf("%.1f km", m/1000)}
}

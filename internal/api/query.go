package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"gridgov/internal/crs"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// query reads a request's parameters: each at most once, none unknown. The first fault is kept.
type query struct {
	given []parameter
	known []string
	err   *fault.Error
}

type parameter struct{ name, value string }

// parseQuery reads as url.ParseQuery does, without a map: a tile takes less time than filling one.
func parseQuery(raw string) *query {
	q := &query{given: make([]parameter, 0, 8), known: make([]string, 0, 8)}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		switch {
		case err != nil:
			q.fail(fault.Invalid("query", "bad_query", "the query string cannot be read: %v", err))
		case strings.Contains(part, ";"):
			q.fail(fault.Invalid("query", "bad_query", "the query string cannot be read: write ; as %%3B"))
		case !plain(name):
			q.fail(fault.Invalid("query", "bad_encoding", "holds a name that is not UTF-8 text, or has control characters in it"))
		case !plain(value):
			q.fail(fault.Invalid(name, "bad_encoding", "is not UTF-8 text, or has control characters in it"))
		case slices.ContainsFunc(q.given, func(p parameter) bool { return p.name == name }):
			q.fail(fault.Invalid(name, "repeated_parameter", "is given several times; join several values with commas"))
		}
		q.given = append(q.given, parameter{name, value})
	}
	return q
}

// plain tells whether text is what a person can write; the database takes nothing else.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func (q *query) fail(err *fault.Error) {
	if q.err == nil {
		q.err = err
	}
}

func (q *query) get(name string) string {
	q.known = append(q.known, name)
	for _, p := range q.given {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// done returns the first fault; parameters that nobody asked for are one.
func (q *query) done() error {
	for _, p := range q.given {
		if !slices.Contains(q.known, p.name) {
			q.fail(fault.Invalid(p.name, "unknown_parameter", "is no parameter here; there are %s", strings.Join(q.known, ", ")))
		}
	}
	if q.err != nil {
		return q.err
	}
	return nil
}

func (q *query) integer(name string, least, most, otherwise int) int {
	s := q.get(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		q.fail(fault.Invalid(name, "out_of_range", "%.40q is not a whole number from %d to %d", s, least, most))
		return otherwise
	}
	return n
}

func (q *query) list(name string) []string {
	s := q.get(name)
	if s == "" {
		return nil
	}
	if len(s) > 4000 {
		q.fail(fault.Invalid(name, "too_long", "is longer than 4,000 characters"))
		return nil
	}
	return strings.Split(s, ",")
}

// filter is what lists, counts and tiles share.
type filter struct {
	items    []string
	kinds    []report.Kind // "" stands for none
	sources  []report.Source
	from, to time.Time
	aspects  []string // nil: any
	fate     report.Fate
	states   uint32
	ends     uint8
	colours  cube.Clocks
	hours    uint32 // bit h: hour h of the day; 0: all
	zone     *time.Location
}

// filter reads it; at is the moment of the clocks' colours.
func (q *query) filter(zone *time.Location, at time.Time) filter {
	f := filter{items: q.list("item"), aspects: q.list("aspect"), zone: zone}
	q.fate(&f, at)
	for _, s := range q.list("hour") {
		hour, err := strconv.Atoi(s)
		if err != nil || hour < 0 || hour > 23 {
			q.fail(fault.Invalid("hour", "unknown_value", "%.40q is no hour of the day from 0 to 23; 22 is from 22:00 to 22:59", s))
			continue
		}
		f.hours |= 1 << hour
	}
	for _, s := range q.list("kind") {
		k := report.Kind(s)
		if s == "none" {
			k = ""
		} else if k == "" || k.Number() < 0 {
			q.fail(fault.Invalid("kind", "unknown_value", "%.40q is none of inquiry, problem, conflict, none", s))
		}
		f.kinds = append(f.kinds, k)
	}
	for _, s := range q.list("source") {
		if report.Source(s).Number() < 0 {
			q.fail(fault.Invalid("source", "unknown_value", "%.40q is none of phone, hotline, web, sensor, import, patrol", s))
		}
		f.sources = append(f.sources, report.Source(s))
	}
	f.from, f.to = q.time("from", zone), q.time("to", zone)
	return f
}

// time reads a date (its midnight in the city's zone) or an RFC 3339 time in whole seconds.
func (q *query) time(name string, zone *time.Location) time.Time {
	s := q.get(name)
	if s == "" {
		return time.Time{}
	}
	layout := time.RFC3339
	if len(s) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	t, err := time.ParseInLocation(layout, s, zone)
	switch {
	case err != nil:
		q.fail(fault.Invalid(name, "bad_time", "%.40q is neither a date (2026-11-24) nor an RFC 3339 time (2026-11-24T08:00:00+08:00; encode + as %%2B)", s))
	case t.Nanosecond() != 0:
		q.fail(fault.Invalid(name, "bad_time", "%.40q has parts of a second; use whole seconds", s))
	case t.Unix() < 0 || t.Unix() > 1<<32-2:
		q.fail(fault.Invalid(name, "out_of_range", "%.40q is outside 1970–2106", s))
	}
	return t
}

func (q *query) bbox() *orb.Bound {
	s := q.get("bbox")
	if s == "" {
		return nil
	}
	parts := strings.Split(s, ",")
	var v [4]float64
	ok := len(parts) == 4
	for i := range v {
		if ok {
			var err *fault.Error
			v[i], err = crs.ParseNumber("bbox", parts[i])
			ok = err == nil && v[i] >= -360 && v[i] <= 360
		}
	}
	if !ok || v[0] > v[2] || v[1] > v[3] {
		q.fail(fault.Invalid("bbox", "bad_bbox", "%.80q is not west,south,east,north in degrees, west of east; ask for a box across 180° in two parts", s))
		return nil
	}
	return &orb.Bound{Min: orb.Point{v[0], v[1]}, Max: orb.Point{v[2], v[3]}}
}

// query turns the filter into the database's.
func (f *filter) query(c known) report.Query {
	return report.Query{Items: f.itemsAsked(c), Kinds: f.kinds, Sources: f.sources, From: f.from, To: f.to, Hours: f.hours, Zone: f.zone, Fate: f.fate}
}

// cube turns the filter into the cube's numbers; it is asked once the view is at hand, whose codes then all have names. An item the city does not have matches nothing.
func (f *filter) cube(on known) cube.Filter {
	names := on.Names()
	c := cube.Filter{States: f.states, Ends: f.ends, Clocks: f.colours, Now: uint32(f.fate.At.Unix()), Hours: on.Dial().Hours(f.hours)}
	if f.fate.Teams != nil {
		c.Crews = on.LedBy(f.fate.Teams)
	}
	for _, code := range f.itemsAsked(on) {
		n, ok := names.Item(code)
		if !ok {
			n = noItem
		}
		c.Items = append(c.Items, n)
	}
	for _, k := range f.kinds {
		c.Kinds |= 1 << k.Number()
	}
	for _, s := range f.sources {
		c.Sources |= 1 << s.Number()
	}
	if !f.from.IsZero() {
		c.From = uint32(f.from.Unix())
	}
	if !f.to.IsZero() {
		c.To = uint32(f.to.Unix())
		if c.To == 0 { // the cube's "no end"; nothing lies before 1970
			c.Items = []uint16{noItem}
		}
	}
	return c
}

// noItem is the number of no item: the database counts from 1 to 32767.
const noItem = 1<<16 - 1

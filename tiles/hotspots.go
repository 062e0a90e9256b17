package tiles

import (
	"math"
	"slices"
)

// Spot is what a map says of how many matters a unit has, beside all others.
type Spot struct {
	N      uint64  // matters
	Found  uint64  // besides, by patrols
	Around uint64  // N of the unit and its neighbours, which is what was tested
	Rate   float64 // NaN: there is none, or it is of too few to be told
	Z      float64
	P, Q   float64
	Class  string // hot, cold; why it was not tested; "" for neither
	Trend  string // how the spot has come about, "" for none
	Few    bool   // it is hot or cold by a few matters
}

// Keys of the layer `hotspots`, by their index.
const (
	spotCode = iota
	spotName
	spotNameLatin
	spotN
	spotFound
	spotAround
	spotRate
	spotZ
	spotP
	spotQ
	spotClass
	spotTrend
	spotFew
)

// Hotspots appends the tile of hot and cold spots of the level of a role, at any zoom: one layer `hotspots` of polygons with the unit's
// place in its level plus one as id. spot tells of a unit by its place in its level; of those it has nothing to say of, the tile has
// nothing. An address that is not valid, or a role without a level: nothing is appended.
func (b *Boundaries) Hotspots(dst []byte, a Address, role string, spot func(unit int) (Spot, bool)) []byte {
	i := slices.IndexFunc(b.levels, func(l boundaryLevel) bool { return roles[l.rank].Name == role })
	if i < 0 || !a.Valid() {
		return dst
	}
	l := b.level(a.Z, i)
	t := b.take()
	defer b.clippers.Put(t)
	t.clip.aim(a)
	t.values, t.next = t.values[:0], 0
	words := map[string]uint64{}
	dst, start := beginLayer(dst)
	empty := len(dst)
	t.eachFace(l, func(face int) {
		s, ok := spot(face)
		if !ok {
			return
		}
		t.spot(&l.units[face], &s, words)
		dst = t.feature(dst, uint64(face)+1, typePolygon)
	})
	if len(dst) == empty {
		return dst[:start]
	}
	keys := []string{spotCode: "code", spotName: "name", spotNameLatin: "name_latin", spotN: "n", spotFound: "found", spotAround: "around",
		spotRate: "rate", spotZ: "z", spotP: "p", spotQ: "q", spotClass: "class", spotTrend: "trend", spotFew: "few"}
	return endLayer(dst, start, "hotspots", keys, t.values, Extent)
}

// spot fills t.tags.
func (t *boundaryTile) spot(u *Unit, s *Spot, words map[string]uint64) {
	t.tags = t.tags[:0]
	t.text(spotCode, u.Code)
	if u.Name != "" {
		t.text(spotName, u.Name)
	}
	if u.NameLatin != "" {
		t.text(spotNameLatin, u.NameLatin)
	}
	t.count(spotN, s.N)
	if s.Found > 0 {
		t.count(spotFound, s.Found)
	}
	t.count(spotAround, s.Around)
	if !math.IsNaN(s.Rate) {
		t.number(spotRate, s.Rate)
	}
	t.number(spotZ, s.Z)
	t.number(spotP, s.P)
	t.number(spotQ, s.Q)
	t.word(spotClass, s.Class, words)
	t.word(spotTrend, s.Trend, words)
	if s.Few {
		t.values = appendBoolValue(t.values, true)
		t.tag(spotFew, t.next)
		t.next++
	}
}

// word adds one of few words, each of which stands in the layer once.
func (t *boundaryTile) word(key byte, word string, known map[string]uint64) {
	if word == "" {
		return
	}
	if known[word] == 0 {
		t.values = appendStringValue(t.values, word)
		t.next++
		known[word] = t.next
	}
	t.tag(key, known[word]-1)
}

func (t *boundaryTile) count(key byte, n uint64) {
	t.values = appendUintValue(t.values, n)
	t.tag(key, t.next)
	t.next++
}

func (t *boundaryTile) number(key byte, v float64) {
	t.values = appendFloatValue(t.values, float32(v))
	t.tag(key, t.next)
	t.next++
}

// HotspotsDocument describes the tiles of [Boundaries.Hotspots].
func HotspotsDocument(s Source, levels []string) Document {
	d := s.document("hotspots", "Where matters are more, or fewer, than chance would have it, by units of the plan in force", 0, VectorLayer{
		ID: "hotspots", Description: "units of the level asked for", MaxZoom: MaxZoom,
		Fields: map[string]string{
			"code":       "String: code of the unit",
			"name":       "String: its name",
			"name_latin": "String: its name in Latin letters; absent where unknown",
			"n":          "Number: reports; where no source is asked for, those that were told and not found by patrols",
			"found":      "Number: found by patrols besides; absent for none",
			"around":     "Number: n of the unit and its neighbours, which is what is tested",
			"rate":       "Number: n by 1,000 households, else people, drawn towards that of all; absent where n is below 20 or the plan has neither",
			"z":          "Number: of Gi*",
			"p":          "Number: of z, two-sided, as it is published",
			"q":          "Number: share of false discoveries among all units that are as far out",
			"class":      "String: hot or cold where q is at most 0.1; alone, constant or too_few where it could not be tested; else absent",
			"trend":      "String: new, consecutive, intensifying, persistent, diminishing, sporadic, oscillating or historical, by the steps of time; absent for none",
			"few":        "Boolean: true where it is hot or cold by fewer than 20 reports; else absent",
		},
	})
	return d.with(
		FilterParameter{"level", "level whose units are tested", levels},
		FilterParameter{"weights", "who is whose neighbour: queen (without it), rook, knn:K or band:METRES", nil},
		FilterParameter{"value", "what is tested: count (without it), or rate by households, else people", []string{"count", "rate"}},
		FilterParameter{"step", "steps of time by which the trend goes", []string{"day", "week", "month"}})
}

// with is the document with filters of its own.
func (d Document) with(f ...FilterParameter) Document {
	d.Filters = append(slices.Clone(d.Filters), f...)
	return d
}

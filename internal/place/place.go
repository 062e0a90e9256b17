// Package place is the gazetteer: names of villages, streets, markets and whatever else a report's address may mention,
// in Chinese and in Latin letters.
//
// A Gazetteer answers two questions from memory: where an address lies (Find and Geocode, for reports without a point)
// and which places a person means who types into the search box (Search). The answers are deterministic: they depend on
// the set of entries and the text alone, not on the order of import.
package place

import (
	"cmp"
	"index/suffixarray"
	"slices"
	"strings"
	"unicode/utf8"
)

// Entry is a place as imported.
type Entry struct {
	Code    string // a division code or any other; may be empty. A code that begins with another's lies within that place
	Name    string
	Aliases []string
	Kind    string // "village", "street", "poi", …: shown, never interpreted
	Lon     float64
	Lat     float64 // degrees, EPSG:4490
}

// Match is an entry found, with the name by which it was found.
type Match struct {
	Entry Entry
	On    string  // the name, alias or code that matched, as it was imported
	Score float64 // 0..1, see Find and Search
}

// Gazetteer is immutable and safe for concurrent use.
type Gazetteer struct {
	entries []Entry
	names   []name             // by length of the key, then by key: shorter ones are nearer to any text they contain
	exact   map[string][]int32 // key → names
	lengths map[rune][]int     // first rune of a key → lengths in bytes that such keys have, ascending
	blob    string             // "\n" key "\n" key … "\n", in the order of names: what Search looks through
	starts  []int32            // of each key in blob

	suffixes *suffixarray.Index // of blob
}

// name is one way to say an entry.
type name struct {
	key      string // normalised
	text     string // as imported
	entry    int32
	stripped bool // without its last part, such as 村: a weaker hint
	code     bool // a code: for Search only
}

// New builds the index, about a second for 100,000 entries. An entry without any letter or digit in its name and aliases is found by its code only.
func New(entries []Entry) *Gazetteer {
	g := &Gazetteer{entries: slices.Clone(entries), exact: map[string][]int32{}, lengths: map[rune][]int{}}
	slices.SortStableFunc(g.entries, compareEntries)
	for i, e := range g.entries {
		g.add(e, int32(i))
	}
	slices.SortFunc(g.names, func(a, b name) int {
		return cmp.Or(cmp.Compare(len(a.key), len(b.key)), strings.Compare(a.key, b.key), cmp.Compare(a.entry, b.entry),
			boolCompare(a.code, b.code), boolCompare(a.stripped, b.stripped), strings.Compare(a.text, b.text))
	})
	g.names = slices.CompactFunc(g.names, func(a, b name) bool { return a.key == b.key && a.entry == b.entry && a.code == b.code })
	g.index()
	return g
}

// add lists the keys of an entry.
func (g *Gazetteer) add(e Entry, i int32) {
	for n := -1; n < len(e.Aliases); n++ {
		text := e.Name
		if n >= 0 {
			text = e.Aliases[n]
		}
		key := Normalise(text)
		if key == "" {
			continue
		}
		g.names = append(g.names, name{key: key, text: text, entry: i})
		place := placeOf(key)
		if place != key {
			g.names = append(g.names, name{key: place, text: text, entry: i})
		}
		if short, ok := stripKind(place); ok {
			g.names = append(g.names, name{key: short, text: text, entry: i, stripped: true})
		}
	}
	if code := Normalise(e.Code); code != "" {
		g.names = append(g.names, name{key: code, text: e.Code, entry: i, code: true})
	}
}

// index fills the look-ups from the sorted names.
func (g *Gazetteer) index() {
	var blob strings.Builder
	g.starts = make([]int32, len(g.names))
	for i, n := range g.names {
		blob.WriteByte('\n')
		g.starts[i] = int32(blob.Len())
		blob.WriteString(n.key)
		g.exact[n.key] = append(g.exact[n.key], int32(i))
		if n.code {
			continue
		}
		first, _ := utf8.DecodeRuneInString(n.key)
		if l := g.lengths[first]; len(l) == 0 || l[len(l)-1] != len(n.key) {
			g.lengths[first] = append(l, len(n.key))
		}
	}
	blob.WriteByte('\n')
	g.blob = blob.String()
	g.suffixes = suffixarray.New([]byte(g.blob))
}

// Len is the number of entries.
func (g *Gazetteer) Len() int { return len(g.entries) }

// compareEntries is the order of equals: by name, then by what makes an entry itself.
func compareEntries(a, b Entry) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Code, b.Code), strings.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Lon, b.Lon), cmp.Compare(a.Lat, b.Lat), slices.Compare(a.Aliases, b.Aliases))
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

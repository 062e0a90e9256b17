package place

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Accept is the least score with which Geocode takes a match: half of the address is explained by the place and those around it.
const Accept = 0.75

// clearBy is by how much the best match must beat the next one elsewhere.
const clearBy = 0.05

// maxAddress bounds the work for a hostile text, in bytes of the normal form; an address is a line.
const maxAddress = 512

// span is a place named inside an address.
type span struct {
	from, to int // bytes of the normal form
	name     int32
}

// Find lists the places that an address names, best first, at most limit of them.
//
// A place is named where its whole name, an alias (褚石村 for 褚石村委会), or a name without its last 村, 镇 … stands in the address, in
// Latin letters only from word to word, and digits only whole. A name inside a longer name counts for nothing (石村 is
// not named in 褚石村). The score is half for the name (0.4 for a shortened one) and half for the part of the address that
// is explained by it and by the places around it that are named too, told by their codes: in 长安镇新民村 the 新民村 whose code
// begins with that of 长安镇 has 1, another one 0.75. Equal scores are ordered by the longer name, then the later one, then
// by name and code.
func (g *Gazetteer) Find(address string, limit int) []Match {
	found := g.find(address)
	out := make([]Match, 0, min(len(found), max(limit, 0)))
	for _, f := range found[:min(len(found), max(limit, 0))] {
		out = append(out, f.match(g))
	}
	return out
}

// Geocode decides where an address lies. ok is false when the best match scores below Accept, or when another place
// comes within 0.05 of it that is neither the same spot nor around it: the address is then ambiguous and stays with the desk.
func (g *Gazetteer) Geocode(address string) (best Match, ok bool) {
	found := g.find(address)
	if len(found) == 0 || found[0].score < Accept {
		return Match{}, false
	}
	first := &g.entries[found[0].entry]
	for _, f := range found[1:] {
		if f.score < found[0].score-clearBy {
			break
		}
		other := &g.entries[f.entry]
		sameSpot := other.Lon == first.Lon && other.Lat == first.Lat
		if !sameSpot && !around(other.Code, first.Code) {
			return Match{}, false
		}
	}
	return found[0].match(g), true
}

// candidate is an entry named in an address.
type candidate struct {
	span
	entry int32
	score float64
}

func (c candidate) match(g *Gazetteer) Match {
	return Match{Entry: g.entries[c.entry], On: g.names[c.name].text, Score: c.score}
}

func (g *Gazetteer) find(address string) []candidate {
	text := Normalise(address[:min(len(address), 4*maxAddress)])
	if len(text) > maxAddress {
		text = strings.ToValidUTF8(text[:maxAddress], "")
	}
	spans := g.spans(text)
	total := significant(text)
	byEntry := map[int32]candidate{}
	for _, s := range spans {
		for _, n := range g.exact[text[s.from:s.to]] {
			name := g.names[n]
			if name.code {
				continue
			}
			c := candidate{span: span{s.from, s.to, n}, entry: name.entry}
			c.score = g.score(c, text, spans, total)
			if had, ok := byEntry[name.entry]; !ok || compareCandidates(c, had) < 0 {
				byEntry[name.entry] = c
			}
		}
	}
	found := make([]candidate, 0, len(byEntry))
	for _, c := range byEntry {
		found = append(found, c)
	}
	slices.SortFunc(found, compareCandidates)
	return found
}

func compareCandidates(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.to-b.from, a.to-a.from), cmp.Compare(b.from, a.from),
		cmp.Compare(a.entry, b.entry), cmp.Compare(a.name, b.name))
}

// spans finds where names stand in the text, those inside longer ones left out, in order.
func (g *Gazetteer) spans(text string) []span {
	var all []span
	reach := 0 // end of the furthest span so far: what ends before it lies inside a longer one
	for from, first := range text {
		lengths := g.lengths[first]
		for i := len(lengths) - 1; i >= 0; i-- {
			to := from + lengths[i]
			if to > len(text) || to <= reach || !bordered(text, from, to) || !g.named(text[from:to]) {
				continue
			}
			all = append(all, span{from: from, to: to})
			reach = to
			break
		}
	}
	return all
}

// named reports whether the key is a name rather than a code.
func (g *Gazetteer) named(key string) bool {
	names := g.exact[key]
	return slices.ContainsFunc(names, func(n int32) bool { return !g.names[n].code })
}

// bordered reports whether a name may stand there: words of letters and digits are whole.
func bordered(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	start, _ := utf8.DecodeRuneInString(text[from:])
	end, _ := utf8.DecodeLastRuneInString(text[:to])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return (from == 0 || !runs(before, start)) && (to == len(text) || utf8.RuneStart(text[to]) && !runs(end, after))
}

// runs reports whether two neighbours belong to one word; each Chinese character is its own.
func runs(a, b rune) bool {
	letter := func(r rune) bool { return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !isHan(r) }
	return letter(a) && letter(b)
}

// score is as Find documents.
func (g *Gazetteer) score(c candidate, text string, spans []span, total int) float64 {
	explained := 0
	for _, s := range spans {
		if s.from == c.from || g.namesAround(text[s.from:s.to], g.entries[c.entry].Code) {
			explained += significant(text[s.from:s.to])
		}
	}
	score := 0.5
	if g.names[c.name].stripped {
		score = 0.4
	}
	return score + 0.5*float64(min(explained, total))/float64(total)
}

// namesAround reports whether the key names a place in which the code lies.
func (g *Gazetteer) namesAround(key, code string) bool {
	return slices.ContainsFunc(g.exact[key], func(n int32) bool {
		return !g.names[n].code && around(g.entries[g.names[n].entry].Code, code)
	})
}

// around reports whether the place of the outer code holds that of the inner one.
func around(outer, inner string) bool {
	return outer != "" && len(outer) < len(inner) && strings.HasPrefix(inner, outer)
}

// significant counts what a text says: its runes without spaces.
func significant(text string) int {
	return utf8.RuneCountInString(text) - strings.Count(text, " ")
}

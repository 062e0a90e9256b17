package place

import (
	"cmp"
	"slices"
	"strings"
)

// Search lists what a person may mean who types into the search box, best first, at most limit entries. In this order:
// the text is a whole name or code (score 1); a name or code begins with it (0.8 to 1); a word of it does (0.6 to 0.8); it
// stands somewhere inside (0.4 to 0.6); all its words stand inside (0.2 to 0.4). Within each the shorter name is better,
// as more of it was typed, then the order of names.
func (g *Gazetteer) Search(text string, limit int) []Match {
	q := Normalise(text[:min(len(text), 4*maxAddress)])
	if q == "" || limit <= 0 || len(q) > maxAddress {
		return nil
	}
	s := search{g: g, q: q, limit: limit, seen: map[int32]bool{}}
	all := func(string) bool { return true }
	s.scan("\n"+q+"\n", 1, all)
	s.scan("\n"+q, 0.8, all)
	s.scan(" "+q, 0.6, all)
	s.scan(q, 0.4, all)
	if words := strings.Fields(q); len(words) > 1 && len(s.found) < limit {
		rarest := slices.MinFunc(words, func(a, b string) int { return cmp.Compare(g.count(a), g.count(b)) })
		s.scan(rarest, 0.2, func(key string) bool {
			return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(key, w) })
		})
	}
	return s.found
}

// few is up to how many hits are sorted; more of them lie so dense that the first ones are found by reading on.
const few = 4096

// maxExamined bounds a scan for words that are each common and never together.
const maxExamined = 5 * few

// count is how often a text stands in the names, up to few + 1.
func (g *Gazetteer) count(text string) int { return len(g.suffixes.Lookup([]byte(text), few+1)) }

// search gathers matches. The names lie in the blob by length, so that the first hits of a scan are its best ones and
// scanning ends with the last one wanted: a text that is everywhere costs no more than one that is nowhere.
type search struct {
	g     *Gazetteer
	q     string
	limit int
	seen  map[int32]bool
	found []Match
}

// scan adds the names that hold the pattern, whose line feeds stand for the borders of names.
func (s *search) scan(pattern string, base float64, accept func(key string) bool) {
	if len(s.found) >= s.limit {
		return
	}
	hits := s.g.suffixes.Lookup([]byte(pattern), few+1)
	if len(hits) <= few {
		slices.Sort(hits)
		for _, hit := range hits {
			s.take(hit+leading(pattern), base, accept)
		}
		return
	}
	for at, n := 0, 0; len(s.found) < s.limit && n < maxExamined; n++ {
		i := strings.Index(s.g.blob[at:], pattern)
		if i < 0 {
			return
		}
		at = s.take(at+i+leading(pattern), base, accept)
	}
}

// leading is how many bytes of a pattern stand before the name it looks for.
func leading(pattern string) int {
	if pattern[0] == '\n' {
		return 1
	}
	return 0
}

// take adds the name at a place of the blob, unless its entry was found before, and returns where the name ends.
func (s *search) take(hit int, base float64, accept func(key string) bool) (end int) {
	n, _ := slices.BinarySearch(s.g.starts, int32(hit)+1)
	name := &s.g.names[n-1]
	end = int(s.g.starts[n-1]) + len(name.key)
	if len(s.found) >= s.limit || s.seen[name.entry] || !accept(name.key) {
		return end
	}
	s.seen[name.entry] = true
	score := min(1, base+0.2*float64(len(s.q))/float64(len(name.key)))
	s.found = append(s.found, Match{Entry: s.g.entries[name.entry], On: name.text, Score: score})
	return end
}

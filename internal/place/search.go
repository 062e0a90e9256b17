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
	s.scan("\n"+q+"\n", 1, func(string) bool { return true }, 1)
	s.scan("\n"+q, 0.8, func(string) bool { return true }, 1)
	s.scan(" "+q, 0.6, func(string) bool { return true }, 1)
	s.scan(q, 0.4, func(string) bool { return true }, 0)
	if words := strings.Fields(q); len(words) > 1 {
		longest := slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		s.scan(longest, 0.2, func(key string) bool {
			return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(key, w) })
		}, 0)
	}
	return s.found
}

// search gathers matches. The names lie in the blob by length, so that the first hits of a scan are its best ones and
// scanning ends with the last one wanted: a text that is everywhere costs no more than one that is nowhere.
type search struct {
	g     *Gazetteer
	q     string
	limit int
	seen  map[int32]bool
	found []Match
}

// scan adds the names that hold the pattern. The match starts lead bytes into it.
func (s *search) scan(pattern string, base float64, accept func(key string) bool, lead int) {
	for at := 0; len(s.found) < s.limit; {
		i := strings.Index(s.g.blob[at:], pattern)
		if i < 0 {
			return
		}
		hit := at + i + lead
		n, _ := slices.BinarySearch(s.g.starts, int32(hit)+1)
		name := &s.g.names[n-1]
		at = int(s.g.starts[n-1]) + len(name.key) // go on behind this name
		if s.seen[name.entry] || !accept(name.key) {
			continue
		}
		s.seen[name.entry] = true
		score := min(1, base+0.2*float64(len(s.q))/float64(len(name.key)))
		s.found = append(s.found, Match{Entry: s.g.entries[name.entry], On: name.text, Score: score})
	}
}

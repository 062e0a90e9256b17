package tiles

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

// codes are the codes of one block of DEFLATE (RFC 1951).
type codes struct {
	header    []code // of the block, the codes' own description included
	literal   [256]code
	end       code
	length    [259]code // by length, extra bits included
	distances []code    // by symbol
}

// Symbols of lengths (from 257 on) and distances: the first of each, and its number of extra bits.
const (
	endOfBlock  = 256
	firstLength = 257
)

var (
	lengthBase = [...]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227}
	distBase   = [...]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
		8193, 12289, 16385, 24577}
)

func newCodes(header []code, literals, distances []uint8) *codes {
	l := canonical(literals)
	c := &codes{header: header, literal: [256]code(l), end: l[endOfBlock], distances: canonical(distances)}
	for n := lengthBase[0]; n < len(c.length)-1; n++ { // 258 has a symbol of its own, which is not needed
		s, exact := slices.BinarySearch(lengthBase[:], n)
		if !exact {
			s--
		}
		c.length[n] = l[firstLength+s].then(code{uint64(n - lengthBase[s]), uint(max(0, s/4-1))})
	}
	return c
}

// distance is the code of a distance, extra bits included; none for 0.
func (c *codes) distance(n int) code {
	if n == 0 {
		return code{}
	}
	s := n - 1
	if n > 4 { // each two symbols have one extra bit more
		extra := bits.Len(uint(n-1)) - 2
		s = 2*extra + (n-1)>>extra
	}
	return c.distances[s].then(code{uint64(n - distBase[s]), uint(max(0, s/2-1))})
}

// fixedCodes are DEFLATE's own (3.2.6), which need no description.
var fixedCodes = sync.OnceValue(func() *codes {
	lengths := make([]uint8, 288)
	for i := range lengths {
		switch {
		case i < 144 || i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	return newCodes([]code{{1, 1}, {1, 2}}, lengths, slices.Repeat([]uint8{5}, len(distBase)))
})

// tileCodes are codes made for tiles.
var tileCodes = sync.OnceValue(func() *codes {
	literals, distances := tileWeights()
	l, d := huffman(literals), huffman(distances)
	return newCodes(describe(l, d), l, d)
})

// tileWeights is how often each symbol comes up in a thousand, in tiles of heat and of reports together, rounded: of
// indexes and counts, which are small, of coordinates, which are even where they are of one byte, of digits in codes, and
// of the bytes of densities and times, which may be anything.
func tileWeights() (literals, distances []float64) {
	literals = make([]float64, firstLength+len(lengthBase))
	for b := range 256 {
		switch {
		case b >= 128:
			literals[b] = 1.6
		case b >= '0' && b <= '9':
			literals[b] = 7
		case b%2 == 0:
			literals[b] = 3
		default:
			literals[b] = 1.5
		}
		if b < 32 {
			literals[b] *= 1.7
		}
	}
	copy(literals, []float64{14, 49, 25, 21, 27, 8, 12, 6, 6, 6, 9})
	literals[tagLayerFeature], literals[tagLayerValue] = 7, 8
	literals[endOfBlock] = 1
	for i := range lengthBase {
		literals[firstLength+i] = .5
	}
	copy(literals[firstLength:], []float64{45, 16, 73, 27, 6, 6, 3, .5, .5, 25, 35, 7, 8})
	distances = []float64{.5, .5, .5, .5, .5, 91, 8, .5, 371, 420, 35, 26, 16, 6, 7, 4, 5, 3, 3, 2, 2, 1, 1, .5, .5, .5, .5, .5, .5, .5}
	return literals, distances
}

// huffman returns the lengths of codes that are best for symbols of these weights; what weighs nothing has no code.
func huffman(weights []float64) []uint8 {
	type tree struct {
		weight  float64
		symbols []int
	}
	var trees []tree
	for s, w := range weights {
		if w > 0 {
			trees = append(trees, tree{w, []int{s}})
		}
	}
	lengths := make([]uint8, len(weights))
	for len(trees) > 1 {
		slices.SortStableFunc(trees, func(a, b tree) int { return cmp.Compare(b.weight, a.weight) })
		a, b := &trees[len(trees)-2], trees[len(trees)-1]
		a.weight += b.weight
		a.symbols = append(a.symbols, b.symbols...)
		for _, s := range a.symbols {
			lengths[s]++
		}
		trees = trees[:len(trees)-1]
	}
	return lengths
}

// canonical gives codes to symbols by the lengths of their codes, as RFC 1951 has it (3.2.2): ready to be written, the
// first bit lowest.
func canonical(lengths []uint8) []code {
	var next [16]uint64
	for n := 2; n < len(next); n++ {
		next[n] = next[n-1] << 1
		for _, l := range lengths {
			if int(l) == n-1 {
				next[n] += 2
			}
		}
	}
	codes := make([]code, len(lengths))
	for s, n := range lengths {
		if n > 0 {
			codes[s] = code{bits.Reverse64(next[n]) >> (64 - n), uint(n)}
			next[n]++
		}
	}
	return codes
}

// describe is the head of a last block with codes of its own (3.2.7): the lengths of the codes, written in codes
// themselves, with one for the last length once more, three to six times.
func describe(literals, distances []uint8) []code {
	const again = 16
	type length struct {
		symbol uint8
		extra  code
	}
	var all []length
	both := slices.Concat(literals, distances)
	for i := 0; i < len(both); {
		n := 1
		for i+n < len(both) && both[i+n] == both[i] {
			n++
		}
		all = append(all, length{symbol: both[i]})
		i++
		for n--; n > 0; {
			k := min(n, 6)
			if k < 3 {
				all = append(all, length{symbol: both[i]})
				k = 1
			} else {
				all = append(all, length{again, code{uint64(k - 3), 2}})
			}
			i, n = i+k, n-k
		}
	}
	order := [...]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	weights := make([]float64, len(order))
	for _, l := range all { // none so light that its code had more than the 7 bits that there are for it
		weights[l.symbol] = max(weights[l.symbol]+1, float64(len(all))/50)
	}
	lengths := huffman(weights)
	out := []code{{1 | 2<<1, 3}, {uint64(len(literals) - firstLength), 5}, {uint64(len(distances) - 1), 5}, {uint64(len(order) - 4), 4}}
	for _, s := range order {
		out = append(out, code{uint64(lengths[s]), 3})
	}
	for codes, i := canonical(lengths), 0; i < len(all); i++ {
		out = append(out, codes[all[i].symbol], all[i].extra)
	}
	return out
}

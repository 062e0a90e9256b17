package tiles

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

// codes are the codes of one block of DEFLATE (RFC 1951), as far as cells need them.
type codes struct {
	header  []code // of the block, the codes' own description included
	literal [256]code
	end     code
	match   [cellMost + 1][longestRun]code // by distance and length
}

// heatCodes are the fixed codes, which need no description, and codes made for cells.
var heatCodes = [2]func() *codes{
	sync.OnceValue(func() *codes {
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
		return newCodes([]code{{1, 1}, {1, 2}}, lengths, slices.Repeat([]uint8{5}, 30))
	}),
	sync.OnceValue(func() *codes {
		literals, distances := cellWeights()
		l, d := huffman(literals), huffman(distances)
		return newCodes(describe(l, d), l, d)
	}),
}

// Symbols of lengths and distances: the first length or distance of each, and their numbers of extra bits.
var (
	lengthBase = [29]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	distBase   = [14]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97}
)

const endOfBlock = 256

func lengthSymbol(n int) (symbol, extra, extraBits int) {
	i, exact := slices.BinarySearch(lengthBase[:], n)
	if !exact {
		i--
	}
	return 257 + i, n - lengthBase[i], max(0, i/4-1)
}

func distSymbol(n int) (symbol, extra, extraBits int) {
	i, exact := slices.BinarySearch(distBase[:], n)
	if !exact {
		i--
	}
	return i, n - distBase[i], max(0, i/2-1)
}

func newCodes(header []code, literals, distances []uint8) *codes {
	l, d := canonical(literals), canonical(distances)
	c := &codes{header: header, literal: [256]code(l), end: l[endOfBlock]}
	match := func(length, distance int) code {
		s, extra, n := lengthSymbol(length)
		out := l[s].then(code{uint64(extra), uint(n)})
		s, extra, n = distSymbol(distance)
		return out.then(d[s]).then(code{uint64(extra), uint(n)})
	}
	for size := cellLeast; size <= cellMost; size++ {
		for run := leastMatch; run < longestRun; run++ {
			c.match[size][run] = match(run, size)
		}
	}
	return c
}

// cellWeights is how often each symbol comes up, for one cell, in tiles of real and generated cities, rounded: coordinates
// are even, indexes small, the bytes of densities anything.
func cellWeights() (literals, distances []float64) {
	longest, _, _ := lengthSymbol(longestRun - 1)
	literals = make([]float64, longest+1)
	for symbol := range literals {
		switch {
		case symbol >= endOfBlock:
			literals[symbol] = .001
		case symbol >= 128:
			literals[symbol] = .006
		case symbol%2 == 1:
			literals[symbol] = .02
		default:
			literals[symbol] = .04
		}
	}
	for symbol, weight := range map[int]float64{
		0: .25, 1: .5, 2: .15, 4: .1, 5: .4, // the indexes of the most frequent values, and tags
		tagLayerFeature: .2, tagLayerValue: .4, tagValueFloat: .4, tagValueUint: .08,
		64: .06, 66: .14, 68: .16, 102: .13, 103: .1, // high bytes of densities
	} {
		literals[symbol] = weight
	}
	// From y to x where the tags are the same, and one byte less or more; from y to the tags; from the tags to x.
	for length, weight := range map[int]float64{21: .12, 13: .36, 14: .1, 15: .43, 8: .05, 9: .04, 5: .6, 6: .23, 7: .02} {
		s, _, _ := lengthSymbol(length)
		literals[s] = weight
	}
	distances = make([]float64, 10)
	for size := cellLeast; size <= cellMost; size++ {
		s, _, _ := distSymbol(size)
		distances[s] = 1 // two symbols: cells of up to 24 bytes, and larger ones
	}
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
	for n := 1; n < len(next); n++ {
		next[n] = next[n-1] << 1
		for _, l := range lengths {
			if int(l) == n-1 && n > 1 {
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

// describe is the head of a last block with codes of its own (3.2.7), without the codes for runs of lengths.
func describe(literals, distances []uint8) []code {
	order := [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	weights := make([]float64, len(order))
	all := slices.Concat(literals, distances)
	for _, n := range all {
		weights[n] = max(weights[n]+1, float64(len(all))/50) // so light that a code had more than 7 bits it may not be
	}
	lengths := huffman(weights)
	out := []code{{1 | 2<<1, 3}, {uint64(len(literals) - 257), 5}, {uint64(len(distances) - 1), 5}, {uint64(len(order) - 4), 4}}
	for _, s := range order {
		out = append(out, code{uint64(lengths[s]), 3})
	}
	codes := canonical(lengths)
	for _, n := range all {
		out = append(out, codes[n])
	}
	return out
}

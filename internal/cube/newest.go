package cube

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// Nums is a set of reports' numbers.
type Nums []uint64

// NumsOf is a set of these numbers.
func NumsOf[N ~uint32](list []N) Nums {
	if len(list) == 0 {
		return Nums{}
	}
	set := make(Nums, uint32(slices.Max(list))>>6+1)
	for _, n := range list {
		set[uint32(n)>>6] |= 1 << (uint32(n) & 63)
	}
	return set
}

func (s Nums) has(num uint32) bool {
	i := int(num >> 6)
	return i < len(s) && s[i]>>(num&63)&1 != 0
}

// Newest returns the numbers of the reports, among those that match, that a list of the newest limit can hold: all whose
// second is not before that of the limit-th newest one, the newest first. Equal seconds may make them more than limit, and are in the
// order of their numbers, the highest first. within nil is everywhere, among nil whatever the number is.
func (v View) Newest(f Filter, within *orb.Bound, among Nums, limit int) []uint32 {
	if limit <= 0 {
		return nil
	}
	if within == nil {
		f.From = max(f.From, v.from(f, among, limit))
	}
	type row struct{ at, num uint32 }
	var rows []row
	gone := map[row]int{} // taken away from an older tier, so often
	v.each(f, within, func(r *run, i int, sign uint64) {
		w := row{r.at[i], r.num[i]}
		switch {
		case among != nil && !among.has(w.num):
		case sign == 1:
			rows = append(rows, w)
		default:
			gone[w]++
		}
	})
	if len(gone) > 0 {
		rows = slices.DeleteFunc(rows, func(w row) bool {
			if gone[w] == 0 {
				return false
			}
			gone[w]--
			return true
		})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.num, a.num)) })
	if len(rows) > limit {
		end := limit
		for end < len(rows) && rows[end].at == rows[limit-1].at {
			end++
		}
		rows = rows[:end]
	}
	nums := make([]uint32, len(rows))
	for i, w := range rows {
		nums[i] = w.num
	}
	return nums
}

// from is a time not before which a list of the newest limit lies, within a day of the latest such: a million are not sorted for a page.
func (v View) from(f Filter, among Nums, limit int) uint32 {
	var of [1 << 16]uint64
	n := uint64(0)
	v.each(f, nil, func(r *run, i int, sign uint64) {
		if among == nil || among.has(r.num[i]) {
			of[r.at[i]>>16] += sign
			n += sign
		}
	})
	if n <= uint64(limit) {
		return 0
	}
	from := uint32(len(of))
	for n = 0; n < uint64(limit); n += of[from] {
		from--
	}
	return from << 16
}

package cube

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// Newest returns the numbers of the reports, among those that match, that a list of the newest limit can hold: all whose
// second is not before that of the limit-th newest one, the newest first. Equal seconds may make them more than limit, and are in the
// order of their numbers, the highest first. within nil is everywhere.
func (v View) Newest(f Filter, within *orb.Bound, limit int) []uint32 {
	if limit <= 0 {
		return nil
	}
	type row struct{ at, num uint32 }
	var rows []row
	gone := map[row]int{} // taken away from an older tier, so often
	v.each(f, within, func(r *run, i int, sign uint64) {
		w := row{r.at[i], r.num[i]}
		if sign == 1 {
			rows = append(rows, w)
		} else {
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
	if len(rows) > limit { // a million are not sorted for a page: those of the days that can be on it are
		var of [1 << 16]int
		for _, w := range rows {
			of[w.at>>16]++
		}
		from, n := uint32(len(of)), 0
		for n < limit {
			from--
			n += of[from]
		}
		rows = slices.DeleteFunc(rows, func(w row) bool { return w.at>>16 < from })
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

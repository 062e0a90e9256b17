package cube

// builder collects rows in any order and sorts them into a segment.
type builder struct{ rows columns }

func (b *builder) add(r Row) {
	if rec, ok := recordOf(r); ok {
		b.put(rec)
	}
}

func (b *builder) put(r record) {
	c := &b.rows
	c.code = append(c.code, r.code)
	c.at = append(c.at, r.at)
	c.num = append(c.num, r.num)
	c.face = append(c.face, r.face)
	c.lot = append(c.lot, r.lot)
	c.attr = append(c.attr, r.attr)
	c.item = append(c.item, r.item)
}

// segment sorts what was added; of rows with the same number the last one stays. The builder is spent.
func (b *builder) segment() *segment {
	src := &b.rows
	order := b.orderByNum()
	n := len(order)
	keys, ranks := make([]uint64, n), make([]uint32, n)
	for i, row := range order {
		keys[i], ranks[i] = src.code[row], uint32(i)
	}
	keys, ranks = radixSort(keys, ranks) // stable: equal codes stay in the order of their numbers
	for place, rank := range ranks {
		keys[place] = uint64(timeKey(src.at[order[rank]]))
	}
	_, ranks = radixSort(keys, ranks)
	s := &segment{byNum: make([]uint32, n)}
	for place, rank := range ranks {
		s.byNum[rank] = uint32(place)
		ranks[place] = order[rank]
	}
	s.flat.columns = columns{
		code: pick(src.code, ranks), at: pick(src.at, ranks), num: pick(src.num, ranks),
		face: pick(src.face, ranks), lot: pick(src.lot, ranks), attr: pick(src.attr, ranks), item: pick(src.item, ranks),
	}
	b.rows = columns{}
	f := &s.flat
	f.regroup(func(i int) uint32 { return timeKey(f.at[i]) })

	keys = keys[:n]
	for place := range ranks {
		keys[place], ranks[place] = uint64(f.item[place]), uint32(place)
	}
	_, places := radixSort(keys, ranks)
	s.split.columns = columns{
		code: pick(f.code, places), at: pick(f.at, places), num: pick(f.num, places),
		face: pick(f.face, places), lot: pick(f.lot, places), attr: pick(f.attr, places),
	}
	s.split.regroup(func(i int) uint32 { return itemKey(f.item[places[i]], f.at[places[i]]) })
	return s
}

// regroup notes where each key's rows begin and end.
func (l *layout) regroup(key func(i int) uint32) {
	for i := range l.len() {
		k := key(i)
		if last := len(l.groups) - 1; last < 0 || l.groups[last].key != k {
			l.groups = append(l.groups, group{k, i, i})
		}
		l.groups[len(l.groups)-1].end = i + 1
	}
}

// orderByNum returns the rows by number, without those that a later row of the same number replaces.
func (b *builder) orderByNum() []uint32 {
	nums := b.rows.num
	order := make([]uint32, len(nums))
	rising := true
	for i := range order {
		order[i] = uint32(i)
		rising = rising && (i == 0 || nums[i-1] < nums[i])
	}
	if rising { // as read from the database
		return order
	}
	keys := make([]uint64, len(nums))
	for i, num := range nums {
		keys[i] = uint64(num)
	}
	keys, order = radixSort(keys, order)
	kept := order[:0]
	for i, row := range order {
		if i+1 == len(order) || keys[i] != keys[i+1] {
			kept = append(kept, row)
		}
	}
	return kept
}

func pick[T any](src []T, places []uint32) []T {
	dst := make([]T, len(places))
	for i, p := range places {
		dst[i] = src[p]
	}
	return dst
}

// radixSort sorts the keys and takes the values along, stably, a byte at a time from the lowest; bytes that all keys
// share cost nothing. It returns the sorted pair, which may or may not be the memory passed in.
func radixSort(keys []uint64, values []uint32) ([]uint64, []uint32) {
	var counts [8][256]uint32
	for _, k := range keys {
		for d := range counts {
			counts[d][byte(k>>(8*d))]++
		}
	}
	var spareKeys []uint64
	var spareValues []uint32
	for d := range counts {
		at := &counts[d]
		if len(keys) == 0 || at[byte(keys[0]>>(8*d))] == uint32(len(keys)) {
			continue
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		if spareKeys == nil {
			spareKeys, spareValues = make([]uint64, len(keys)), make([]uint32, len(keys))
		}
		for i, k := range keys {
			place := &at[byte(k>>(8*d))]
			spareKeys[*place], spareValues[*place] = k, values[i]
			*place++
		}
		keys, spareKeys = spareKeys, keys
		values, spareValues = spareValues, values
	}
	return keys, values
}

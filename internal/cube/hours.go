package cube

import (
	"math"
	"slices"
	"time"
)

// Dial tells the hour of the day of a city's clocks, also where they are set forward and back.
type Dial struct{ turns []turn }

// turn is from when on clocks are how many seconds ahead of UTC.
type turn struct {
	from  uint32
	ahead int64
}

// DialOf is the dial of a zone, for all times a row can have.
func DialOf(zone *time.Location) *Dial {
	d := &Dial{}
	for at := time.Unix(0, 0).In(zone); at.Unix() <= math.MaxUint32; {
		if _, ahead := at.Zone(); len(d.turns) == 0 || d.turns[len(d.turns)-1].ahead != int64(ahead) {
			d.turns = append(d.turns, turn{uint32(at.Unix()), int64(ahead)})
		}
		_, end := at.ZoneBounds()
		if end.IsZero() {
			return d
		}
		if !end.After(at) { // so at the end of leap years, in Go 1.26
			end = at.Add(24 * time.Hour)
		}
		at = end
	}
	return d
}

// Hours is a set of hours of the day. A nil set stands for all.
type Hours struct {
	*Dial
	wanted uint32
}

// Hours is the set of the hours whose bits are set: bit h is from h:00 to h:59. Without any it is nil.
func (d *Dial) Hours(wanted uint32) *Hours {
	if wanted &= 1<<24 - 1; wanted == 0 || wanted == 1<<24-1 {
		return nil
	}
	return &Hours{d, wanted}
}

// has tells whether a time lies in an hour of the set.
func (h *Hours) has(at uint32) bool {
	if h == nil {
		return true
	}
	i, exact := slices.BinarySearchFunc(h.turns, at, func(t turn, at uint32) int { return int(int64(t.from) - int64(at)) })
	if !exact {
		i--
	}
	local := (int64(at) + h.turns[i].ahead + 86400) % 86400
	return h.wanted>>(local/3600)&1 == 1
}

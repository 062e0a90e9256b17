// Package tiles writes the vector tiles of a city: heat and reports from the cube, jurisdictions from a plan's coverages.
//
// Tiles follow Mapbox Vector Tile 2.1 and are written straight to protobuf bytes, without an object in between. A layer
// without features is left out, so an empty tile has no bytes. Addresses are the usual z/x/y of web mercator.
package tiles

import (
	"strconv"
	"sync"

	"github.com/cespare/xxhash/v2"

	"gridgov/internal/cube"
	"gridgov/internal/fault"
)

// MaxZoom is the deepest zoom a tile is made for.
const MaxZoom = cube.MaxZoom

// MinPointZoom is the first zoom whose tiles hold single reports.
const MinPointZoom = 12

// MaxPoints is how many reports a tile holds before it is thinned.
const MaxPoints = 20_000

// Address is a tile of the web-mercator pyramid: x grows eastward from -180°, y southward from +85.0511°.
type Address struct{ Z, X, Y uint32 }

// ParseAddress reads a tile's address from the parts of a path: decimal digits without sign or leading zeros, z at most
// MaxZoom, x and y below 2^z. All else is not found.
func ParseAddress(z, x, y string) (Address, error) {
	var a Address
	for _, part := range []struct {
		text string
		into *uint32
	}{{z, &a.Z}, {x, &a.X}, {y, &a.Y}} {
		n, err := strconv.ParseUint(part.text, 10, 32)
		if err != nil || strconv.FormatUint(n, 10) != part.text {
			return Address{}, fault.NotFound("tile %.20q/%.20q/%.20q: an address is three whole numbers z/x/y", z, x, y)
		}
		*part.into = uint32(n)
	}
	if !a.Valid() {
		return Address{}, fault.NotFound("tile %d/%d/%d: z is at most %d, x and y are below 2^z", a.Z, a.X, a.Y, MaxZoom)
	}
	return a, nil
}

// Valid reports whether the pyramid has the tile.
func (a Address) Valid() bool { return a.Z <= MaxZoom && a.X>>a.Z == 0 && a.Y>>a.Z == 0 }

// ETag returns the strong entity tag of a tile's bytes as they are before compression, quotes included: equal bytes have
// equal tags on every node. An answer in another content coding needs a tag of its own.
func ETag(tile []byte) string {
	var b [18]byte
	b[0], b[17] = '"', '"'
	const digits = "0123456789abcdef"
	sum := xxhash.Sum64(tile)
	for i := range 16 {
		b[1+i] = digits[sum>>(60-4*i)&15]
	}
	return string(b[:])
}

// Names are the words behind the cube's small codes. A code without a name is left out of the feature.
type Names struct {
	Items   []string // by item
	Kinds   []string // by kind
	Sources []string // by source
	Grids   []string // the codes of the grids that reports are placed in; "" is none
	Faces   []uint32 // by face: its place in Grids
	States  []string // by state
	// Settlers are who may settle a case, for the values of filters.
	Settlers []string
	Units    []int64 // by crew: the number of the unit that leads it
}

// Maker writes tiles of reports. It keeps buffers from one call to the next; many goroutines may share one. The zero
// value is ready.
type Maker struct{ buffers sync.Pool }

type buffers struct {
	heat    heatTile
	reports reportTile
}

func (m *Maker) take() *buffers {
	if b, ok := m.buffers.Get().(*buffers); ok {
		return b
	}
	return new(buffers)
}

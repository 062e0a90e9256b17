package tiles

import (
	"bytes"

	"github.com/klauspost/compress/gzip"
	"github.com/maypok86/otter/v2"
)

// Compressed is a tile as it is sent: one gzip member, and the tag of what it holds. An empty tile has neither.
type Compressed struct {
	Gzip []byte
	ETag string // of the tile's bytes before compression, as ETag makes it
}

// keptBytes is about the memory of the tiles that a plan keeps: some thousands.
const keptBytes = 16 << 20

type keptTiles = otter.Cache[Address, Compressed]

func newKeptTiles() *keptTiles {
	return otter.Must(&otter.Options[Address, Compressed]{
		MaximumWeight: keptBytes,
		Weigher:       func(_ Address, c Compressed) uint32 { return uint32(200 + len(c.Gzip)) },
	})
}

// Compressed returns the tile as Tile writes it, compressed well, since it is kept: a plan's tiles never change.
func (b *Boundaries) Compressed(a Address) Compressed {
	if c, ok := b.kept.GetIfPresent(a); ok {
		return c
	}
	var c Compressed
	if tile := b.Tile(nil, a); len(tile) > 0 {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(tile) // a buffer takes everything
		_ = z.Close()
		c = Compressed{bytes.Clone(out.Bytes()), ETag(tile)}
	}
	b.kept.Set(a, c)
	return c
}

package tiles

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"

	"gridgov/internal/cube"
)

func unzip(t interface {
	Helper()
	Fatal(...any)
}, zipped []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	r.Multistream(false)
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// manyTiles are tiles of heat and reports of all zooms: dense, sparse, of one cell, with small counts and large ones.
func manyTiles() (all [][]byte) {
	var m Maker
	for _, n := range []int{1, 2, 40, 3000, 200_000} {
		rows := sample(uint64(n), n)
		if n == 40 { // one cell with a count of its own length
			for i := range rows {
				rows[i].Lon, rows[i].Lat = rows[0].Lon, rows[0].Lat
			}
		}
		view := load(rows)
		for z := range uint32(18) {
			for _, f := range []cube.Filter{{}, {Items: []uint16{1}}} {
				x, y := cellOf(rows[n/2], z)
				a := Address{z, x / heatSide, y / heatSide}
				all = append(all, m.Heat(nil, view, a, f))
				reports, _ := m.Reports(nil, view, a, f, names)
				all = append(all, reports)
			}
		}
	}
	return all
}

func TestGzip(t *testing.T) {
	own, mine, library := 0, 0, 0
	for _, tile := range manyTiles() {
		before := []byte("before")
		out := AppendGzip(before, tile)
		if !bytes.HasPrefix(out, before) {
			t.Fatal("what was there before is not kept")
		}
		if got := unzip(t, out[len(before):]); !bytes.Equal(got, tile) {
			t.Fatalf("a tile of %d bytes is not the same when it is unpacked", len(tile))
		}
		if _, ok := appendFields(nil, tile); ok {
			own++
			mine += len(out) - len(before)
			var b bytes.Buffer
			z, err := kgzip.NewWriterLevel(&b, kgzip.BestSpeed)
			if err != nil {
				t.Fatal(err)
			}
			z.Write(tile) //nolint:errcheck // into memory
			z.Close()
			library += b.Len()
		} else if len(tile) > 0 {
			t.Errorf("a tile of %d bytes is left to the library", len(tile))
		}
	}
	if own < 150 {
		t.Errorf("only %d tiles were written here", own)
	}
	if mine > library*5/4 {
		t.Errorf("%d bytes; the library makes %d", mine, library)
	}
	t.Logf("%d tiles: %d bytes; the library makes %d", own, mine, library)
}

// Whatever is like a tile but is none comes back the same.
func TestGzipOfAnything(t *testing.T) {
	tiles := manyTiles()
	rapid.Check(t, func(t *rapid.T) {
		tile := bytes.Clone(rapid.SampledFrom(tiles).Draw(t, "tile"))
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if len(tile) == 0 {
				break
			}
			at := rng.IntN(len(tile))
			switch rng.IntN(4) {
			case 0:
				tile[at] = byte(rng.Uint32())
			case 1:
				tile = tile[:at]
			case 2:
				tile = append(tile[:at], tile[min(len(tile), at+rng.IntN(64)):]...)
			case 3:
				tile = append(tile, tile[at:min(len(tile), at+rng.IntN(64))]...)
			}
		}
		if got := unzip(t, AppendGzip(nil, tile)); !bytes.Equal(got, tile) {
			t.Fatalf("%x is not the same when it is unpacked", tile)
		}
	})
}

func FuzzGzip(f *testing.F) {
	for _, tile := range manyTiles() {
		if len(tile) < 2000 {
			f.Add(tile)
		}
	}
	f.Fuzz(func(t *testing.T, tile []byte) {
		if got := unzip(t, AppendGzip(nil, tile)); !bytes.Equal(got, tile) {
			t.Fatalf("%x is not the same when it is unpacked", tile)
		}
	})
}

// Codes are complete prefix codes within DEFLATE's bounds: by Kraft's sum exactly one.
func TestHuffmanCodesAreComplete(t *testing.T) {
	literals, distances := tileWeights()
	for name, lengths := range map[string][]uint8{"literals": huffman(literals), "distances": huffman(distances)} {
		sum := 0
		for _, n := range lengths {
			if n > 15 {
				t.Errorf("%s: a code of %d bits", name, n)
			}
			if n > 0 {
				sum += 1 << (15 - n)
			}
		}
		if sum != 1<<15 {
			t.Errorf("%s: Kraft's sum is %d/32768", name, sum)
		}
	}
}

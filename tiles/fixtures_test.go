package tiles

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	pathname "path"
	"strings"
	"testing"

	"github.com/paulmach/orb/encoding/mvt"
)

// fixtures returns the files of an archive by name.
func fixtures(t testing.TB, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open("testdata/mvt/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// stricter are fixtures that a reader may accept and that no writer should make.
var stricter = map[string]string{
	"016": "geometry of unknown type",
	"025": "layer without features",
	"039": "a layer of version 1, whose fields are all at their defaults",
	"057": "half a billion points announced, one there",
}

// The tests' decoder says of each fixture what its publisher says, so that what it says of our tiles is worth something.
func TestStrictDecoderAgreesWithFixtures(t *testing.T) {
	files := fixtures(t, "fixtures.tar.gz")
	judged := 0
	for name, info := range files {
		if pathname.Base(name) != "info.json" {
			continue
		}
		var meta struct {
			Validity struct{ V2 bool } `json:"validity"`
		}
		if err := json.Unmarshal(info, &meta); err != nil {
			t.Fatal(err)
		}
		number := pathname.Base(pathname.Dir(name))
		_, err := decodeTile(files[pathname.Dir(name)+"/tile.mvt"])
		_, strict := stricter[number]
		if want := meta.Validity.V2 && !strict; (err == nil) != want {
			t.Errorf("fixture %s: valid %v, but: %v", number, meta.Validity.V2, err)
		}
		judged++
	}
	if judged != 74 {
		t.Errorf("%d fixtures judged", judged)
	}
}

func TestStrictDecoderReadsRealTiles(t *testing.T) {
	files := fixtures(t, "real-world.tar.gz")
	features := 0
	for name, b := range files {
		if !strings.HasSuffix(name, ".mvt") {
			continue
		}
		ours, err := decodeTile(b)
		theirs, orbErr := mvt.Unmarshal(b)
		if orbErr != nil {
			t.Fatalf("%s: %v", name, orbErr)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, l := range ours {
			if theirs[i].Name != l.name || len(theirs[i].Features) != len(l.features) {
				t.Fatalf("%s layer %s differs from orb's", name, l.name)
			}
			features += len(l.features)
		}
	}
	if features < 1000 {
		t.Errorf("only %d features read", features)
	}
}

func FuzzDecodeTile(f *testing.F) {
	for name, b := range fixtures(f, "fixtures.tar.gz") {
		if pathname.Base(name) == "tile.mvt" {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		layers, err := decodeTile(b)
		if err == nil && len(b) > 0 && len(layers) == 0 {
			t.Fatal("bytes without a layer")
		}
	})
}

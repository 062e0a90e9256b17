package dc

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := fs.ReadFile(Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestAsPublished holds the embedded files to the hashes that their README publishes.
func TestAsPublished(t *testing.T) {
	readme, err := os.ReadFile("data/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{WardsFile, ANCsFile, SMDsFile, OutlineFile, ReportsFile} {
		sum := sha256.Sum256(read(t, name))
		if !strings.Contains(string(readme), "`"+name+"`") || !strings.Contains(string(readme), hex.EncodeToString(sum[:])) {
			t.Errorf("%s: the README does not name its hash %x", name, sum)
		}
	}
}

// TestBoundaryFields: each level has its count, its fields are there, codes are unique, parents exist.
func TestBoundaryFields(t *testing.T) {
	codes := map[string]map[string]bool{}
	for _, b := range Boundaries() {
		var file struct {
			Features []struct{ Properties map[string]any }
		}
		if err := json.Unmarshal(read(t, b.File), &file); err != nil {
			t.Fatal(err)
		}
		own := map[string]bool{}
		for i, f := range file.Features {
			code, _ := f.Properties[b.CodeField].(string)
			name, _ := f.Properties[b.NameField].(string)
			if code == "" || name == "" || own[code] {
				t.Errorf("%s %d: code %q, name %q", b.Level, i, code, name)
			}
			own[code] = true
			if parent, _ := f.Properties[b.ParentField].(string); b.ParentField != "" && !codes["anc"][parent] {
				t.Errorf("%s %s: parent %q", b.Level, code, parent)
			}
		}
		if len(own) != b.Count {
			t.Errorf("%s: %d codes, want %d", b.Level, len(own), b.Count)
		}
		codes[b.Level] = own
	}
}

// TestReportColumns: the mapped columns are there, one row is blank, and the labelled rows are as many as said.
func TestReportColumns(t *testing.T) {
	file, err := Open(ReportsFile)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(file).ReadAll()
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for field, name := range ReportMap() {
		if _, ok := column[name]; !ok {
			t.Errorf("%s: no column %q", field, name)
		}
	}
	if len(rows)-1 != ReportRows {
		t.Errorf("%d rows", len(rows)-1)
	}
	labelled := 0
	for i, r := range rows[1:] {
		if blank := r[column["request_id"]] == ""; blank != (i+2 == BlankLine) {
			t.Errorf("line %d: id %q", i+2, r[column["request_id"]])
		}
		if l := r[column[WardLabel]]; l != "" && l != "NULL" {
			labelled++
		}
	}
	if labelled != LabelledIn {
		t.Errorf("%d labelled rows", labelled)
	}
}

func TestOpenUnknown(t *testing.T) {
	for _, name := range []string{"", "README.md", "../dc.go", "wards_2012.geojson.gz"} {
		if r, err := Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v, %v", name, r, err)
		}
	}
	f, err := Files().Open(WardsFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// Package archtest holds the module to docs/architecture.md: imports go downward only, engines know neither SQL nor HTTP
// nor a clock, and what serves tests stays out of the product.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gridgov"

// layers, top first. A package belongs to the layer that names it or a folder above it, the longest name first; it may
// import packages of its own layer and of those below.
var layers = []struct {
	name     string
	packages []string
}{
	{"command", []string{"cmd"}},
	{"benchmarks", []string{"internal/bench", "internal/placement/placementbench", "internal/hotspot/hotspotbench"}},
	{"support of tests", []string{"internal/app/apptest", "internal/placement/madeup", "internal/postgres/pgtest", "internal/push/pushtest", "internal/soak"}},
	{"api", []string{"internal/api"}},
	{"wiring", []string{"internal/app"}},
	{"use cases", []string{"internal/report", "internal/jurisdiction", "internal/place", "internal/person", "internal/auth", "internal/contact", "internal/photo", "internal/resident", "internal/assign", "internal/casework", "internal/batch", "internal/catalogue", "internal/regime", "internal/team", "internal/demo", "internal/notice", "internal/push", "internal/webhook", "internal/retention", "internal/screening", "internal/investigation", "internal/patrol"}},
	{"tiles", []string{"tiles"}},
	{"engines", []string{"internal/coverage", "internal/placement", "internal/cube", "internal/hotspot", "internal/crs", "internal/beidou", "internal/robust", "internal/policy", "internal/worktime", "internal/kpi", "internal/search", "internal/voice"}},
	{"foundations", []string{"internal/postgres", "internal/feed", "internal/audit", "internal/keyring", "internal/blob", "internal/message", "internal/egress", "internal/job", "internal/geofile", "internal/sheet", "internal/strictjson", "internal/basemap", "internal/fault", "migrations", "frontend"}},
}

// fault is the language in which all layers refuse, so engines may speak it although it is a foundation.
const faultPackage = module + "/internal/fault"

// layerOf returns the index in layers, or -1.
func layerOf(path string) int {
	best, length := -1, -1
	for i, l := range layers {
		for _, p := range l.packages {
			if (path == p || strings.HasPrefix(path, p+"/")) && len(p) > length {
				best, length = i, len(p)
			}
		}
	}
	return best
}

func layerNamed(name string) int {
	for i, l := range layers {
		if l.name == name {
			return i
		}
	}
	panic("no layer " + name)
}

// source is one Go file of the product, tests left out.
type source struct {
	path    string // from the module's root
	pkg     string // its folder from the module's root
	file    *ast.File
	imports []string
}

func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	var all []source
	files := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(rel), pkg: filepath.ToSlash(filepath.Dir(rel)), file: file}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files were found", len(all))
	}
	return all
}

func TestImportsGoDownward(t *testing.T) {
	support, bench := layerNamed("support of tests"), layerNamed("benchmarks")
	for _, s := range sources(t) {
		from := layerOf(s.pkg)
		if from < 0 {
			t.Errorf("%s: package %s has no layer: give it one here and in docs/architecture.md", s.path, s.pkg)
			continue
		}
		for _, imported := range s.imports {
			path, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			to := layerOf(path)
			switch {
			case to < 0:
				t.Errorf("%s imports %s, which has no layer", s.path, path)
			case to < from:
				t.Errorf("%s: %s (%s) imports %s (%s) above it", s.path, s.pkg, layers[from].name, path, layers[to].name)
			case to == support && from > support, to == support && from < bench:
				t.Errorf("%s imports %s, which serves tests", s.path, path)
			}
		}
	}
}

func TestEnginesKnowNeitherSQLNorHTTPNorAClock(t *testing.T) {
	engines := layerNamed("engines")
	seen := 0
	for _, s := range sources(t) {
		if l := layerOf(s.pkg); l != engines && layers[l].name != "tiles" {
			continue
		}
		seen++
		for _, imported := range s.imports {
			if imported == "net/http" || imported == "database/sql" || strings.HasPrefix(imported, "github.com/jackc/") {
				t.Errorf("%s imports %s", s.path, imported)
			}
			if path, ours := strings.CutPrefix(imported, module+"/"); ours && layers[layerOf(path)].name == "foundations" && imported != faultPackage {
				t.Errorf("%s imports %s: of the foundations an engine needs fault alone", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick"}, call.Sel.Name) {
				t.Errorf("%s asks the clock: time.%s", s.path, call.Sel.Name)
			}
			return true
		})
	}
	if seen == 0 {
		t.Fatal("no engine was found")
	}
}

// Packages that pull in more than they give.
func TestHeavyPackagesStayOut(t *testing.T) {
	heavy := map[string]string{
		"github.com/paulmach/orb/geojson":      "it brings a database's driver along: read with internal/geofile",
		"github.com/paulmach/orb/encoding/mvt": "it is many times slower than package tiles, which it serves as a test's decoder",
	}
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if why, ok := heavy[imported]; ok && layerOf(s.pkg) > layerNamed("support of tests") {
				t.Errorf("%s imports %s: %s", s.path, imported, why)
			}
		}
	}
}

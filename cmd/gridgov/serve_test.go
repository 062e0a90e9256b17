package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// The service has no accounts yet: it listens where nobody else can reach it.
func TestLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:0": true, "[::1]:8080": true, "localhost:8080": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.168.1.1:8080": false, "[fe80::1]:8080": false,
		"[::ffff:10.0.0.1]:80": false, "127.0.0.1": false, "": false, "no such host:80": false,
	} {
		if err := loopbackOnly(t.Context(), "--addr", addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// A plain `go build` has no page in it: whoever opens the map is told what to do.
func TestWithoutPage(t *testing.T) {
	db, _ := pgtest.Database(t)
	h := benchHandler(app.NewServer(db, nil, apptest.Quiet(), time.Now)) // has no page
	for path, want := range map[string]struct {
		status int
		text   string
	}{"/": {http.StatusOK, "make build"}, "/assets/index.js": {http.StatusNotFound, "built without the page"}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// No city can be called like the first part of another of the service's paths.
func TestRoutesAreReserved(t *testing.T) {
	files, err := filepath.Glob("../../internal/api/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range append(files, "admin.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if first := firstSegment(n); first != "" && !strings.HasPrefix(first, "{") {
				found[first] = true
			}
			return true
		})
	}
	for _, sure := range []string{"assets", "cities", "healthz"} {
		if !found[sure] {
			t.Errorf("the route /%s was not found", sure)
		}
	}
	for first := range found {
		if postgres.CheckCode(first) == nil {
			t.Errorf("a city may be called %s, which is a route of the service's: reserve it in internal/postgres/city.go", first)
		}
	}
}

// firstSegment is of the pattern with which n registers a route, "" for all else.
func firstSegment(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Handle" && f.Sel.Name != "HandleFunc" {
		return ""
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return ""
	}
	pattern, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	_, path, _ := strings.Cut(pattern, "/")
	first, _, _ := strings.Cut(path, "/")
	return first
}

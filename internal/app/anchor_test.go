package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// A server writes down the head of each city's record when it starts to serve it and when it stops, after the last act.
func TestServerAnchorsHeads(t *testing.T) {
	db, info := pgtest.Database(t)
	folder := t.TempDir()
	keys, err := keyring.Create(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "anchors")
	var said bytes.Buffer
	s := app.NewServer(db, keys, slog.New(slog.NewTextHandler(&said, nil)), apptest.Clock)
	s.AnchorTo(file)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	await(t, "the first head is anchored", func() bool {
		b, err := os.ReadFile(file)
		return err == nil && strings.Count(string(b), "\n") == 1
	})
	c, _ := s.City(info.Code)
	if err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "01", Name: "x"}}); err != nil {
		t.Error(err)
	}
	stop()
	<-done
	b, err := os.ReadFile(file)
	if err != nil || strings.Count(string(b), "\n") != 2 {
		t.Fatalf("anchored\n%s%v", b, err)
	}
	anchors, err := audit.ReadAnchors(file, info.Code)
	if err != nil || len(anchors) != 2 || anchors[0].Seq != 4 || anchors[1].Seq != 5 { // the city's first regime and unit, then the items
		t.Fatalf("%v, %v", anchors, err)
	}
	pool, err := db.CityPool(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := audit.Verify(t.Context(), pool, audit.Keys(keys, info.Code), anchors...); err != nil || r.Fault != nil || r.Rows != 5 || len(r.Unkeyed) > 0 {
		t.Errorf("%+v, %v, %v", r, r.Fault, err)
	}
	if n := strings.Count(said.String(), `msg="audit head"`); n != 2 {
		t.Errorf("the log tells %d heads:\n%s", n, said.String())
	}
}

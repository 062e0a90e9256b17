package tilebench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"gridgov/internal/cube"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
	"gridgov/tiles"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// host serves the tiles of a view as barely as can be, compressed on demand.
type host struct {
	view    cube.View
	maker   tiles.Maker
	buffers sync.Pool
	lie     bool // leave out what was reported last
}

var names = func() *tiles.Names {
	n := &tiles.Names{Kinds: make([]string, Kinds), Sources: make([]string, Sources)}
	for i := range Items {
		n.Items = append(n.Items, fmt.Sprintf("%02d", i+1))
	}
	return n
}()

func path(l Layer, r Request) string {
	var list []string
	for _, item := range r.Filter.Items {
		list = append(list, strconv.Itoa(int(item)))
	}
	return fmt.Sprintf("/%s/%d/%d/%d?item=%s&from=%d&to=%d", l, r.Address.Z, r.Address.X, r.Address.Y,
		strings.Join(list, ","), r.Filter.From, r.Filter.To)
}

var fixedBody = bytes.Repeat([]byte("0123456789abcdef"), 128)

type pair struct {
	tile []byte
	zip  bytes.Buffer
	gzip *gzip.Writer
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/fixed" {
		w.Write(fixedBody) //nolint:errcheck // the client is gone
		return
	}
	parts := strings.Split(r.URL.Path, "/")
	a, err := tiles.ParseAddress(parts[2], parts[3], parts[4])
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	q := r.URL.Query()
	var f cube.Filter
	if q.Get("item") != "" {
		for _, item := range strings.Split(q.Get("item"), ",") {
			n, _ := strconv.Atoi(item)
			f.Items = append(f.Items, uint16(n))
		}
	}
	from, _ := strconv.Atoi(q.Get("from"))
	to, _ := strconv.Atoi(q.Get("to"))
	f.From, f.To = uint32(from), uint32(to)
	if h.lie {
		f.To -= 40 * 86400
	}
	p, ok := h.buffers.Get().(*pair)
	if !ok {
		p = new(pair)
		p.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed)
	}
	defer h.buffers.Put(p)
	if parts[1] == "heat" {
		p.tile = h.maker.Heat(p.tile[:0], h.view, a, f)
	} else {
		p.tile, _ = h.maker.Reports(p.tile[:0], h.view, a, f, names)
	}
	if len(p.tile) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("ETag", tiles.ETag(p.tile))
	w.Header().Set("Content-Type", "application/vnd.mapbox-vector-tile")
	body := p.tile
	if r.Header.Get("Accept-Encoding") != "" {
		p.zip.Reset()
		p.gzip.Reset(&p.zip)
		p.gzip.Write(p.tile) //nolint:errcheck // into memory
		p.gzip.Close()
		body = p.zip.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) //nolint:errcheck // the client is gone
}

func config(t *testing.T, reports int) Config {
	t.Helper()
	pool := pgtest.New(t)
	if err := Prepare(context.Background(), pool, Rows(1, reports)); err != nil {
		t.Fatal(err)
	}
	view := cube.Load(Rows(1, reports)).View()
	return Config{
		Pool: pool, View: view, Handler: &host{view: view}, Path: path, Fixed: "/fixed",
		Seed: 1, Requests: 300, Each: 100 * time.Millisecond, Rounds: 1, Out: t.Output(),
	}
}

// All cases run, and both rivals count what the tiles count.
func TestRunChecksTheRivals(t *testing.T) {
	c := config(t, soak.Or(20_000, 1_000_000))
	c.Requests, c.Each = soak.Or(c.Requests, 10_000), soak.Or(c.Each, 2*time.Second)
	cases := soak.Or([]Case{{Heat, 12, OneItem}, {Heat, 12, AnyItem}, {Reports, 14, OneItem}}, Cases())
	all, err := Run(context.Background(), c, cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range all {
		if f.Case != cases[i] || f.Checked == 0 || f.Ours == 0 || f.Best == 0 || f.Fixed == 0 || (f.Usual == 0) != (f.Layer == Reports) {
			t.Errorf("case %+v measured %+v", cases[i], f)
		}
		if !strings.Contains(f.Plan, "Execution Time") || (f.UsualPlan == "") != (f.Layer == Reports) {
			t.Errorf("%+v: plans\n%s\n%s", f.Case, f.UsualPlan, f.Plan)
		}
		t.Log(f.Case, f.Bytes, "\n"+f.UsualPlan+"\n"+f.Plan)
	}
	if err := Drop(context.Background(), c.Pool); err != nil {
		t.Error(err)
	}
}

// A service that leaves reports out is found out.
func TestRunRefusesWrongCounts(t *testing.T) {
	c := config(t, 20_000)
	c.Handler = &host{view: c.View, lie: true}
	if _, err := Run(context.Background(), c, Cases()[:1]); err == nil {
		t.Error("no error")
	}
}

func TestRequestsAreTheSameAgainAndHalfDense(t *testing.T) {
	view := cube.Load(Rows(1, 50_000)).View()
	for _, pick := range []Pick{OneItem, EightItems, AnyItem} {
		a, b := Requests(7, 400, 13, pick, view), Requests(7, 400, 13, pick, view)
		reports := map[bool]uint64{}
		for i, r := range a {
			if path(Heat, r) != path(Heat, b[i]) || r.Filter.To-r.Filter.From != Window*86400 {
				t.Fatalf("request %d is %+v and %+v", i, r, b[i])
			}
			for _, cell := range view.Heat(13, r.Address.X, r.Address.Y, cube.Filter{}, nil) {
				reports[r.Dense] += uint64(cell.Count)
			}
		}
		if reports[true] < 5*reports[false] {
			t.Errorf("%s: dense tiles hold %d reports, sparse ones %d", pick, reports[true], reports[false])
		}
	}
}

func TestCubeAloneHoldsAllReports(t *testing.T) {
	f := CubeAlone(1, 20_000, 10, 50, t.Output())
	if f.Reports != 20_000 || f.Mean <= 0 || f.P99 <= 0 || f.PerReport > 64 {
		t.Errorf("%+v", f)
	}
}

func TestRowsAreTheSameAgain(t *testing.T) {
	a, b := slices.Collect(Rows(3, 5000)), slices.Collect(Rows(3, 5000))
	if !slices.Equal(a, b) || slices.Equal(a, slices.Collect(Rows(4, 5000))) {
		t.Error("a seed does not name its rows")
	}
	for _, r := range a {
		if !box.Contains([2]float64{r.Lon, r.Lat}) || r.Item >= Items || r.Kind >= Kinds || r.Source >= Sources ||
			r.At < epoch || r.At >= epoch+Days*86400 {
			t.Fatalf("row %+v", r)
		}
	}
}

func FuzzReportsIn(f *testing.F) {
	view := cube.Load(Rows(1, 2000)).View()
	var m tiles.Maker
	f.Add(m.Heat(nil, view, tiles.Address{Z: 8, X: 213, Y: 105}, cube.Filter{}))
	f.Add([]byte{0x1a, 0x02, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := reportsIn(b); err == nil && n > 0 && len(b) < 4 {
			t.Fatalf("%d reports in %d bytes", n, len(b))
		}
	})
}

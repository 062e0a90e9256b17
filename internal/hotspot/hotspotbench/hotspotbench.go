// Package hotspotbench measures the statistics of hotspots beside R's spdep, where R is installed.
package hotspotbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
	"gridgov/internal/geofile"
	"gridgov/internal/hotspot"
)

// Options of a run.
type Options struct {
	Villages string // a file of villages whose code is in VILLAGESN; "": a lattice of as many
	Rounds   int    // the best one counts
	Seed     uint64
	Dir      string // for what R reads
	Out      io.Writer
}

const (
	permutations = 999
	lattice      = 87 // 7,569 places, as many as Taiwan has villages
	grids        = 37 // 1,369, a city's
	items, weeks = 16, 52
	cells        = 512
	matters      = 1_000_000
)

// Run measures and tells.
func Run(ctx context.Context, o Options) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(o.Out, format+"\n", args...) }
	n, what, err := o.places(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1)) //nolint:gosec // counts that the same seed gives again
	x := make([]float64, n.Len())
	for i := range x {
		x[i] = math.Floor(rng.ExpFloat64() * 6)
	}
	w := n.Weighted(hotspot.Binary).WithSelf()
	took, err := o.best(func() error {
		l, err := hotspot.Getis(x, w, hotspot.TwoSided)
		if err == nil {
			_ = hotspot.FDR(l.Cautious, func(int) bool { return true })
			_, err = hotspot.Permute(ctx, x, w, permutations, o.Seed, hotspot.TwoSided)
		}
		return err
	})
	if err != nil {
		return err
	}
	say("gi*        %d %s with %d draws each: %.0f ms", n.Len(), what, permutations, ms(took))
	if r, err := o.rival(ctx, n, x); errors.Is(err, exec.ErrNotFound) {
		say("           R is not installed: apt-get install r-base-core r-cran-spdep for the rival")
	} else if err != nil {
		return err
	} else {
		say("           spdep's localG_perm, %d cores for ours, one for R: %.0f ms: %.0f times as long", runtime.GOMAXPROCS(0), ms(r), float64(r)/float64(took))
	}
	sets := make([][]int, grids*grids)
	for i := range sets {
		sets[i] = around(i, grids)
	}
	city, err := hotspot.Lists(sets)
	if err != nil {
		return err
	}
	maps := make([][]float64, items*weeks)
	for i := range maps {
		maps[i] = make([]float64, city.Len())
		for j := range maps[i] {
			maps[i][j] = math.Floor(rng.ExpFloat64() * 1.5)
		}
	}
	cw := city.Weighted(hotspot.Binary).WithSelf()
	if took, err = o.best(func() error {
		return hotspot.Each(len(maps), func(i int) error { _, err := hotspot.Getis(maps[i], cw, hotspot.TwoSided); return err })
	}); err != nil {
		return err
	}
	say("gi*        %d grids by %d items by %d weeks: %.0f ms", city.Len(), items, weeks, ms(took))
	points := make([]orb.Point, matters)
	for i := range points {
		points[i] = orb.Point{math.Mod(math.Abs(25_600+rng.NormFloat64()*6000), 51_200), rng.Float64() * 51_200}
	}
	raster := hotspot.Raster{Cell: 100, Cols: cells, Rows: cells}
	inside := make([]bool, cells*cells)
	for i := range inside {
		inside[i] = i%cells > 20
	}
	for _, k := range []hotspot.Kernel{hotspot.Gaussian, hotspot.Quartic} {
		h := hotspot.Bandwidth(points, k)
		if took, err = o.best(func() error { _, err := hotspot.Density(raster, points, k, h, inside); return err }); err != nil {
			return err
		}
		say("density    %d matters on %d × %d cells, %s, %.0f m, with the outline: %.0f ms", matters, cells, cells, k, h, ms(took))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (o Options) best(f func() error) (best time.Duration, err error) {
	for round := range max(1, o.Rounds) {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if took := time.Since(began); round == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// around are the queen's neighbours in a square lattice.
func around(i, side int) (list []int) {
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if x, y := i%side+dx, i/side+dy; (dx != 0 || dy != 0) && x >= 0 && x < side && y >= 0 && y < side {
				list = append(list, y*side+x)
			}
		}
	}
	return list
}

func (o Options) places(ctx context.Context) (n hotspot.Neighbours, what string, err error) {
	if o.Villages == "" {
		sets := make([][]int, lattice*lattice)
		for i := range sets {
			sets[i] = around(i, lattice)
		}
		n, err = hotspot.Lists(sets)
		return n, "squares", err
	}
	r, err := geofile.Open(ctx, o.Villages, geofile.Options{})
	if err != nil {
		return n, "", err
	}
	defer r.Close()
	var polygons []coverage.Polygon
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if row := new(geofile.RowError); errors.As(err, &row) {
			continue // rows without a shape
		}
		if err != nil {
			return n, "", err
		}
		p := coverage.Polygon{Code: f.Properties["VILLAGESN"], Line: f.Line}
		switch shape := f.Shape.(type) {
		case orb.Polygon:
			p.Shape = orb.MultiPolygon{shape}
		case orb.MultiPolygon:
			p.Shape = shape
		}
		polygons = append(polygons, p)
	}
	c, _, err := coverage.Build(ctx, polygons, coverage.Options{})
	if err != nil {
		return n, "", err
	}
	return hotspot.Queen(c), "villages", nil
}

var elapsed = regexp.MustCompile(`elapsed ([0-9.]+)`)

// rival runs spdep on the same values and neighbours.
func (o Options) rival(ctx context.Context, n hotspot.Neighbours, x []float64) (time.Duration, error) {
	if _, err := exec.LookPath("Rscript"); err != nil {
		return 0, exec.ErrNotFound
	}
	var lists, values strings.Builder
	for i := range n.Len() {
		line := make([]string, 0, 8)
		for _, j := range n.Of(i) {
			line = append(line, strconv.Itoa(int(j)+1))
		}
		fmt.Fprintln(&lists, strings.Join(line, " "))
		fmt.Fprintln(&values, x[i])
	}
	script := fmt.Sprintf(`suppressMessages(library(spdep))
x <- scan("values", quiet = TRUE)
nb <- lapply(strsplit(readLines("lists"), " "), function(l) if (length(l) == 0) 0L else as.integer(l))
class(nb) <- "nb"; attr(nb, "region.id") <- as.character(seq_along(x))
lw <- nb2listw(include.self(nb), style = "B", zero.policy = TRUE)
best <- min(replicate(%d, system.time(localG_perm(x, lw, nsim = %d, zero.policy = TRUE))[["elapsed"]]))
cat("elapsed", best, "\n")
`, max(1, o.Rounds), permutations)
	for name, content := range map[string]string{"lists": lists.String(), "values": values.String(), "rival.R": script} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(content), 0o600); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, "Rscript", "rival.R")
	cmd.Dir = o.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("run R: %w: %s", err, out)
	}
	m := elapsed.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("no time in what R says: %s", out)
	}
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	return time.Duration(seconds * float64(time.Second)), err
}

package tilebench

import (
	"fmt"
	"io"
	"time"

	"gridgov/internal/bench/wire"
	"gridgov/internal/cube"
	"gridgov/tiles"
)

// AloneFigures are what a cube of generated reports measured without a service around it.
type AloneFigures struct {
	Reports   int
	Load      time.Duration // sorting and laying out; generating the rows included
	PerReport float64       // bytes
	Mean, P99 time.Duration // of a heat tile of one item and 91 days, written
}

// CubeAlone loads n generated reports and makes each requested heat tile of the zoom once, on one goroutine.
func CubeAlone(seed uint64, n int, z uint32, requests int, out io.Writer) AloneFigures {
	f := AloneFigures{Reports: n}
	started := time.Now()
	view := cube.Load(Rows(seed, n)).View()
	f.Load = time.Since(started)
	f.PerReport = float64(view.Bytes()) / float64(view.Len())

	run := wire.Run{}
	var m tiles.Maker
	var tile []byte
	for _, r := range Requests(seed, requests, z, OneItem, view) {
		before := time.Now()
		tile = m.Heat(tile[:0], view, r.Address, r.Filter)
		took := time.Since(before)
		run.Latencies = append(run.Latencies, took)
		run.Took += took
	}
	f.Mean, f.P99 = run.Took/time.Duration(max(1, requests)), run.Quantile(0.99)
	if out != nil {
		fmt.Fprintf(out, "cube alone, %d reports: loaded in %s, %.1f bytes each; heat at zoom %d: mean %s, p99 %s\n",
			n, f.Load.Round(time.Millisecond), f.PerReport, z, f.Mean.Round(time.Microsecond), f.P99.Round(time.Microsecond))
	}
	return f
}

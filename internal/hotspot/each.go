package hotspot

import (
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Each runs f for 0 … n−1 on all cores, as one map after the other of a city's items and weeks. It returns the first fault.
func Each(n int, f func(i int) error) error {
	var workers errgroup.Group
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() error {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := f(int(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return workers.Wait()
}

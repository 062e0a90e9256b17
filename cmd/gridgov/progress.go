package main

import (
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"gridgov/internal/app"
)

// progress shows long work: a bar on a terminal, elsewhere one line each ten seconds. finish ends it.
func (t *tool) progress(what string) (p app.Progress, finish func()) {
	if f, ok := t.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		return func(done, total int64) {
			if total > 0 && bar.GetMax64() != total {
				bar.ChangeMax64(total)
			}
			_ = bar.Set64(done) // only a picture
		}, func() { _ = bar.Finish() }
	}
	var mu sync.Mutex
	last := t.now()
	return func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		now := t.now()
		if now.Sub(last) < 10*time.Second {
			return
		}
		last = now
		if total > 0 {
			t.say("%s: %d %%", what, done*100/total)
		} else {
			t.say("%s: %d", what, done)
		}
	}, func() {}
}

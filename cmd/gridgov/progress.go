package main

import (
	"io"
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
	last := time.Now()
	return func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < 10*time.Second {
			return
		}
		last = time.Now()
		if total > 0 {
			t.say("%s: %d %%", what, done*100/total)
		} else {
			t.say("%s: %d", what, done)
		}
	}, func() {}
}

// rejects writes the rows left out: the first ones to the terminal, all of them to the file named by --rejects.
type rejects struct {
	t     *tool
	file  io.WriteCloser
	count int64
}

// shownRejects is how many rows are told on the terminal.
const shownRejects = 20

func (t *tool) newRejects(path string) (*rejects, error) {
	r := &rejects{t: t}
	if path == "" {
		return r, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, usagef("--rejects: %w", err)
	}
	r.file = f
	_, err = io.WriteString(f, "line,field,code,reason\n")
	return r, err
}

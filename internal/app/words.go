package app

import (
	"context"
	"time"
)

// findWords gives words to reports that have none, in the background.
func (l *Live) findWords(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := l.Reports.FindWords(ctx)
		if n > 0 {
			l.log.Info("reports can be searched that could not be", "reports", n)
		}
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			l.log.Warn("making reports searchable stopped, will go on", "err", err)
			pause(ctx, time.Second)
		}
	}
}

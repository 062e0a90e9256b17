package api

import (
	"context"
	"errors"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/feed"
)

// contextUntil ends with ctx or when stop is closed.
func contextUntil(ctx context.Context, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if stop == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// nextWithin returns the events after id, or none when none comes in time.
func nextWithin(ctx context.Context, c *app.Live, after feed.ID, wait time.Duration) ([]feed.Stored, error) {
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	events, err := c.Feed.Next(short, after)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return events, err
}

package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// Server holds the live cities of one process and takes in new ones while it runs.
type Server struct {
	db  *postgres.Database
	log *slog.Logger
	now func() time.Time

	mu       sync.RWMutex
	cities   map[string]*Live
	failed   map[string]error // cities that could not be started, and why
	caughtUp bool             // the cities of the first look are all live
}

// NewServer makes a server without cities; Run fills it.
func NewServer(db *postgres.Database, log *slog.Logger, now func() time.Time) *Server {
	return &Server{db: db, log: log, now: now, cities: map[string]*Live{}, failed: map[string]error{}}
}

// errStarting: the first look at the registry is not done.
var errStarting = errors.New("starting: not all cities are loaded")

// Ready is nil when every city of the registry is live and its cube has caught up.
func (s *Server) Ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.caughtUp {
		return errStarting
	}
	for _, err := range s.failed {
		return err
	}
	return nil
}

// City finds a live city. starting is true while it is known but not yet served.
func (s *Server) City(code string) (city *Live, starting bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, bad := s.failed[code]
	return s.cities[code], bad || !s.caughtUp
}

// Cities lists the live cities by code.
func (s *Server) Cities() []*Live {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*Live, 0, len(s.cities))
	for _, c := range s.cities {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Live) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// Run serves the registry's cities until ctx ends, new ones as they appear, then stops them all.
func (s *Server) Run(ctx context.Context) {
	s.db.WatchCities(ctx, 2*time.Second, func(list []postgres.City) { s.take(ctx, list) },
		func(err error) { s.log.Warn("the registry cannot be read, will try again", "err", err) })
	for _, c := range s.Cities() {
		c.Stop()
	}
}

func (s *Server) take(ctx context.Context, list []postgres.City) {
	for _, info := range list {
		s.mu.RLock()
		_, there := s.cities[info.Code]
		s.mu.RUnlock()
		if !there {
			s.start(ctx, info)
		}
	}
	s.mu.Lock()
	s.caughtUp = true
	again := len(s.failed) > 0
	s.mu.Unlock()
	if again && ctx.Err() == nil {
		time.AfterFunc(2*time.Second, func() {
			if ctx.Err() == nil {
				s.take(ctx, list)
			}
		})
	}
}

func (s *Server) start(ctx context.Context, info postgres.City) {
	began := time.Now()
	live, err := s.open(ctx, info)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed[info.Code] = err
		if ctx.Err() == nil {
			s.log.Error("city not started, will try again", "city", info.Code, "err", err)
		}
		return
	}
	delete(s.failed, info.Code)
	s.cities[info.Code] = live
	s.log.Info("city ready", "city", info.Code, "reports", live.View().Len(), "ms", time.Since(began).Milliseconds())
}

func (s *Server) open(ctx context.Context, info postgres.City) (*Live, error) {
	// The serving role cannot make tables: the owner sees to the feed's partitions ahead of need.
	if err := pgx.BeginFunc(ctx, s.db.Owner(), func(tx pgx.Tx) error {
		return feed.EnsurePartitions(ctx, tx.Conn(), info.Code)
	}); err != nil {
		return nil, err
	}
	c, err := Open(ctx, s.db, info, s.log, s.now)
	if err != nil {
		return nil, err
	}
	live, err := c.Start(ctx)
	if err != nil {
		c.Close()
		return nil, err
	}
	return live, nil
}

package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"gridgov/internal/auth"
	"gridgov/internal/blob"
	"gridgov/internal/keyring"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
)

// Server holds the live cities of one process and takes in new ones while it runs.
type Server struct {
	db   *postgres.Database
	keys *keyring.Ring
	log  *slog.Logger
	now  func() time.Time

	// FirstPassword, where it is set, is told the one-time password of the administrator who was made for a city without
	// any account. Set it before Run.
	FirstPassword func(city, login, password string) error

	loading chan struct{} // holds a place for each city that may load at once
	work    sync.WaitGroup

	photos   *blob.Root // nil: photos are not kept here
	workshop *photo.Workshop
	outside  outside

	anchors   string // file; "": none
	anchoring sync.Mutex

	mu     sync.RWMutex
	listed bool             // the registry was read
	first  map[string]bool  // the cities of the first look that are not live yet
	coming map[string]error // known cities that are not live, and why their last start failed, if it did
	cities map[string]*Live
}

// maxLoading is how many cities load at once: each reads all its reports.
const maxLoading = 4

// startAgain is how long a city that could not be started is left alone.
const startAgain = 2 * time.Second

// NewServer makes a server without cities; Run fills it.
func NewServer(db *postgres.Database, keys *keyring.Ring, log *slog.Logger, now func() time.Time) *Server {
	return &Server{db: db, keys: keys, log: log, now: now, loading: make(chan struct{}, maxLoading),
		first: map[string]bool{}, coming: map[string]error{}, cities: map[string]*Live{}}
}

// errStarting: cities that were there at the start are still loading.
var errStarting = errors.New("starting: not all cities are loaded")

// Ready is nil when every city that was in the registry at the start is live, and none that came later has failed to
// start. A city that is only just loading takes nothing from the others.
func (s *Server) Ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, err := range s.coming {
		if err != nil {
			return err
		}
	}
	if !s.listed || len(s.first) > 0 {
		return errStarting
	}
	return nil
}

// City finds a live city. starting is true while it is known but not yet served.
func (s *Server) City(code string) (city *Live, starting bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, coming := s.coming[code]
	return s.cities[code], coming || !s.listed
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
	s.work.Go(func() { s.cleanStaging(ctx) })
	s.db.WatchCities(ctx, 2*time.Second, func(list []postgres.City) { s.take(ctx, list) },
		func(err error) { s.log.Warn("the registry cannot be read, will try again", "err", err) })
	s.work.Wait()
}

// take begins to serve the cities that are not known yet.
func (s *Server) take(ctx context.Context, list []postgres.City) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, info := range list {
		_, coming := s.coming[info.Code]
		if coming || s.cities[info.Code] != nil {
			continue
		}
		s.coming[info.Code] = nil
		if !s.listed {
			s.first[info.Code] = true
		}
		s.work.Go(func() { s.serve(ctx, info) })
	}
	s.listed = true
}

// serve starts a city, again and again until it succeeds, and keeps it live until ctx ends.
func (s *Server) serve(ctx context.Context, info postgres.City) {
	live := s.start(ctx, info)
	if live == nil {
		return
	}
	var anchored sync.WaitGroup
	anchored.Go(func() { s.keepAnchored(ctx, live) })
	s.keepExtended(ctx, live)
	anchored.Wait()
	live.Stop()
	s.anchor(context.WithoutCancel(ctx), live) // with the last acts in it
}

func (s *Server) start(ctx context.Context, info postgres.City) *Live {
	for ctx.Err() == nil {
		select {
		case s.loading <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		began := time.Now()
		live, err := s.open(ctx, info)
		<-s.loading
		s.mu.Lock()
		if err == nil {
			delete(s.coming, info.Code)
			delete(s.first, info.Code)
			s.cities[info.Code] = live
		} else {
			s.coming[info.Code] = err
		}
		s.mu.Unlock()
		if err == nil {
			s.log.Info("city ready", "city", info.Code, "reports", live.View().Len(), "ms", time.Since(began).Milliseconds())
			return live
		}
		if ctx.Err() == nil {
			s.log.Error("city not started, will try again", "city", info.Code, "err", err)
			pause(ctx, startAgain)
		}
	}
	return nil
}

func (s *Server) open(ctx context.Context, info postgres.City) (*Live, error) {
	if err := s.db.ExtendFeed(ctx, info); err != nil {
		return nil, err
	}
	c, err := Open(ctx, s.db, info, s.keys, s.log, s.now)
	if err != nil {
		return nil, err
	}
	s.keepPhotos(c)
	s.keepOutside(c)
	live, err := c.Start(ctx)
	if err != nil {
		c.Close()
		return nil, err
	}
	if err := s.firstAdministrator(ctx, live); err != nil {
		live.Stop()
		return nil, err
	}
	return live, nil
}

// FirstLogin is the login of a city's first administrator.
const FirstLogin = auth.FirstLogin

// firstAdministrator sees to it that somebody can sign in. A demo has accounts of its own.
func (s *Server) firstAdministrator(ctx context.Context, live *Live) error {
	if s.FirstPassword == nil || live.Demo {
		return nil
	}
	login, password, made, err := live.Auth.FirstAdministrator(ctx)
	if err != nil || !made {
		return err
	}
	if err := s.FirstPassword(live.Code, login, password); err != nil {
		s.log.Error("the first administrator's password was made and could not be told: give another by `gridgov user passwd`",
			"city", live.Code, "login", login, "err", err)
	}
	return nil
}

// keepExtended makes the feed's partitions ahead of need until ctx ends: the serving role cannot make tables.
func (s *Server) keepExtended(ctx context.Context, live *Live) {
	const often = 500_000 // events; a partition, of which there is always one ahead, holds some millions
	done := live.Feed.Head().Seq
	for {
		if live.Feed.Await(ctx, done+often) != nil {
			return
		}
		if err := s.db.ExtendFeed(ctx, live.City.City); err != nil {
			if ctx.Err() == nil {
				s.log.Error("the feed could not be extended, will try again", "city", live.Code, "err", err)
				pause(ctx, startAgain)
			}
			continue
		}
		done = live.Feed.Head().Seq
	}
}

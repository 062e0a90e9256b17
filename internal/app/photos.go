package app

import (
	"context"
	"time"

	"gridgov/internal/blob"
	"gridgov/internal/photo"
)

// openPhotos makes what looks after photos.
func (c *City) openPhotos() {
	c.Photos = &photo.Service{Pool: c.Pool, Feed: c.Writer, Zone: c.Zone, Log: c.log, Now: c.now}
}

// PhotosIn says where the photos of all cities lie, and decodes them in the workshop. Call it before Run; without it photos
// are refused.
func (s *Server) PhotosIn(root *blob.Root, workshop *photo.Workshop) {
	s.photos, s.workshop = root, workshop
}

// keepPhotos gives a city its part of where photos lie.
func (s *Server) keepPhotos(c *City) {
	if s.photos != nil {
		c.Photos.Store, c.Photos.Workshop = s.photos.City(c.Code), s.workshop
	}
}

// cleanStaging removes, once an hour, what was on its way in when a process was killed.
func (s *Server) cleanStaging(ctx context.Context) {
	if s.photos == nil {
		return
	}
	for ctx.Err() == nil {
		if err := s.photos.CleanStaging(time.Now().Add(-stagedFor)); err != nil {
			s.log.Warn("what was left of broken uploads could not be removed, will try again", "err", err)
		}
		pause(ctx, time.Hour)
	}
}

// stagedFor is longer than any part is on its way.
const stagedFor = 2 * time.Hour

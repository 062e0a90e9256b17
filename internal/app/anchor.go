package app

import (
	"context"
	"encoding/hex"
	"time"

	"gridgov/internal/audit"
)

// anchorEvery is how often the heads of the cities' records of acts are written down outside of the database.
const anchorEvery = time.Hour

// AnchorTo makes Run add the heads to a file too; without it they go to the log alone. It is called before Run.
func (s *Server) AnchorTo(file string) { s.anchors = file }

// keepAnchored writes down a city's head now and every hour until ctx ends.
func (s *Server) keepAnchored(ctx context.Context, live *Live) {
	tick := time.NewTicker(anchorEvery)
	defer tick.Stop()
	for {
		s.anchor(ctx, live)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// anchor writes down a city's head. What cannot be written now is tried again in an hour.
func (s *Server) anchor(ctx context.Context, live *Live) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	head, err := audit.HeadOf(ctx, live.Pool)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("the head of the audit was not read, will try again in an hour", "city", live.Code, "err", err)
		}
		return
	}
	s.log.Info("audit head", "city", live.Code, "seq", head.Seq, "mac", hex.EncodeToString(head.MAC))
	if s.anchors == "" {
		return
	}
	s.anchoring.Lock()
	defer s.anchoring.Unlock()
	if err := (audit.Anchor{At: s.now(), City: live.Code, Seq: head.Seq, MAC: head.MAC}).Append(s.anchors); err != nil {
		s.log.Error("the head of the audit was not anchored, will try again in an hour", "city", live.Code, "err", err)
	}
}

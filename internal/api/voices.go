package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Voice notes are heard by who sees the photos of the same report: what was said there in a person's own voice tells who it was.

func (a *api) getVoice(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	p, err := c.photo(r, photo.Spoken)
	if err != nil {
		return err
	}
	out := Voice{Id: uuid.UUID(p.ID), State: VoiceState(p.State), Refusal: optional(p.Refusal), Length: int(p.Length), Received: int(p.Received), MadeAt: utc(p.MadeAt)}
	if p.State == photo.Ready {
		out.Type, out.Seconds = optional(p.MIME), new(p.Duration.Seconds())
		missing, err := c.Photos.Missing(r.Context(), &p.Photo)
		if err != nil {
			return err
		}
		out.Missing = optional(len(missing) > 0)
	}
	for _, u := range p.Uses {
		out.Report = new(int(u.Report))
	}
	return writePrivate(w, http.StatusOK, out)
}

// getSound sends a voice note, or the part of it that a player asks for.
func (a *api) getSound(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	p, err := c.photo(r, photo.Spoken)
	if err != nil {
		return err
	}
	f, ok := p.File(photo.Sound)
	if !ok {
		return fault.NotFound("the voice note is not ready")
	}
	file, err := c.openFile(r, p, photo.Sound)
	if err != nil {
		return err
	}
	sound, err := io.ReadAll(file) // it is short, and a bucket cannot be gone back in
	_ = file.Close()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", `"`+f.Digest.String()+`"`)
	// Asked for anew each time: a right may have ended meanwhile.
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Type", p.Type(photo.Sound))
	h.Set("Content-Disposition", `inline; filename="`+p.Name(photo.Sound)+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	http.ServeContent(&slowAnswer{w, slowWriter{w, http.NewResponseController(w)}}, r, "", time.Time{}, bytes.NewReader(sound))
	return nil
}

// slowAnswer is an answer whose body may take long, as long as it is taken.
type slowAnswer struct {
	http.ResponseWriter
	slow slowWriter
}

func (s *slowAnswer) Write(b []byte) (int, error) { return s.slow.Write(b) }

// tellVoices adds the voice notes of reports to what is shown of them, for who may hear them.
func (c *call) tellVoices(ctx context.Context, reports []report.Report, shown []*Report) error {
	nums := make([]report.Num, len(reports))
	for i := range reports {
		nums[i] = reports[i].Num
	}
	voices, err := c.Photos.VoicesOf(ctx, nums)
	if err != nil || len(voices) == 0 {
		return err
	}
	view := c.may(policy.PhotoView)
	subjects, err := c.Subjects(ctx, reports, &view)
	if err != nil {
		return err
	}
	for _, v := range voices {
		for i := range reports {
			if nums[i] == v.Report && view.Covers(&subjects[i]) == policy.Whole {
				shown[i].Voice = &ReportVoice{Id: uuid.UUID(v.ID), Seconds: v.Duration.Seconds(), Type: ReportVoiceType(v.MIME)}
			}
		}
	}
	return nil
}

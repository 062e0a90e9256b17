package api

import (
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// shownPhoto is a photo as far as who asks may see it.
type shownPhoto struct {
	photo.Photo
	original bool                          // the original too, and where it was taken
	reports  map[report.Num]*report.Report // of the uses that who asks may see
}

// photo finds the photo of the path, or the voice note, as far as who asks may see it: one's own while nothing uses it, and what is
// used by who sees all of the report. That there is one elsewhere is nobody's business.
func (c *call) photo(r *http.Request, kind photo.Kind) (*shownPhoto, error) {
	id, err := photoID(r)
	if err != nil {
		return nil, err
	}
	p, err := c.Photos.Get(r.Context(), id)
	if err == nil && p.Kind != kind {
		err = fault.NotFound("there is no such %s", kind)
	}
	if err != nil {
		return nil, err
	}
	view, original := c.may(policy.PhotoView), c.may(policy.PhotoOriginal)
	out := &shownPhoto{Photo: p, reports: map[report.Num]*report.Report{}}
	if len(p.Uses) == 0 { // nobody else's, however far their posts reach
		if c.who == nil || c.who.Person != p.UploadedBy || !view.Own {
			return nil, fault.NotFound("there is no such %s", kind)
		}
		out.original = original.Own
		return out, nil
	}
	out.Uses = nil
	for _, u := range p.Uses {
		if out.reports[u.Report] == nil {
			rep, err := c.Reports.Get(r.Context(), u.Report)
			if err != nil {
				return nil, err
			}
			list, err := c.Subjects(r.Context(), []report.Report{rep}, &view, &original)
			if err != nil {
				return nil, err
			}
			s := list[0]
			if view.Covers(&s) != policy.Whole {
				continue
			}
			out.reports[u.Report] = &rep
			out.original = out.original || original.Covers(&s) == policy.Whole
		}
		out.Uses = append(out.Uses, u)
	}
	if len(out.Uses) == 0 {
		return nil, fault.NotFound("there is no such %s", kind)
	}
	return out, nil
}

func (a *api) getPhoto(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	p, err := c.photo(r, photo.Picture)
	if err != nil {
		return err
	}
	out := Photo{Id: uuid.UUID(p.ID), State: PhotoState(p.State), Refusal: optional(p.Refusal), Length: int(p.Length), Received: int(p.Received),
		MadeAt: utc(p.MadeAt), Width: optional(p.Width), Height: optional(p.Height), Sizes: []PhotoSize{}, Uses: []PhotoUse{}}
	if len(p.Taken) > 0 {
		out.TakenSha256 = new(hex.EncodeToString(p.Taken))
	}
	if p.State == photo.Ready {
		out.Type = optional(p.MIME)
		missing, err := c.Photos.Missing(r.Context(), &p.Photo)
		if err != nil {
			return err
		}
		gone := map[photo.Size]bool{}
		for _, size := range missing {
			gone[size] = true
		}
		for _, f := range p.Files {
			if f.Size != photo.Original || p.original {
				out.Sizes = append(out.Sizes, PhotoSize{Size: PhotoSizeSize(f.Size), Bytes: int(f.Bytes), Missing: optional(gone[f.Size])})
			}
		}
	}
	if !p.Facts.TakenAt.IsZero() {
		out.TakenAt, out.TakenBy = new(utc(p.Facts.TakenAt)), new(PhotoTakenBy(p.Facts.Timed))
	}
	if p.Facts.Place != nil && p.original {
		out.Lon, out.Lat = &p.Facts.Place[0], &p.Facts.Place[1]
	}
	for _, u := range p.Uses {
		out.Uses = append(out.Uses, useOf(&p.Facts, u, p.reports[u.Report]))
	}
	return writePrivate(w, http.StatusOK, out)
}

// pointOf is where a report lies; nil: nowhere.
func pointOf(rep *report.Report) *orb.Point {
	if rep.Lon == nil {
		return nil
	}
	return &orb.Point{*rep.Lon, *rep.Lat}
}

// useOf tells what a photo shows, and how far its own word is from the report's.
func useOf(f *photo.Facts, u photo.Use, rep *report.Report) PhotoUse {
	d := photo.Compare(f, rep.CapturedAt, pointOf(rep))
	out := PhotoUse{Report: int(u.Report), Part: u.Part, Act: u.N, Zh: d.ZH, En: d.EN}
	if d.DistanceM != nil {
		out.DistanceM = new(math.Round(*d.DistanceM))
	}
	if d.Apart != nil {
		out.Minutes = new(int(math.Round(d.Apart.Minutes())))
	}
	return out
}

func (a *api) getPhotoFile(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	size := photo.Size(r.PathValue("size"))
	if size != photo.Original && size != photo.Large && size != photo.Thumbnail {
		return fault.NotFound("there is no such size: ask for thumbnail, large or original")
	}
	p, err := c.photo(r, photo.Picture)
	if err != nil {
		return err
	}
	if size == photo.Original && !p.original {
		return fault.Forbidden("not_allowed", "none of your posts in force lets you see the photo as it was taken")
	}
	h := w.Header()
	f, ok := p.File(size)
	if !ok {
		return fault.NotFound("the photo is not ready")
	}
	etag := `"` + f.Digest.String() + `"`
	h.Set("ETag", etag)
	// Asked for anew each time: a right may have ended meanwhile.
	h.Set("Cache-Control", "private, no-cache")
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	file, err := c.openFile(r, p, size)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	disposition := "inline"
	if size == photo.Original { // it is what somebody sent: no page shows it
		disposition = "attachment"
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	}
	h.Set("Content-Type", p.Type(size))
	h.Set("Content-Disposition", disposition+`; filename="`+p.Name(size)+`"`)
	h.Set("Content-Length", strconv.FormatInt(f.Bytes, 10))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = io.Copy(&slowWriter{w, http.NewResponseController(w)}, file) // the client may be gone
	return nil
}

// openFile opens a file of a photo, or says that it did not come back with a backup.
func (c *call) openFile(r *http.Request, p *shownPhoto, size photo.Size) (io.ReadCloser, error) {
	file, _, err := c.Photos.Open(r.Context(), &p.Photo, size)
	if errors.Is(err, photo.ErrFileMissing) {
		missing := fault.NotFound("the %s's file is missing: restore the photos' folder or bucket from its backup", p.Kind)
		missing.Code = "photo_file_missing"
		return nil, missing
	}
	return file, err
}

// slowWriter lets an answer take long, as long as it is taken.
type slowWriter struct {
	w  io.Writer
	rc *http.ResponseController
}

func (s *slowWriter) Write(b []byte) (int, error) {
	_ = s.rc.SetWriteDeadline(time.Now().Add(partIdle)) // where it cannot be set, the server's own holds
	return s.w.Write(b)
}

// Package photo takes in photos, piece by piece, and keeps what they show: the original apart, and two sizes without a word
// of metadata. What a photo is used for is linked in the act's own transaction ([Service.Use]); what nothing uses goes.
// Voice notes come the same way, and are kept as package voice writes them down anew ([Service.UseVoice]).
//
// A photo is rows in the database and files by digest (package blob). A file is wanted while a row of photo_file names it;
// photo_blob sees to it that none is deleted while the same content comes again.
package photo

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/blob"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/report"
	"gridgov/internal/voice"
)

// Service keeps one city's photos.
type Service struct {
	Pool     *pgxpool.Pool
	Feed     *feed.Writer
	Store    *blob.Store // nil: photos are not kept here
	Workshop *Workshop   // nil with Store
	Zone     *time.Location
	Log      *slog.Logger
	Now      func() time.Time

	pace pace
}

// ID is made by the client (UUIDv7), so that a retry is harmless.
type ID uuid.UUID

func (id ID) String() string { return uuid.UUID(id).String() }

// MarshalText writes it as String does.
func (id ID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// ParseID reads a UUID in its usual form.
func ParseID(s string) (ID, *fault.Error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || u == uuid.Nil {
		return ID{}, fault.Invalid("id", "bad_uuid", "%.40q is not a UUID such as 0198c0de-…; make a UUIDv7 for each photo", s)
	}
	return ID(u), nil
}

// Kind is what an upload is to be; its bytes have to bear it out.
type Kind string

// The kinds.
const (
	Picture Kind = "photo"
	Spoken  Kind = "voice"
)

// most is how many bytes an upload of a kind may have.
func (k Kind) most() int64 {
	if k == Spoken {
		return voice.MaxBytes
	}
	return MaxBytes
}

// used says why what a report has can be no other's.
func (k Kind) used(why string) *fault.Error {
	return fault.Conflict(string(k)+"_used", "the %s %s", k, why)
}

// State is how far a photo has come.
type State string

// The states.
const (
	Uploading State = "uploading" // not all of it has come, or it is being read
	Ready     State = "ready"
	Refused   State = "refused" // it is no photo; Photo.Refusal says why
)

// What one person may have under way.
const (
	MaxUnfinished = 20             // uploads that are not ready
	MaxUnused     = 200            // photos that nothing uses yet
	MaxHourly     = 400            // uploads begun in an hour: two days of a field worker's, at once
	maxParts      = 1000           // of an upload: a line that breaks after each kilobyte is given up
	minPart       = 1 << 10        // of a part that is not the last, and whose line has not broken
	UploadAge     = 24 * time.Hour // an upload that gets nothing for so long is removed
	UnusedAge     = 48 * time.Hour // so is a photo that nothing uses
)

// Size is one of a photo's files.
type Size string

// The sizes.
const (
	Original  Size = "original" // as it came, metadata and all
	Large     Size = "large"
	Thumbnail Size = "thumbnail"
	Sound     Size = "sound" // the one file of a voice note
)

// Sizes are those of a picture.
var Sizes = []Size{Original, Large, Thumbnail}

// File is one of a photo's files.
type File struct {
	Size   Size
	Bytes  int64
	Digest blob.Digest
}

// Photo is what is known of a photo, or of a voice note.
type Photo struct {
	ID         ID
	Kind       Kind
	UploadedBy uuid.UUID  // Nil: it comes with what was told without an account
	ToldWith   report.Num // then this report; else 0
	State      State
	Refusal    string
	Length     int64
	Received   int64
	MadeAt     time.Time
	ChangedAt  time.Time
	Taken      []byte // SHA-256 of the picture as it was taken, by the word of who has sent it; nil: not told
	MIME       string // of the original, or the sound
	Width      int    // upright
	Height     int
	Duration   time.Duration // of a voice note
	Facts      Facts
	Files      []File // of one that is ready
	Uses       []Use
}

// Use is what a photo shows: a case (part 0) or a part of it, as evidence of its act N; 0: of the report itself; below 0: of the act that came
// too late for it by the number -N.
type Use struct {
	Report report.Num
	Part   int
	N      int
}

// Expires is when an upload is given up if nothing more comes.
func (p *Photo) Expires() time.Time {
	if p.ToldWith != 0 {
		return p.ChangedAt.Add(ToldAge)
	}
	return p.ChangedAt.Add(UploadAge)
}

// File finds one of the photo's files.
func (p *Photo) File(s Size) (File, bool) {
	for _, f := range p.Files {
		if f.Size == s {
			return f, true
		}
	}
	return File{}, false
}

// Type is what a size is served as: never what a client said.
func (p *Photo) Type(s Size) string {
	if s == Original || s == Sound {
		return p.MIME
	}
	return jpegType
}

var extensions = map[string]string{jpegType: ".jpg", pngType: ".png", webpType: ".webp", heicType: ".heic", voice.WebM: ".webm", voice.MP4: ".m4a"}

// Name is what a size is called when it is saved.
func (p *Photo) Name(s Size) string {
	if s == Sound {
		return "voice-" + p.ID.String() + extensions[p.Type(s)]
	}
	return "photo-" + p.ID.String() + "-" + string(s) + extensions[p.Type(s)]
}

var errNoStore = fault.Unavailable("no_photo_store", "photos are not kept here: start the service with --photos")

var errUnknown = fault.NotFound("there is no such photo")

// ErrChecksum says that a part is not what its checksum says.
var ErrChecksum = errors.New("photo: the part is not what its checksum says")

// subject names it in the record of acts.
func subject(p Photo) string {
	return map[Kind]string{Picture: "photo:", Spoken: "voice:"}[p.Kind] + p.ID.String()
}

func wrongOffset(has int64) *fault.Error {
	return fault.Conflict("wrong_offset", "%s", "so far "+strconv.FormatInt(has, 10)+" bytes are here: ask for the offset and go on from there")
}

// ready tells whether photos are kept here.
func (s *Service) ready() error {
	if s == nil || s.Store == nil || s.Workshop == nil {
		return errNoStore
	}
	return nil
}

// Kept tells whether photos are kept here.
func (s *Service) Kept() bool { return s.ready() == nil }

// Run sweeps until ctx ends: it reads what has come whole and was not read, and removes what nobody wants. Several processes may.
func (s *Service) Run(ctx context.Context) {
	if s.ready() != nil {
		return
	}
	for ctx.Err() == nil {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("photos could not be swept, will try again", "err", err)
		}
		t := time.NewTimer(sweepEach)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

const sweepEach = time.Minute

package api

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // the protocol asks for it, against broken lines and not against people
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/photo"
)

// Uploads speak tus 1.0 (tus.io): creation, the core protocol, checksum, termination, expiration. Why not a library's handler:
// docs/decisions/tus-by-hand.md.

const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,checksum,termination,expiration"
	tusChecksums  = "sha1,sha256"
	tusBody       = "application/offset+octet-stream"
)

// How long a part may take: as long as bytes come, up to a limit. What has come by then is kept.
const (
	partIdle = 30 * time.Second
	partTime = 5 * time.Minute
)

// statusError is a fault that a protocol wants answered with a status of its own.
type statusError struct {
	fault  *fault.Error
	status int
	title  string
}

func (e *statusError) Error() string { return e.fault.Error() }

func (e *statusError) Unwrap() error { return e.fault }

// tus checks what all requests of the protocol have in common, and says who speaks.
func tus(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Cache-Control", "no-store")
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if got := r.Header.Values("Tus-Resumable"); len(got) != 1 || got[0] != tusVersion {
		h.Set("Tus-Version", tusVersion)
		return &statusError{fault.Invalid("Tus-Resumable", "wrong_version", "send Tus-Resumable: %s", tusVersion), http.StatusPreconditionFailed, ""}
	}
	if r.Header.Get("X-HTTP-Method-Override") != "" {
		return fault.Invalid("X-HTTP-Method-Override", "not_supported", "send the method itself")
	}
	return nil
}

// one reads a header that is there once.
func one(r *http.Request, name string) (string, error) {
	switch got := r.Header.Values(name); {
	case len(got) == 0:
		return "", fault.Invalid(name, "required", "is missing")
	case len(got) > 1:
		return "", fault.Invalid(name, "repeated_parameter", "is given several times")
	default:
		return got[0], nil
	}
}

// number reads a header that is a number: digits and nothing else.
func number(r *http.Request, name string) (int64, error) {
	s, err := one(r, name)
	if err != nil {
		return 0, err
	}
	if strings.Trim(s, "0123456789") == "" && len(s) <= 18 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fault.Invalid(name, "not_a_number", "%.40q is not a number of bytes", s)
}

// bodiless refuses a body where none belongs.
func bodiless(r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	var b [1]byte
	if n, _ := io.ReadFull(r.Body, b[:]); n > 0 {
		return fault.Invalid("body", "unexpected_body", "this request has no body: send the bytes by PATCH")
	}
	return nil
}

func (a *api) describeUploads(w http.ResponseWriter, _ *http.Request, _ *call) error {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Checksum-Algorithm", tusChecksums)
	h.Set("Tus-Max-Size", strconv.Itoa(photo.MaxBytes))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readMetadata finds in Upload-Metadata the id, what it is to be (a photo, where that is not said), and the digest of the picture as it was
// taken. Other keys are the client's own and are not kept: a file's name may name a person.
func readMetadata(r *http.Request) (photo.Begin, error) {
	var out photo.Begin
	s, err := one(r, "Upload-Metadata")
	if err != nil {
		return out, err
	}
	wrong := fault.Invalid("Upload-Metadata", "bad_metadata", "is not KEY BASE64, KEY BASE64, …; give id, a UUIDv7; kind, photo or voice, where it is no photo; taken, the SHA-256 in hex of the picture as it was taken, where it is known")
	if len(s) > 4000 {
		return out, wrong
	}
	known := map[string]string{"id": "", "kind": "", "taken": ""}
	for pair := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		said, ours := known[key]
		if !ours {
			continue
		}
		b, err := base64.StdEncoding.Strict().DecodeString(value)
		if said != "" || err != nil || len(b) == 0 {
			return out, wrong
		}
		known[key] = string(b)
	}
	out.Kind = photo.Kind(cmp.Or(known["kind"], string(photo.Picture)))
	if known["id"] == "" || out.Kind != photo.Picture && out.Kind != photo.Spoken {
		return out, wrong
	}
	if taken := known["taken"]; taken != "" {
		if out.Taken, err = hex.DecodeString(taken); err != nil || len(out.Taken) != sha256.Size || out.Kind != photo.Picture {
			return out, wrong
		}
	}
	id, bad := photo.ParseID(known["id"])
	if bad != nil {
		return out, bad
	}
	out.ID = id
	return out, nil
}

// lane is whose uploads a request is of: one's own, or those that were announced with a report.
type lane struct {
	path  string // of uploads
	begin func(ctx context.Context, b photo.Begin) (p photo.Photo, existed bool, err error)
	find  func(ctx context.Context, id photo.ID) (photo.Photo, error)
	add   func(ctx context.Context, id photo.ID, part photo.Part) (photo.Photo, error)
}

// laneOf finds out whose uploads a request is of.
type laneOf func(r *http.Request, c *call) (*lane, error)

func ownLane(_ *http.Request, c *call) (*lane, error) {
	by := c.who.Person
	return &lane{
		path: "uploads",
		begin: func(ctx context.Context, b photo.Begin) (photo.Photo, bool, error) {
			return c.Photos.Create(ctx, by, b)
		},
		find: func(ctx context.Context, id photo.ID) (photo.Photo, error) { return c.Photos.Find(ctx, by, id) },
		add: func(ctx context.Context, id photo.ID, part photo.Part) (photo.Photo, error) {
			return c.Photos.Append(ctx, by, id, part)
		},
	}, nil
}

// reportSecret is the header that carries the secret of a report's link: it stands in no address, and so in no log.
const reportSecret = "Report-Secret"

// toldLane is of the photos that a report announced, for who holds its link's secret. Others there are not, whoever asks.
func toldLane(r *http.Request, c *call) (*lane, error) {
	secret, err := one(r, reportSecret)
	if err != nil {
		return nil, err
	}
	num, err := c.Residents.Linked(r.Context(), secret)
	if err != nil {
		return nil, err
	}
	return &lane{
		path: "public/uploads",
		begin: func(ctx context.Context, b photo.Begin) (photo.Photo, bool, error) {
			p, err := c.Photos.FindTold(ctx, num, b.ID)
			if err == nil && (p.Length != b.Length || p.Kind != b.Kind) {
				err = fault.Conflict("other_length", "the photo was announced with %d bytes", p.Length)
			}
			return p, true, err
		},
		find: func(ctx context.Context, id photo.ID) (photo.Photo, error) { return c.Photos.FindTold(ctx, num, id) },
		add: func(ctx context.Context, id photo.ID, part photo.Part) (photo.Photo, error) {
			return c.Photos.AppendTold(ctx, num, id, part)
		},
	}, nil
}

// through makes a handler of uploads of what handles one lane's.
func (of laneOf) through(h func(w http.ResponseWriter, r *http.Request, c *call, l *lane) error) handler {
	return func(w http.ResponseWriter, r *http.Request, c *call) error {
		if err := tus(w, r); err != nil {
			return err
		}
		l, err := of(r, c)
		if err != nil {
			return err
		}
		return h(w, r, c, l)
	}
}

func beginUpload(w http.ResponseWriter, r *http.Request, c *call, l *lane) error {
	if r.Header.Get("Upload-Defer-Length") != "" {
		return fault.Invalid("Upload-Defer-Length", "not_supported", "say how long it is by Upload-Length")
	}
	length, err := number(r, "Upload-Length")
	if err != nil {
		return err
	}
	b, err := readMetadata(r)
	if err != nil {
		return err
	}
	b.Length = length
	if err := bodiless(r); err != nil {
		return err
	}
	p, existed, err := l.begin(r.Context(), b)
	if err != nil {
		return err
	}
	uploadHeaders(w, &p)
	// A path of this host: a name that a client sent is in no answer.
	w.Header().Set("Location", fmt.Sprintf("/%s/v1/%s/%s", c.Code, l.path, p.ID))
	status := http.StatusCreated
	if existed {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	return nil
}

func uploadHeaders(w http.ResponseWriter, p *photo.Photo) {
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(p.Received, 10))
	if p.State == photo.Uploading {
		h.Set("Upload-Expires", p.Expires().UTC().Format(http.TimeFormat))
	}
}

// upload finds the upload of the path: one of the lane, others there are not.
func (l *lane) upload(r *http.Request) (photo.Photo, error) {
	id, err := photoID(r)
	if err != nil {
		return photo.Photo{}, err
	}
	return l.find(r.Context(), id)
}

// photoID reads the id of the path. What is no id is no photo's.
func photoID(r *http.Request) (photo.ID, error) {
	id, err := photo.ParseID(r.PathValue("id"))
	if err != nil {
		return id, fault.NotFound("there is no such photo")
	}
	return id, nil
}

func headUpload(w http.ResponseWriter, r *http.Request, _ *call, l *lane) error {
	p, err := l.upload(r)
	if err != nil {
		return err
	}
	uploadHeaders(w, &p)
	w.Header().Set("Upload-Length", strconv.FormatInt(p.Length, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

// slowBody is a body that may take long, as long as it goes on.
type slowBody struct {
	r     io.Reader
	rc    *http.ResponseController
	until time.Time
}

func (b *slowBody) Read(p []byte) (int, error) {
	next := time.Now().Add(partIdle)
	if next.After(b.until) {
		next = b.until
	}
	_ = b.rc.SetReadDeadline(next)                    // where it cannot be set, the server's own holds
	_ = b.rc.SetWriteDeadline(next.Add(2 * partIdle)) // the answer comes after it
	return b.r.Read(p)
}

// checksum reads Upload-Checksum; the part is as it is without.
func checksum(r *http.Request, part *photo.Part) error {
	if r.Header.Get("Upload-Checksum") == "" {
		return nil
	}
	s, err := one(r, "Upload-Checksum")
	if err != nil {
		return err
	}
	name, value, _ := strings.Cut(s, " ")
	var sum hash.Hash
	switch name {
	case "sha1":
		sum = sha1.New() //nolint:gosec // see the import
	case "sha256":
		sum = sha256.New()
	default:
		return fault.Invalid("Upload-Checksum", "unknown_value", "%.20q is none of %s", name, tusChecksums)
	}
	want, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(want) != sum.Size() {
		return fault.Invalid("Upload-Checksum", "bad_checksum", "is not ALGORITHM BASE64")
	}
	part.Sum, part.Good = sum, func() bool { return subtle.ConstantTimeCompare(sum.Sum(nil), want) == 1 }
	return nil
}

func appendUpload(w http.ResponseWriter, r *http.Request, _ *call, l *lane) error {
	if t := r.Header.Get("Content-Type"); t != tusBody {
		return fault.Unsupported("Content-Type", "wrong_type", "is %.60q; send %s", t, tusBody)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.Unsupported("Content-Encoding", "encoded", "is %.60q; send the bytes as they are", coding)
	}
	offset, err := number(r, "Upload-Offset")
	if err != nil {
		return err
	}
	part := photo.Part{Offset: offset, Body: &slowBody{r.Body, http.NewResponseController(w), time.Now().Add(partTime)}}
	if err := checksum(r, &part); err != nil {
		return err
	}
	p, err := l.upload(r)
	if err != nil {
		return err
	}
	if r.ContentLength > p.Length-offset { // said before any of it is read
		return fault.TooLarge("body", "the part goes beyond the %d bytes that were announced: send no more than that", p.Length)
	}
	p, err = l.add(r.Context(), p.ID, part)
	switch {
	case errors.Is(err, photo.ErrChecksum):
		return &statusError{fault.Invalid("Upload-Checksum", "checksum_mismatch", "the part is not what its checksum says: send it again"), 460, "Checksum Mismatch"}
	case err != nil:
		return err
	}
	uploadHeaders(w, &p)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) removeUpload(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := tus(w, r); err != nil {
		return err
	}
	id, err := photoID(r)
	if err != nil {
		return err
	}
	if err := c.Photos.Remove(r.Context(), c.who.Person, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Package report is what is seen and told: a report is filed once, placed in its grid, kept, listed, and placed anew
// when the boundaries change.
package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"gridgov/internal/fault"
)

// ID is made by the client (UUIDv7), so that a retry is harmless.
type ID uuid.UUID

func (id ID) String() string { return uuid.UUID(id).String() }

// ParseID reads a UUID in its usual form.
func ParseID(s string) (ID, error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || u == uuid.Nil {
		return ID{}, fault.Invalid("id", "bad_uuid", "%q is not a UUID such as 0198c0de-…; make a UUIDv7 for each report", clip(s))
	}
	return ID(u), nil
}

// Num is the report's number in this city: in the cube, in tiles and in the feed.
type Num uint32

// Source is how a report came.
type Source string

// Kind is what a report is about; "" is unknown.
type Kind string

// Sources and Kinds in the order of their numbers in the cube: a source's number is its index, a kind's its index + 1
// (0 is no kind). The order never changes.
var (
	Sources = []Source{"phone", "hotline", "web", "sensor", "import", "patrol"}
	Kinds   = []Kind{"inquiry", "problem", "conflict"}
)

// Patrol is the source of what is found on rounds and not told by anybody.
const Patrol Source = "patrol"

// Number is the source's place in Sources, or -1.
func (s Source) Number() int { return index(Sources, s) }

// Number is 0 for no kind, else the kind's place in Kinds + 1, or -1.
func (k Kind) Number() int {
	if k == "" {
		return 0
	}
	if i := index(Kinds, k); i >= 0 {
		return i + 1
	}
	return -1
}

func index[T comparable](list []T, v T) int {
	for i, w := range list {
		if v == w {
			return i
		}
	}
	return -1
}

// Located tells where a report's point comes from.
type Located string

// The origins of a point.
const (
	LocatedPoint   Located = "point"   // as reported
	LocatedAddress Located = "address" // by the gazetteer
	LocatedHand    Located = "hand"    // set by the desk
	LocatedNowhere Located = "nowhere" // no point
)

// New is a report as it comes in. X and Y are in the system that CRS names (lon, lat for EPSG:4490); both or neither.
type New struct {
	ID             ID
	ExternalID     string
	Source         Source
	CapturedAt     time.Time
	ClosedAt       *time.Time // imports only
	X, Y           *float64
	CRS            string
	AccuracyM      *float64
	PositionSource string
	Address        string
	Item           string
	Kind           Kind
	Title          string
	Text           string
	Reporter       *Reporter
	Generated      bool
	FiledBy        *uuid.UUID // the person whose account files it; nil: none
	// Photos that the person has uploaded, of what it tells. Kept out of the digest where there are none, as it was before.
	Photos []uuid.UUID `json:",omitempty"`
	Device *Device     `json:",omitempty"` // of the phone that took it; likewise
	// Voice is a note that the person has spoken and uploaded; nil: none.
	Voice *uuid.UUID `json:",omitempty"`
}

// Report is a report as it is kept, with the answer in force.
type Report struct {
	Num            Num
	ID             ID
	ExternalID     *string
	Source         Source
	CapturedAt     time.Time
	ReceivedAt     time.Time
	ClosedAt       *time.Time
	Lon, Lat       *float64
	CRS            string
	Located        Located
	AccuracyM      *float64
	PositionSource *string
	Address        *string
	Item           string
	Kind           *Kind
	Title          *string
	Text           *string
	Generated      bool
	FiledBy        *uuid.UUID
	Placement      Placement
}

// Limits of a report's fields.
const (
	maxTitle    = 200
	maxText     = 5000
	maxAddress  = 500
	maxExternal = 128
	maxAccuracy = 100_000 // metres
	maxPhotos   = 10
	clockAhead  = 24 * time.Hour
)

var positionSources = []string{"gps", "network", "map", "address", "sensor"}

// Check validates everything that needs no database. now bounds captured_at: a phone's clock may be off by hours, not
// by days.
func (n *New) Check(now time.Time) *fault.Error {
	switch {
	case n.ID == ID{}:
		return fault.Invalid("id", "required", "is missing: make a UUIDv7 for each report")
	case n.Source.Number() < 0:
		return fault.Invalid("source", "unknown_value", "%q is none of phone, hotline, web, sensor, import, patrol", clip(string(n.Source)))
	case n.Kind.Number() < 0:
		return fault.Invalid("kind", "unknown_value", "%q is none of inquiry, problem, conflict", clip(string(n.Kind)))
	case n.CapturedAt.IsZero():
		return fault.Invalid("captured_at", "required", "is missing: give the time the report was made, RFC 3339")
	case n.CapturedAt.Year() < 1970 || n.CapturedAt.Year() > 2100:
		return fault.Invalid("captured_at", "out_of_range", "%s is outside 1970–2100", n.CapturedAt.Format(time.RFC3339))
	case n.CapturedAt.After(now.Add(clockAhead)) && n.Source != "import":
		return fault.Invalid("captured_at", "in_the_future", "%s is more than a day ahead: check the device's clock", n.CapturedAt.Format(time.RFC3339))
	case n.ClosedAt != nil && n.Source != "import" && !n.Generated:
		return fault.Invalid("closed_at", "imports_only", "is for imported reports only")
	case n.ClosedAt != nil && (n.ClosedAt.Year() < 1970 || n.ClosedAt.Year() > 2100):
		return fault.Invalid("closed_at", "out_of_range", "%s is outside 1970–2100", n.ClosedAt.Format(time.RFC3339))
	case (n.X == nil) != (n.Y == nil):
		return fault.Invalid("lat", "half_a_point", "lon and lat come together: give both or neither")
	case n.X == nil && strings.TrimSpace(n.Address) == "":
		return fault.Invalid("lon", "no_place", "the report has neither a point nor an address: give lon and lat, or address")
	case n.X != nil && (!finite(*n.X) || !finite(*n.Y)):
		return fault.Invalid("lon", "not_finite", "lon and lat must be finite numbers")
	case n.AccuracyM != nil && (!finite(*n.AccuracyM) || *n.AccuracyM < 0 || *n.AccuracyM > maxAccuracy):
		return fault.Invalid("accuracy_m", "out_of_range", "must lie between 0 and %d metres", maxAccuracy)
	case n.PositionSource != "" && index(positionSources, n.PositionSource) < 0:
		return fault.Invalid("position_source", "unknown_value", "%q is none of %s", clip(n.PositionSource), strings.Join(positionSources, ", "))
	}
	if err := checkItem(n.Item); err != nil {
		return err
	}
	for _, f := range []struct {
		name, value string
		limit       int
		lines       bool
	}{
		{"external_id", n.ExternalID, maxExternal, false}, {"title", n.Title, maxTitle, false},
		{"text", n.Text, maxText, true}, {"address", n.Address, maxAddress, false},
	} {
		if err := checkText(f.name, f.value, f.limit, f.lines); err != nil {
			return err
		}
	}
	if n.Device != nil {
		if err := n.Device.check(now); err != nil {
			return err
		}
	}
	switch {
	case len(n.Photos) > maxPhotos:
		return fault.Invalid("photos", "too_many", "%d photos; at most %d go with a report, more with what is done about it", len(n.Photos), maxPhotos)
	case len(n.Photos) > 0 && n.FiledBy == nil:
		return fault.Invalid("photos", "nobody", "photos are of who has uploaded them, and nobody files this report")
	case n.Voice != nil && n.FiledBy == nil:
		return fault.Invalid("voice", "nobody", "a voice note is of who has uploaded it, and nobody files this report")
	case n.Reporter != nil:
		return n.Reporter.check()
	}
	return nil
}

// checkItem refuses what can be no item's code.
func checkItem(code string) *fault.Error {
	switch {
	case code == "":
		return fault.Invalid("item", "required", "is missing: give one of the city's item codes")
	case strings.Contains(code, ","):
		return fault.Invalid("item", "comma", "%q holds a comma, which separates the items of a filter: use a code without", clip(code))
	}
	return checkText("item", code, 64, false)
}

// checkText refuses what PostgreSQL cannot keep (NUL, broken UTF-8), control characters and what is too long.
func checkText(field, s string, limit int, lines bool) *fault.Error {
	if !utf8.ValidString(s) {
		return fault.Invalid(field, "bad_encoding", "is not UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fault.Invalid(field, "too_long", "has %d characters; %d are allowed", n, limit)
	}
	for _, r := range s {
		if unicode.IsControl(r) && (!lines || (r != '\n' && r != '\r' && r != '\t')) {
			return fault.Invalid(field, "control_character", "holds the control character U+%04X: remove it", r)
		}
	}
	return nil
}

// content is a digest of what the client sent; who told it goes in as a MAC. The same id with other content is a conflict.
func (n *New) content(told *Sealed) []byte {
	c := *n
	c.Reporter, c.Device = nil, n.Device.stored()
	c.CapturedAt = c.CapturedAt.UTC().Truncate(time.Microsecond)
	if c.ClosedAt != nil {
		t := c.ClosedAt.UTC().Truncate(time.Microsecond)
		c.ClosedAt = &t
	}
	b, err := json.Marshal(c)
	if err != nil { // only non-finite numbers cannot be encoded, and Check refused them
		panic(err)
	}
	if told != nil {
		b = append(b, told.Digest...)
	}
	sum := sha256.Sum256(b)
	return sum[:16]
}

// sameContent holds what is sent against what is kept. Of a report that was told by somebody who is erased nothing is kept
// that it could be held against.
func sameContent(kept, sent []byte) bool { return len(kept) == 0 || bytes.Equal(kept, sent) }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// clip shortens hostile input for a message.
func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "�"))
	if len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return string(r)
}

// UUIDValue and ScanUUID let pgx write and read an ID as uuid.
func (id ID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: id, Valid: true}, nil }

// ScanUUID implements pgtype.UUIDScanner.
func (id *ID) ScanUUID(v pgtype.UUID) error {
	*id = v.Bytes
	return nil
}

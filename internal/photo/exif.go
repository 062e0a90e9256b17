package photo

import (
	"bytes"
	"math"
	"strings"
	"time"

	"github.com/bep/imagemeta"
	"github.com/paulmach/orb"
)

// Limits of what is read of a picture's metadata. A camera writes some hundred tags.
const (
	maxTags    = 2000
	maxTagSize = 1000
	clockAhead = 24 * time.Hour // a camera's clock may be off by hours
)

// firstPhotos: what claims to be older has a clock that was never set.
var firstPhotos = time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)

// exif is what a picture's metadata say, as they stand there.
type exif struct {
	orientation      int
	original, offset string // 2026:11:24 16:00:00, +08:00
	gpsDate, gpsTime string // 2026:11:24, 08:00:00
	lon, lat         float64
	lonRef, latRef   string
	hasLon, hasLat   bool
}

var formats = map[string]imagemeta.ImageFormat{jpegType: imagemeta.JPEG, pngType: imagemeta.PNG, webpType: imagemeta.WebP, heicType: imagemeta.HEIF}

// readEXIF reads what is to be had. Metadata that are broken, or loop, are as good as none: the picture is looked at by itself.
func readEXIF(file []byte, mime string) (e exif) {
	defer func() { _ = recover() }() // of a library that trips; what was read until then stays
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(file), ImageFormat: formats[mime], Sources: imagemeta.EXIF, LimitNumTags: maxTags, LimitTagSize: maxTagSize,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return strings.HasPrefix(t.Namespace, "IFD0") },
		HandleTag: func(t imagemeta.TagInfo) error {
			e.take(t.Tag, t.Value)
			return nil
		},
	})
	return e
}

func (e *exif) take(tag string, value any) {
	switch tag {
	case "Orientation":
		if n, ok := integer(value); ok && e.orientation == 0 {
			e.orientation = n
		}
	case "DateTimeOriginal":
		e.original = word(value)
	case "OffsetTimeOriginal":
		e.offset = word(value)
	case "GPSDateStamp":
		e.gpsDate = word(value)
	case "GPSTimeStamp":
		e.gpsTime = word(value)
	case "GPSLongitudeRef":
		e.lonRef = word(value)
	case "GPSLatitudeRef":
		e.latRef = word(value)
	case "GPSLongitude":
		e.lon, e.hasLon = value.(float64)
	case "GPSLatitude":
		e.lat, e.hasLat = value.(float64)
	}
}

func word(v any) string {
	s, _ := v.(string)
	return strings.TrimSpace(strings.TrimRight(s, "\x00"))
}

func integer(v any) (int, bool) {
	switch n := v.(type) {
	case uint8:
		return int(n), true
	case uint16:
		return int(n), true
	case uint32:
		return int(n), true
	case int:
		return n, true
	}
	return 0, false
}

// facts are what of it can be true.
func (e *exif) facts(zone *time.Location, now time.Time) (f Facts) {
	f.TakenAt, f.Timed = e.taken(zone)
	if f.TakenAt.Before(firstPhotos) || f.TakenAt.After(now.Add(clockAhead)) {
		f.TakenAt, f.Timed = time.Time{}, ""
	}
	f.Place = e.place()
	return f
}

const exifLayout = "2006:01:02 15:04:05"

func (e *exif) taken(zone *time.Location) (time.Time, Timed) {
	if gps := strings.TrimSuffix(e.gpsTime, "Z"); e.gpsDate != "" && gps != "" {
		if at, err := time.Parse(exifLayout, e.gpsDate+" "+gps); err == nil {
			return at, ByGPS
		}
	}
	if at, err := time.Parse(exifLayout+"Z07:00", e.original+e.offset); err == nil {
		return at.UTC(), ByOffset
	}
	if at, err := time.ParseInLocation(exifLayout, e.original, zone); err == nil {
		return at.UTC(), ByZone
	}
	return time.Time{}, ""
}

func (e *exif) place() *orb.Point {
	// Both comparisons are false for what is no number.
	if !e.hasLon || !e.hasLat || !(math.Abs(e.lon) <= 180 && math.Abs(e.lat) <= 90) {
		return nil
	}
	p := orb.Point{e.lon, e.lat}
	if strings.HasPrefix(e.lonRef, "W") {
		p[0] = -math.Abs(p[0])
	}
	if strings.HasPrefix(e.latRef, "S") {
		p[1] = -math.Abs(p[1])
	}
	if math.Abs(p[0]) < 1e-3 && math.Abs(p[1]) < 1e-3 { // what is written before the satellites are found
		return nil
	}
	return &p
}

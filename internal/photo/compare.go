package photo

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Timed tells how it is known when a photo was taken.
type Timed string

// From the surest to the least.
const (
	ByGPS    Timed = "gps"    // the satellites' time
	ByOffset Timed = "offset" // the camera's clock, which says its zone
	ByZone   Timed = "zone"   // the camera's clock, taken to be in the city's zone
)

// Facts are what a photo says of itself, as far as it can be true.
type Facts struct {
	TakenAt time.Time // zero: unknown
	Timed   Timed
	Place   *orb.Point // lon, lat, EPSG:4490; nil: unknown
}

// Difference is how far a photo's own word is from what a report says.
type Difference struct {
	DistanceM *float64       // nil: one of the two has no position
	Apart     *time.Duration // taken − reported; nil: the photo has no time
	ZH, EN    string
}

// Compare holds a photo against a report's moment and point.
func Compare(f *Facts, at time.Time, p *orb.Point) Difference {
	var d Difference
	switch {
	case f.Place == nil:
		d.ZH, d.EN = "照片没有位置", "the photo has no position"
	case p == nil:
		d.ZH, d.EN = "上报没有位置", "the report has no position"
	default:
		m := geo.Distance(*f.Place, *p)
		d.DistanceM = &m
		zh, en := metres(m)
		d.ZH, d.EN = "距上报位置 "+zh, en+" from the report's point"
	}
	if f.TakenAt.IsZero() {
		d.ZH, d.EN = d.ZH+"；照片没有时间", d.EN+"; the photo has no time"
		return d
	}
	apart := f.TakenAt.Sub(at)
	d.Apart = &apart
	zh, en := span(apart.Abs())
	switch {
	case zh == "":
		d.ZH, d.EN = d.ZH+"；与上报同时拍摄", d.EN+"; taken at the time of the report"
	case apart < 0:
		d.ZH, d.EN = d.ZH+"；上报前 "+zh+"拍摄", d.EN+"; taken "+en+" before the report"
	default:
		d.ZH, d.EN = d.ZH+"；上报后 "+zh+"拍摄", d.EN+"; taken "+en+" after the report"
	}
	if f.Timed == ByZone {
		d.ZH, d.EN = d.ZH+"（按相机时钟）", d.EN+" (by the camera's clock)"
	}
	return d
}

func metres(m float64) (zh, en string) {
	if m < 999.5 {
		return fmt.Sprintf("%.0f 米", m), fmt.Sprintf("%.0f m", m)
	}
	return fmt.Sprintf("%.1f 公里", m/1000), fmt.Sprintf("%.1f km", m/1000)
}

// span says a time in its largest unit; nothing for less than a minute.
func span(d time.Duration) (zh, en string) {
	switch n := math.Round(d.Minutes()); {
	case d < time.Minute:
		return "", ""
	case n < 60:
		return fmt.Sprintf("%.0f 分钟", n), plural(n, "minute")
	case n < 48*60:
		n = math.Round(n / 60)
		return fmt.Sprintf("%.0f 小时", n), plural(n, "hour")
	default:
		n = math.Round(n / 60 / 24)
		return fmt.Sprintf("%.0f 天", n), plural(n, "day")
	}
}

func plural(n float64, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%.0f %s", n, unit)
}

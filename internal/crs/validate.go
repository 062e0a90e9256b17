package crs

import (
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// nearDeg is how far outside the city's bound a point still counts as "there" when the two readings of a swapped pair
// are compared: positions just over the border are ordinary.
const nearDeg = 0.5

// Validate checks a point in degrees before anything else sees it; nil means that it is sound. Being outside the city
// is no fault (the report is then unplaced), unless the pair read the other way round lies in the city.
//
// city is where points are expected, in lon/lat; an empty or zero bound switches the comparison off. The codes are
// not_finite, out_of_range, swapped, projected and zero; the field is "lon" or "lat".
func Validate(p orb.Point, city orb.Bound) *fault.Error {
	lon, lat := p[0], p[1]
	for i, v := range p {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fault.Invalid([]string{"lon", "lat"}[i], "not_finite", "is not a finite number")
		}
	}
	known := city.Max[0] > city.Min[0] && city.Max[1] > city.Min[1]
	near := func(p orb.Point) bool { return known && city.Pad(nearDeg).Contains(p) }
	inRange := math.Abs(lon) <= 180 && math.Abs(lat) < 90
	switch {
	case inRange && near(p):
		return nil
	case near(orb.Point{lat, lon}):
		return fault.Invalid("lon", "swapped", "longitude and latitude are swapped: %s, %s lies in the city the other way round; give longitude first",
			num(lon), num(lat))
	case inRange && lon == 0 && lat == 0 && known:
		return fault.Invalid("lon", "zero", "0, 0 is no position in this city: leave both empty when there is none")
	case inRange:
		return nil
	case math.Abs(lat) == 90 && math.Abs(lon) <= 180: // where what went wrong in a projection often ends
		return fault.Invalid("lat", "out_of_range", "latitude %s is a pole, where no city lies", num(lat))
	case math.Abs(lon) <= 90 && math.Abs(lat) <= 180:
		return fault.Invalid("lat", "swapped", "latitude %s is outside -90 to 90: longitude and latitude look swapped; give longitude first", num(lat))
	case math.Abs(lon) > 360 || math.Abs(lat) > 360:
		return fault.Invalid(field(lon), "projected", "%s, %s are metres of a projected system, not degrees; name the system, for example --crs EPSG:4549",
			num(lon), num(lat))
	case field(lon) == "lon":
		return fault.Invalid("lon", "out_of_range", "longitude %s is outside -180 to 180", num(lon))
	}
	return fault.Invalid("lat", "out_of_range", "latitude %s is outside -90 to 90", num(lat))
}

// field is the one that is out of range, longitude first.
func field(lon float64) string {
	if math.Abs(lon) > 180 {
		return "lon"
	}
	return "lat"
}

// ParsePoint reads two decimal texts by ParseNumber; the order is given by the arguments. The faults' fields are "lon" and
// "lat". The value is not checked further (Validate).
func ParsePoint(lon, lat string) (p orb.Point, bad *fault.Error) {
	if p[0], bad = ParseNumber("lon", lon); bad == nil {
		p[1], bad = ParseNumber("lat", lat)
	}
	return p, bad
}

// ParseNumber reads a decimal text as it stands in files, forms and queries: no hexadecimal, no "NaN" or "Inf", no
// underscores or thousands separators. The fault's codes are missing and not_a_number.
func ParseNumber(field, text string) (float64, *fault.Error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, fault.Invalid(field, "missing", "has no value")
	}
	if strings.Trim(text, "0123456789+-.eE") == "" {
		if v, err := strconv.ParseFloat(text, 64); err == nil { // else also 1e999, which does not fit a double
			return v, nil
		}
	}
	return 0, fault.Invalid(field, "not_a_number", "%.40q is not a number%s", text, hint(field, text))
}

// hint says what the writer of a text that is no number may have meant.
func hint(field, text string) string {
	degrees := "°'′\"″"
	if field == "lon" || field == "lat" {
		degrees += "NSEWnsew"
	}
	switch {
	case strings.Count(text, ",") == 1 && strings.Trim(text, "0123456789+-,") == "":
		return "; write the decimal point as a dot"
	case strings.ContainsAny(text, degrees) && strings.ContainsAny(text, "0123456789"):
		return "; give decimal degrees, not degrees and minutes"
	}
	return ""
}

func num(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

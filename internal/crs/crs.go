// Package crs names coordinate systems and takes the Chinese ones to longitude and latitude.
//
// Everything inside the product is lon, lat in degrees of CGCS2000 (EPSG:4490), which equals WGS 84 at the accuracy of
// any report. Phones and Chinese map kits deliver GCJ-02 or BD-09, which are WGS 84 bent by a published formula: they are
// undone here. All other systems need PROJ and are transformed by PostGIS or GDAL; NeedsProj tells.
package crs

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// System is a coordinate system: an EPSG code, or one of the two bent systems that have none.
type System int32

// The systems the product converts by itself. WGS84 stands for CRS84 too: the order is lon, lat everywhere.
const (
	CGCS2000 System = 4490
	WGS84    System = 4326
	GCJ02    System = -1 // the "Mars" system of Chinese maps and phones
	BD09     System = -2 // Baidu's, bent once more on top of GCJ-02
)

// maxEPSG bounds the codes accepted: EPSG's own are below 32768 and PROJ knows vendors' codes up to six digits.
const maxEPSG = 999_999

// Parse reads `gcj02`, `bd09`, `4490`, `EPSG:4490`, `CRS84`, `WGS84`, `CGCS2000` and any `EPSG:n` or bare `n`, in any
// case, also as the URNs of GeoJSON files (`urn:ogc:def:crs:OGC:1.3:CRS84`, `urn:ogc:def:crs:EPSG::26985`).
// Whether PROJ knows the code is seen when it is used. The fault's field is "crs".
func Parse(name string) (System, error) {
	s := strings.ToUpper(strings.TrimSpace(name))
	s = strings.TrimPrefix(s, "URN:OGC:DEF:CRS:")
	s = strings.TrimPrefix(s, "HTTP://WWW.OPENGIS.NET/DEF/CRS/")
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(s) {
	case "GCJ02", "GCJ":
		return GCJ02, nil
	case "BD09", "BD09LL":
		return BD09, nil
	case "CRS84", "OGC:CRS84", "OGC:1.3:CRS84", "OGC/1.3/CRS84", "OGC::CRS84", "WGS84":
		return WGS84, nil
	case "CGCS2000":
		return CGCS2000, nil
	}
	for _, p := range []string{"EPSG::", "EPSG:", "EPSG/0/"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			s = rest
			break
		}
	}
	// A version may stand between the colons of a URN: EPSG:9.9.1:4490.
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Trim(s[:i], "0123456789.") == "" {
		s = s[i+1:]
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || n > maxEPSG {
		return 0, fault.Invalid("crs", "unknown_crs",
			"coordinate system %.40q is not known; use an EPSG code such as EPSG:4490, or gcj02, bd09 or CRS84", name)
	}
	return System(n), nil
}

// String is the name Parse reads back: "EPSG:4490", "gcj02", "bd09".
func (s System) String() string {
	switch s {
	case GCJ02:
		return "gcj02"
	case BD09:
		return "bd09"
	}
	return fmt.Sprintf("EPSG:%d", int32(s))
}

// EPSG is the code for PostGIS and PROJ, 0 for the bent systems.
func (s System) EPSG() int { return max(int(s), 0) }

// NeedsProj reports whether points of this system have to be transformed by PostGIS or GDAL.
func (s System) NeedsProj() bool { return s > 0 && s != CGCS2000 && s != WGS84 }

// ToLonLat takes a point to lon, lat in degrees of EPSG:4490. CGCS2000 and WGS 84 come back bit for bit. It fails for
// systems that need PROJ and for the zero System only; check the point with Validate first.
func (s System) ToLonLat(p orb.Point) (orb.Point, error) {
	switch s {
	case CGCS2000, WGS84:
		return p, nil
	case GCJ02:
		return FromGCJ02(p), nil
	case BD09:
		return FromGCJ02(undoBD09(p)), nil
	}
	return p, fault.Invalid("crs", "needs_proj", "%s is not a system of degrees and must be transformed by PROJ first", s)
}

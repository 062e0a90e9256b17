// Package dc holds Washington's boundaries and service requests, as published, and says how they are read.
//
// The data is DC government's (opendata.dc.gov); data/README.md names what was done to it. The package is pure: it opens
// the embedded files and maps their fields, and leaves importing to its callers.
package dc

import (
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
)

//go:embed data/*.gz
var data embed.FS

// The city as it is created.
const (
	Code        = "dc"
	Name        = "Washington"
	Timezone    = "America/New_York"
	SRID        = 26985 // NAD83 / Maryland, metres
	Levels      = "city,town:ward,village:anc,grid:smd"
	PlanName    = "DC 2013"
	Attribution = "DC government, opendata.dc.gov"
)

// The files, as Open takes them.
const (
	WardsFile   = "wards_2012.geojson"
	ANCsFile    = "anc_2013.geojson"
	SMDsFile    = "smd_2013.geojson"
	OutlineFile = "dc_boundary.geojson"
	ReportsFile = "reports.csv"
)

// Counts of the published rows. The last row of ReportsFile is blank but for its time, and an import rejects it.
const (
	Wards      = 8
	ANCs       = 40
	SMDs       = 296
	ReportRows = 22577
	Reports    = 22576
	BlankLine  = 22578 // the blank row's line in ReportsFile, the header being line 1
	WardLabel  = "ward"
	LabelledIn = 22427 // rows whose WardLabel is neither empty nor "NULL"
	SourceEPSG = 4326  // what the files' lon and lat are in
)

// Boundary says how one level's file is imported; the fields are names of GeoJSON properties.
type Boundary struct {
	File        string
	Level       string // the city's own name for the level, as in Levels
	CodeField   string
	NameField   string
	ParentField string // empty: the level is placed by itself
	Count       int
}

// Boundaries lists the levels, top first.
//
// Only a single-member district has a parent. A ward is the uppermost level below the city, and an ANC has none because
// ANC 3G lies in two wards. The district's parent is data of the publisher; that the two levels' lines differ by some
// square metres stays far below the 0.1 % of a face from which a district out of its parent is refused.
func Boundaries() []Boundary {
	return []Boundary{
		{File: WardsFile, Level: "ward", CodeField: "WARD_ID", NameField: "NAME", Count: Wards},
		{File: ANCsFile, Level: "anc", CodeField: "ANC_ID", NameField: "NAME", Count: ANCs},
		{File: SMDsFile, Level: "smd", CodeField: "SMD_ID", NameField: "NAME", ParentField: "ANC_ID", Count: SMDs},
	}
}

// ReportMap maps a report's field to the column of ReportsFile that holds it. The item's name is the column "service" of
// the same row; the title is the same text.
func ReportMap() map[string]string {
	return map[string]string{
		"id":        "request_id",
		"lon":       "lon",
		"lat":       "lat",
		"at":        "created",
		"closed_at": "resolved",
		"item":      "service_code",
		"item_name": "service",
		"title":     "service",
		"address":   "street_address",
	}
}

// Files is the embedded files as published, under the names above, decompressed on the fly. It serves callers that take
// an fs.FS; sizes are unknown until read.
func Files() fs.FS { return files{} }

// Open opens one of the files, decompressed, byte for byte as published. An unknown name gives fs.ErrNotExist.
func Open(name string) (io.ReadCloser, error) {
	packed, err := data.Open("data/" + name + ".gz")
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", name, err)
	}
	return &file{Reader: unpacked, packed: packed}, nil
}

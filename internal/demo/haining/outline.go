package haining

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"gridgov/internal/crs"
)

// The published outline is rounded to 1/1024 degree (about 100 m), which folds it onto itself in 85 places and turns its
// slanted lines into stairs.
const quantum = 1.0 / 1024

// outline reads the published outline and makes a simple ring of it, counter-clockwise, not closed, in EPSG:4490 with seven
// decimals. In this order: repeated vertices go; fingers and inlets not wider than one and a half quanta go, and with them
// every fold; a stair is softened by at most half a quantum a vertex, the rounding's own error; GCJ-02 becomes EPSG:4490.
func outline() ([]orb.Point, error) {
	packed, err := data.ReadFile("data/outline.geojson.gz")
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("embedded outline: %w", err)
	}
	var file struct {
		Features []struct {
			Geometry struct {
				Coordinates [][]orb.Point `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.NewDecoder(unpacked).Decode(&file); err != nil {
		return nil, fmt.Errorf("embedded outline: %w", err)
	}
	ring := file.Features[0].Geometry.Coordinates[0]
	ring = soften(unfold(ring[:len(ring)-1]))
	out := make([]orb.Point, 0, len(ring))
	for i := len(ring) - 1; i >= 0; i-- { // published clockwise
		p := crs.FromGCJ02(ring[i])
		out = append(out, orb.Point{round7(p[0]), round7(p[1])})
	}
	return out, nil
}

// unfold drops what lies between two vertices that nearly meet again within the next 60: a repeated vertex, a spike, a
// finger or an inlet of one lattice step.
func unfold(ring []orb.Point) []orb.Point {
	var kept []orb.Point
	for _, p := range ring {
		for back := min(60, len(kept)); back >= 1; back-- {
			q := kept[len(kept)-back]
			near := math.Hypot(p[0]-q[0], p[1]-q[1])
			if near == 0 || back > 2 && near < 1.5*quantum {
				kept = kept[:len(kept)-back+1]
				break
			}
		}
		if len(kept) == 0 || kept[len(kept)-1] != p {
			kept = append(kept, p)
		}
	}
	return kept
}

// soften moves each vertex towards the middle of its neighbours, twice, and never farther than half a quantum from where
// it was published.
func soften(ring []orb.Point) []orb.Point {
	n := len(ring)
	at := append([]orb.Point(nil), ring...)
	for range 2 {
		next := make([]orb.Point, n)
		for i := range n {
			a, b, c := at[(i+n-1)%n], at[i], at[(i+1)%n]
			for axis := range 2 {
				v := a[axis]/4 + b[axis]/2 + c[axis]/4
				next[i][axis] = min(max(v, ring[i][axis]-quantum/2), ring[i][axis]+quantum/2)
			}
		}
		at = next
	}
	return at
}

func round7(v float64) float64 { return math.Round(float64(v*1e7)) / 1e7 }

// The local metres of the generator: an equirectangular plane around the city's middle. Over 52 km its scale is off by less
// than 0.3 %, which only shape and density see.
const (
	midLon, midLat   = 120.58, 30.43
	metresLonDegree  = 96066.0
	metresLatDegree  = 110859.0
	squareKilometreM = 1e6
)

func toLocal(p orb.Point) vec {
	return vec{float64((p[0] - midLon) * metresLonDegree), float64((p[1] - midLat) * metresLatDegree)}
}

func fromLocal(v vec) orb.Point {
	return orb.Point{round7(midLon + v.x/metresLonDegree), round7(midLat + v.y/metresLatDegree)}
}

package photo_test

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/photo"
)

func TestCompare(t *testing.T) {
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	here := &orb.Point{120.65, 30.525}
	north := func(m float64) *orb.Point { return &orb.Point{120.65, 30.525 + m/111_319.49} }
	for _, c := range []struct {
		facts  photo.Facts
		report *orb.Point
		metres float64 // NaN: none
		zh, en string
	}{
		{photo.Facts{Place: north(12), TakenAt: at.Add(-3 * time.Minute), Timed: photo.ByGPS}, here, 12, "距上报位置 12 米；上报前 3 分钟拍摄", "12 m from the report's point; taken 3 minutes before the report"},
		{photo.Facts{Place: here, TakenAt: at.Add(20 * time.Second), Timed: photo.ByOffset}, here, 0, "距上报位置 0 米；与上报同时拍摄", "0 m from the report's point; taken at the time of the report"},
		{photo.Facts{Place: north(2345), TakenAt: at.Add(90 * time.Minute), Timed: photo.ByZone}, here, 2345, "距上报位置 2.3 公里；上报后 2 小时拍摄（按相机时钟）", "2.3 km from the report's point; taken 2 hours after the report (by the camera's clock)"},
		{photo.Facts{Place: north(999.8), TakenAt: at.AddDate(0, 0, -3), Timed: photo.ByGPS}, here, 999.8, "距上报位置 1.0 公里；上报前 3 天拍摄", "1.0 km from the report's point; taken 3 days before the report"},
		{photo.Facts{TakenAt: at.Add(time.Minute), Timed: photo.ByGPS}, here, math.NaN(), "照片没有位置；上报后 1 分钟拍摄", "the photo has no position; taken 1 minute after the report"},
		{photo.Facts{Place: here}, nil, math.NaN(), "上报没有位置；照片没有时间", "the report has no position; the photo has no time"},
		{photo.Facts{}, nil, math.NaN(), "照片没有位置；照片没有时间", "the photo has no position; the photo has no time"},
	} {
		d := photo.Compare(&c.facts, at, c.report)
		if d.ZH != c.zh || d.EN != c.en {
			t.Errorf("%q %q, want %q %q", d.ZH, d.EN, c.zh, c.en)
		}
		if math.IsNaN(c.metres) != (d.DistanceM == nil) || d.DistanceM != nil && math.Abs(*d.DistanceM-c.metres) > 0.01*c.metres+0.1 {
			t.Errorf("%s: %v", c.en, d.DistanceM)
		}
		if c.facts.TakenAt.IsZero() != (d.Apart == nil) {
			t.Errorf("%s: %v", c.en, d.Apart)
		}
	}
}

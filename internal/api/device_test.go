package api_test

import (
	"maps"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

func TestPhoneTellsOfItself(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(1, 1)))
	worker := s.as(token)
	var ground api.Ground
	worker.do("GET", "/field/ground", nil).want(200).into(&ground)
	at := apptest.Now.Add(-time.Hour)
	phone := filing{"source": "phone", "captured_at": at.Format(time.RFC3339Nano), "accuracy_m": 8, "position_source": "gps", "device": obj{
		"position_at": at.Add(-20 * time.Minute).Format(time.RFC3339Nano), "clock_ahead_ms": -7_200_000, "plan": ground.Version, "grid": apptest.GridCode(0, 1), "sure": true}}
	sent := aReport(1, 1, phone)
	worker.do("POST", "/reports", sent).want(201)
	worker.do("POST", "/reports", sent).want(200)
	other := maps.Clone(sent)
	other["device"] = obj{"clock_ahead_ms": 0}
	worker.do("POST", "/reports", other).problem(409, "other_content", "id")
	delete(other, "device")
	worker.do("POST", "/reports", other).problem(409, "other_content", "id")

	var r api.Report
	worker.do("GET", "/reports/"+sent["id"].(string), nil).want(200).into(&r)
	if r.Device == nil || *r.Device.ClockAheadMs != -7_200_000 || *r.Device.Plan != ground.Version || !*r.Device.Sure || !r.Device.PositionAt.Equal(at.Add(-20*time.Minute)) {
		t.Fatalf("kept of the phone: %+v", r.Device)
	}
	if r.DeviceGrid == nil || r.DeviceGrid.Code != apptest.GridCode(0, 1) || r.DeviceGrid.Name != "网格01" || r.Placement.Grid.Code != apptest.GridCode(1, 1) {
		t.Errorf("the phone said %+v, the service %+v", r.DeviceGrid, r.Placement.Grid)
	}
	want := []api.ReportFlag{{Flag: "stale", Seconds: new(1200)}, {Flag: "clock_off", Seconds: new(-7200)}, {Flag: "other_grid"}}
	if !sameFlags(*r.Flags, want) {
		t.Errorf("%+v", *r.Flags)
	}

	// Without a word of a phone there is none, and no doubt of one.
	var plain api.Report
	worker.do("GET", "/reports/"+s.file(aReport(1, 1)).Id.String(), nil).want(200).into(&plain)
	if plain.Device != nil || plain.DeviceGrid != nil || plain.Flags == nil || len(*plain.Flags) > 0 {
		t.Errorf("of a report of the web: %+v, %+v", plain.Device, plain.Flags)
	}

	// Who only glimpses it is told nothing of where somebody was.
	glimpse, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(2, 1)))
	var wide, seen api.Report
	worker.do("POST", "/reports", aReport(1, 1, phone, filing{"accuracy_m": 600})).want(201).into(&wide)
	s.as(glimpse).do("GET", "/reports/"+wide.Id.String(), nil).want(200).into(&seen)
	if seen.Partly == nil || seen.Device != nil || seen.DeviceGrid != nil || seen.Flags != nil {
		t.Errorf("glimpsed: %+v, %+v, %+v", seen.Partly, seen.Device, seen.Flags)
	}

	// In the list there is neither: they are of one report.
	var page api.ReportPage
	worker.do("GET", "/reports?source=phone", nil).want(200).into(&page)
	if len(page.Reports) != 2 || page.Reports[0].Device != nil || page.Reports[0].Flags != nil {
		t.Errorf("in the list: %+v", page.Reports)
	}

	for name, c := range map[string]struct {
		device      obj
		code, field string
	}{
		"an unknown field":     {obj{"clock_ahead_ms": 0, "battery": 20}, "unknown_field", "device.battery"},
		"a clock of no use":    {obj{"clock_ahead_ms": 4_000_000_000_000}, "out_of_range", "device.clock_ahead_ms"},
		"a grid of no plan":    {obj{"clock_ahead_ms": 0, "grid": "1"}, "required", "device.plan"},
		"measured in two days": {obj{"clock_ahead_ms": 0, "position_at": apptest.Now.Add(49 * time.Hour).Format(time.RFC3339)}, "out_of_range", "device.position_at"},
		"NUL":                  {obj{"clock_ahead_ms": 0, "plan": "1\x00"}, "control_character", "device.plan"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := aReport(1, 1, phone, filing{"device": c.device})
			s := *worker
			s.t = t
			s.do("POST", "/reports", bad).problem(400, c.code, c.field)
		})
	}
}

func sameFlags(a, b []api.ReportFlag) bool {
	same := func(x, y *int) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Flag != b[i].Flag || !same(a[i].Seconds, b[i].Seconds) {
			return false
		}
	}
	return true
}

// What is late, far or of another plan is kept and told, and nothing of it refused.
func TestWhatAPhoneTellsLateOrFromAfar(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(1, 1)))
	worker := s.as(token)
	flags := func(r api.Report) (list []string) {
		s.do("GET", "/reports/"+r.Id.String(), nil).want(200).into(&r)
		for _, f := range *r.Flags {
			list = append(list, string(f.Flag))
		}
		return list
	}
	tell := func(more ...filing) (r api.Report) {
		worker.do("POST", "/reports", aReport(1, 1, append([]filing{{"source": "phone", "accuracy_m": 8, "position_source": "gps"}}, more...)...)).want(201).into(&r)
		return r
	}
	old := tell(filing{"captured_at": apptest.Now.AddDate(0, 0, -31).Format(time.RFC3339)})
	if got := flags(old); len(got) != 1 || got[0] != "late" || old.Placement.Grid.Code != apptest.GridCode(1, 1) {
		t.Errorf("after 31 days: %v in %+v", got, old.Placement.Grid)
	}
	far := tell(filing{"lon": 117.5, "captured_at": apptest.Now.Add(-time.Hour).Format(time.RFC3339)})
	if got := flags(far); len(got) != 1 || got[0] != "far" || far.Placement.Method != "unplaced" || far.Placement.Grid != nil {
		t.Errorf("300 km away: %v, %+v", got, far.Placement)
	}
	var seen api.Report
	s.do("GET", "/reports/"+far.Id.String(), nil).want(200).into(&seen)
	if seen.Case == nil || seen.Case.Unit.Name == "" {
		t.Errorf("the desk has it not: %+v", seen.Case)
	}

	// The phone placed it under the plan it held; meanwhile another came into force, and it is the service's that counts.
	var ground api.Ground
	worker.do("GET", "/field/ground", nil).want(200).into(&ground)
	apptest.Publish(t, s.live.City, "next", 0.9*apptest.Step, apptest.Now)
	moved := tell(filing{"captured_at": apptest.Now.Add(-30 * time.Minute).Format(time.RFC3339), "device": obj{"clock_ahead_ms": 0, "plan": ground.Version, "grid": apptest.GridCode(1, 1), "sure": true}})
	s.do("GET", "/reports/"+moved.Id.String(), nil).want(200).into(&seen)
	if seen.Placement.Plan != "next" || *seen.Device.Plan != ground.Version || *seen.DevicePlan != "first" || seen.DeviceGrid.Code == seen.Placement.Grid.Code || len(*seen.Flags) == 0 || (*seen.Flags)[len(*seen.Flags)-1].Flag != "other_grid" {
		t.Errorf("of two plans: %+v by %s, the phone %+v by %s, %+v", seen.Placement.Grid, seen.Placement.Plan, seen.DeviceGrid, *seen.Device.Plan, *seen.Flags)
	}
}

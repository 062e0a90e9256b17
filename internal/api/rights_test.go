package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb/encoding/mvt"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

var update = flag.Bool("update", false, "write docs/rights.md")

// docs/rights.md is the table of rights and the table of routes, as they are.
func TestRightsArePrinted(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprint(&b, "# Rights\n\nWritten by `go test ./internal/api -run TestRightsArePrinted -update` from the tables in the code; do not edit.\n\n")
	policy.Write(&b)
	fmt.Fprint(&b, "\n## Routes\n\nUnder `/{city}/v1`. `TestMatrix` asks each as each role, inside and outside of its territory.\n\n| route | action |\n|---|---|\n")
	for _, r := range api.RouteTable() {
		fmt.Fprintf(&b, "| `%s %s` | `%s` |\n", r.Method, r.Path, r.Action)
	}
	const path = "../../docs/rights.md"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is another than the tables: run this test with -update", path)
	}
}

// asker is somebody who asks every route.
type asker struct {
	name   string
	actor  policy.Actor
	signed *site
}

// told is a report of the matrix, with a word in it that no other has.
type told struct {
	rep     report.Report
	subject policy.Subject
	canary  string
	photo   string // of it; somebody else's
	voice   string // likewise
}

// hired is somebody who works in a grid, whose every word no other has.
type hired struct {
	id          uuid.UUID
	at          policy.Subject
	name, phone string
	own         []string // what those alone are told who edit people
}

// matrix is a city with a report in every grid, one that may lie in several, one that lies nowhere, and somebody of each
// role.
type matrix struct {
	*site
	told   []told
	hired  []hired
	askers []asker
	unused string // a photo that nothing uses, somebody else's
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{site: newSite(t)}
	city := m.live.City
	if err := city.Auth.SetSettings(t.Context(), auth.Settings{ResidentReports: true}); err != nil {
		t.Fatal(err)
	}
	unit := func(kind policy.UnitKind, area policy.Area) policy.UnitID { return apptest.Unit(t, city, kind, area) }
	in := func(role policy.Role, kind policy.UnitKind, area policy.Area) policy.Post {
		p := apptest.Post(role, policy.Area{})
		if p.Unit = unit(kind, area); kind.HasTerritory() {
			p.Area = area
		}
		return p
	}
	grid, village, town, all := apptest.GridArea(0, 0), apptest.VillageArea(0, 0), apptest.TownArea, apptest.CityArea
	m.ask("visitor")
	m.ask("somebody without a post", nil...)
	for _, role := range policy.Roles {
		switch role {
		case policy.GridLeader, policy.GridWorker, policy.Volunteer, policy.ProBonoLawyer, policy.Mediator, policy.Sensor:
			m.ask(string(role)+" of a grid", apptest.Post(role, grid))
		case policy.MicrogridLeader:
			m.ask(string(role), apptest.Post(role, policy.Area{Level: policy.Microgrid, Code: grid.Code + "01"}))
		case policy.VillageSecretary, policy.StationedOfficer:
			m.ask(string(role), apptest.Post(role, village))
		case policy.TownLeader:
			m.ask(string(role), apptest.Post(role, town))
		case policy.Auxiliary, policy.Officer, policy.UnitMember, policy.UnitHead, policy.DutyLeader:
			m.ask(string(role)+" of the town's team", in(role, policy.TownTeam, town))
			m.ask(string(role)+" of a department", in(role, policy.LineDepartment, all))
		case policy.Desk, policy.CentreHead:
			m.ask(string(role)+" of the city", in(role, policy.CommandCenter, all))
			m.ask(string(role)+" of the town", in(role, policy.CommandCenter, town))
		case policy.Committee:
			m.ask(string(role)+" of the town", in(role, policy.EnforcementCommittee, town))
		case policy.Planner, policy.Administrator, policy.Resident, policy.Hotline, policy.Machine:
			m.ask(string(role), apptest.Post(role, all))
		default:
			t.Fatalf("nobody of role %s asks", role)
		}
	}
	ended, coming := apptest.Post(policy.GridWorker, grid), apptest.Post(policy.GridWorker, grid)
	midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, m.live.Zone)
	ended.From, ended.Until = midnight.AddDate(0, -1, 0), midnight
	coming.From = midnight.AddDate(0, 0, 1)
	m.ask("grid_worker whose post has ended", ended)
	m.ask("grid_worker whose post is to come", coming)
	two := apptest.Post(policy.VillageSecretary, apptest.VillageArea(1, 1))
	m.ask("grid_worker of one village, secretary of another", apptest.Post(policy.GridWorker, grid), two)

	// Of what lies in one grid a department leads the case and another supports: they see it, wherever it lies.
	var departments []assign.Party
	for i := range m.askers {
		if r := m.askers[i].actor.Reach(policy.ReportView, apptest.Now); len(r.Areas) == 0 && len(r.Units) == 1 && !r.City {
			departments = append(departments, assign.Party{Unit: r.Units[0]})
		}
	}
	far := apptest.GridArea(3, 3)
	apptest.Rules(t, city, assign.Rule{Areas: []assign.Area{{Level: far.Level, Code: far.Code}}, Lead: departments[0], Support: departments[1:3], Dispatch: true})

	m.tell(0, 0, nil)
	for y := range apptest.Side {
		for x := range apptest.Side {
			m.tell(x, y, nil)
		}
	}
	m.tell(0, 0, filing{"lon": apptest.West + apptest.Step*1.02, "accuracy_m": 60}) // beside the first grid, maybe in it
	m.tell(0, 0, filing{"lon": nil, "lat": nil, "address": "某处 nowhere"})
	m.tell(0, 0, filing{"lon": apptest.West - 0.2})
	m.settle()
	for i, x := range []int{0, 1, 3} {
		m.hire(i, x, x)
	}
	token, person := apptest.SignIn(t, city, apptest.Post(policy.GridWorker, grid))
	for i := range m.told {
		m.told[i].photo = m.as(token).uploaded(aPhoto(t, 100+i))
		m.attach(person, m.told[i].photo, photo.Use{Report: m.told[i].rep.Num})
	}
	for i := range m.told {
		id := apptest.Voice(m.t, m.live.City, person)
		m.told[i].voice = id.String()
		m.attachVoice(person, id, m.told[i].rep.Num)
	}
	m.unused = m.as(token).uploaded(aPhoto(t, 99))
	return m
}

// hire gives a person of a grid an account.
func (m *matrix) hire(i, x, y int) {
	m.t.Helper()
	h := hired{name: fmt.Sprintf("hand%03d", i), phone: fmt.Sprintf("1397777%04d", i),
		own: []string{fmt.Sprintf("box%03d@example.org", i), fmt.Sprintf("login%03d", i)},
		at:  policy.Subject{Cell: policy.Cell{Town: apptest.TownArea.Code, Village: apptest.VillageCode(x/2, y/2), Grid: apptest.GridCode(x, y)}}}
	p, err := m.live.People.Create(m.t.Context(), person.New{Name: h.name, Phone: h.phone, Email: h.own[0]})
	if err == nil {
		_, err = m.live.People.CreatePost(m.t.Context(), person.Post{Person: p.ID, Role: policy.GridWorker, Area: apptest.GridArea(x, y), Begins: "2026-01-01"})
	}
	if err == nil {
		_, err = m.live.Auth.CreateAccount(m.t.Context(), auth.NewAccount{Person: p.ID, Login: h.own[1]})
	}
	if err != nil {
		m.t.Fatal(err)
	}
	h.id = p.ID
	m.hired = append(m.hired, h)
}

// photos holds each report's photo, in all sizes, against what the reaches cover.
func (m *matrix) photos(t *testing.T, a *asker) {
	t.Helper()
	view, original := a.actor.Reach(policy.PhotoView, apptest.Now), a.actor.Reach(policy.PhotoOriginal, apptest.Now)
	s := *a.signed
	s.t = t
	for i := range m.told {
		r := &m.told[i]
		for _, size := range []string{"", "/thumbnail", "/large", "/original"} {
			want := http.StatusOK
			switch {
			case view.Empty() && a.actor.Person == uuid.Nil:
				want = http.StatusUnauthorized
			case view.Empty():
				want = http.StatusForbidden
			case view.Covers(&r.subject) != policy.Whole:
				want = http.StatusNotFound
			case size == "/original" && original.Covers(&r.subject) != policy.Whole:
				want = http.StatusForbidden
			}
			got := s.do("GET", "/photos/"+r.photo+size, nil)
			if got.status != want || want != http.StatusOK && bytes.Contains(got.body, []byte(r.photo)) {
				t.Errorf("photo%s of %s: status %d, want %d", size, r.canary, got.status, want)
			}
			if size == "" && want == http.StatusOK && bytes.Contains(got.body, []byte(`"original"`)) != (original.Covers(&r.subject) == policy.Whole) {
				t.Errorf("photo of %s: %s", r.canary, got.body)
			}
		}
		// A voice note is heard by who sees the photos, and told of to nobody else. Its file is not here, which only they are told.
		want := http.StatusOK
		switch {
		case view.Empty() && a.actor.Person == uuid.Nil:
			want = http.StatusUnauthorized
		case view.Empty():
			want = http.StatusForbidden
		case view.Covers(&r.subject) != policy.Whole:
			want = http.StatusNotFound
		}
		if got := s.do("GET", "/voices/"+r.voice, nil); got.status != want {
			t.Errorf("voice note of %s: status %d, want %d", r.canary, got.status, want)
		}
		if got := s.do("GET", "/voices/"+r.voice+"/sound", nil); got.status < 400 || want != http.StatusOK && got.status != want {
			t.Errorf("sound of %s: status %d, want %d", r.canary, got.status, want)
		}
		for _, path := range []string{"/reports/" + num(int(r.rep.Num)), "/reports?id=" + num(int(r.rep.Num))} {
			if got := s.do("GET", path, nil); bytes.Contains(got.body, []byte(r.voice)) != (want == http.StatusOK) {
				t.Errorf("%s tells of the voice note, or does not: %s", path, got.body)
			}
		}
		if got := s.tus("HEAD", "/uploads/"+r.photo, nil); got.status < 400 {
			t.Errorf("another's upload is shown: %d", got.status)
		}
	}
	if got := s.do("GET", "/photos/"+m.unused+"/large", nil); got.status < 400 {
		t.Errorf("another's photo that nothing uses is shown: %d", got.status)
	}
}

// people holds the list of people, and each of them, against what the reach covers.
func (m *matrix) people(t *testing.T, a *asker) {
	t.Helper()
	reach := a.actor.Reach(policy.PersonView, apptest.Now)
	if reach.Empty() {
		return
	}
	s := *a.signed
	s.t = t
	list := s.do("GET", "/people?limit=200", nil).want(http.StatusOK)
	m.quiet(t, a, "the list of people", list.body)
	for i := range m.hired {
		h := &m.hired[i]
		covered := reach.Covers(&h.at) == policy.Whole
		want := http.StatusNotFound
		if covered {
			want = http.StatusOK
		}
		one := s.do("GET", "/people/"+h.id.String(), nil)
		m.quiet(t, a, "GET /people/{id}", one.body)
		if one.status != want || bytes.Contains(list.body, []byte(h.name)) != covered {
			t.Errorf("%s: status %d, covered: %v: %.200s", h.name, one.status, covered, one.body)
		}
		found := s.do("GET", "/people?search="+h.own[1], nil).want(http.StatusOK)
		m.quiet(t, a, "a search for a login", found.body)
		if edits := a.actor.Reach(policy.PersonEdit, apptest.Now); bytes.Contains(found.body, []byte(h.name)) == edits.Empty() {
			t.Errorf("%s finds %s by the login: %s", a.name, h.name, found.body)
		}
	}
}

// quiet looks for the words of people whom the reach does not cover, and for what only those are told who edit people.
func (m *matrix) quiet(t *testing.T, a *asker, what string, body []byte) {
	t.Helper()
	reach, edits := a.actor.Reach(policy.PersonView, apptest.Now), a.actor.Reach(policy.PersonEdit, apptest.Now)
	for i := range m.hired {
		h := &m.hired[i]
		var words []string
		if reach.Covers(&h.at) != policy.Whole {
			words = append(words, h.name, h.phone)
		}
		if edits.Empty() {
			words = append(words, h.own...)
		}
		for _, word := range words {
			if bytes.Contains(body, []byte(word)) {
				t.Errorf("%s tells %s %s", what, a.name, word)
			}
		}
	}
}

func (m *matrix) ask(name string, posts ...policy.Post) {
	a := asker{name: name, signed: m.as(""), actor: policy.Actor{Told: true}}
	if name != "visitor" {
		a.actor.Posts = posts
		a.signed.token, a.actor.Person = apptest.SignIn(m.t, m.live.City, posts...)
	}
	m.askers = append(m.askers, a)
}

// tell has a report filed by somebody else, whose every free word is a canary.
func (m *matrix) tell(x, y int, more filing) {
	m.t.Helper()
	canary := fmt.Sprintf("canary%03d", len(m.told))
	f := aReport(x, y, filing{"title": "title " + canary, "text": "text " + canary, "external_id": canary}, more)
	if a, ok := f["address"].(string); ok {
		f["address"] = a + " " + canary
	}
	filed := m.file(f)
	rep, err := m.live.Reports.Get(m.t.Context(), report.Num(filed.Num))
	if err != nil {
		m.t.Fatal(err)
	}
	m.told = append(m.told, told{rep: rep, subject: apptest.Subject(m.t, m.live.City, &rep), canary: canary})
}

// Every route as every role, inside of the territory and outside, against the table: who may not is told to sign in, or
// that it is not allowed; what lies outside is not found; and no byte of any answer holds a word of a report that the
// person may not see.
func TestMatrix(t *testing.T) {
	m := newMatrix(t)
	m.rolesApart(t)
	for _, a := range m.askers {
		view := a.actor.Reach(policy.ReportView, apptest.Now)
		hidden, whole := 0, 0
		for i := range m.told {
			switch view.Covers(&m.told[i].subject) {
			case policy.Hidden:
				hidden++
			case policy.Whole:
				whole++
			case policy.Glimpse:
			}
		}
		t.Run(a.name, func(t *testing.T) {
			for _, r := range api.RouteTable() {
				m.try(t, &a, &view, r)
			}
			m.tiles(t, &a, &view)
			m.lists(t, &a, &view)
			m.hotspots(t, &a, &view)
			m.queue(t, &a, &view)
			m.people(t, &a)
			m.photos(t, &a)
		})
		t.Logf("%s: %d reports whole, %d hidden", a.name, whole, hidden)
	}
}

// bodies are what the routes that change something are sent.
func bodies(route string) any {
	switch route {
	case "POST /reports":
		return aReport(0, 0)
	case "POST /reports/batch":
		return map[string]any{"reports": []any{aReport(0, 0)}}
	case "PUT /reports/{id}/position":
		return map[string]any{"lon": 999, "lat": 0} // it is to stay where it is
	}
	return map[string]any{}
}

// refused tells whether the answer says that who asks may not.
func (a answer) refused() bool {
	var p api.Problem
	if a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
		return false
	}
	if len(a.body) == 0 { // HEAD
		return true
	}
	a.into(&p)
	return p.Code == "sign_in" || p.Code == "not_allowed"
}

func (m *matrix) try(t *testing.T, a *asker, view *policy.Reach, r api.Route) {
	t.Helper()
	route := r.Method + " " + r.Path
	reach := a.actor.Reach(r.Action, apptest.Now)
	if r.Unending && !reach.Empty() || route == "DELETE /session" {
		return // the stream has a test of its own, and who signs out asks no more
	}
	s := *a.signed
	s.t = t
	paths := []string{r.Path}
	if strings.Contains(r.Path, "{id}") && strings.HasPrefix(r.Path, "/reports") {
		paths = nil
		for i := range m.told {
			paths = append(paths, strings.Replace(r.Path, "{id}", fmt.Sprint(m.told[i].rep.Num), 1),
				strings.Replace(r.Path, "{id}", m.told[i].rep.ID.String(), 1))
		}
	}
	if strings.Contains(r.Path, "{case}") {
		paths = nil
		for i := range m.told {
			path := strings.Replace(r.Path, "{case}", fmt.Sprint(m.told[i].rep.Num), 1)
			paths = append(paths, path, path)
		}
	}
	for k, path := range paths {
		path = strings.NewReplacer("{level}", "grid", "{code}", apptest.GridCode(3, 3), "{kind}", "catalogue", "{layer}", "heat", "{size}", "large", "{month}", "2026-10", "{z}", "8", "{x}", "213", "{y}", "105",
			"{id}", uuid.NewString(), "{run}", "1").Replace(path)
		switch r.Path {
		case "/locate":
			path += "?lon=120.605&lat=30.505"
		case "/search":
			path += "?q=canary"
		}
		var body any
		if r.Method != http.MethodGet && r.Method != http.MethodDelete {
			body = bodies(route)
		}
		got := s.do(r.Method, path, body)
		m.silent(t, a, view, route, got.body)
		if reach.Empty() {
			want := http.StatusForbidden
			if a.actor.Person == uuid.Nil {
				want = http.StatusUnauthorized
			}
			if got.status != want || !got.refused() {
				t.Errorf("%s: status %d, want a refusal with %d: %.200s", route, got.status, want, got.body)
			}
			continue
		}
		if len(paths) == 1 {
			if got.refused() || got.status >= 500 && got.status != http.StatusServiceUnavailable {
				t.Errorf("%s is allowed and answered %d %.200s", route, got.status, got.body)
			}
			continue
		}
		s := &m.told[k/2].subject
		want := http.StatusOK
		if r.Method != http.MethodGet { // what is sent is wrong on purpose
			want = http.StatusBadRequest
		}
		switch {
		case view.Covers(s) == policy.Hidden:
			want = http.StatusNotFound
		case reach.Covers(s) != policy.Whole && r.Action != policy.ReportView:
			want = http.StatusForbidden
		}
		if got.status != want {
			t.Errorf("%s %s: status %d, want %d: %.200s", route, m.told[k/2].canary, got.status, want, got.body)
		}
	}
}

// silent looks for the words and ids of reports that are hidden from the person, and for the words of those that only may
// lie in the territory.
func (m *matrix) silent(t *testing.T, a *asker, view *policy.Reach, what string, body []byte) {
	t.Helper()
	m.quiet(t, a, what, body)
	for i := range m.told {
		sight := view.Covers(&m.told[i].subject)
		if sight != policy.Whole && bytes.Contains(body, []byte(m.told[i].canary)) {
			t.Errorf("%s tells %s of report %s, of which sight is %d", what, a.name, m.told[i].canary, sight)
		}
		if sight == policy.Hidden && bytes.Contains(body, []byte(m.told[i].rep.ID.String())) {
			t.Errorf("%s tells %s the id of report %s", what, a.name, m.told[i].canary)
		}
	}
}

// tiles holds counts, heat and drawn reports against what the reach covers, area by area.
func (m *matrix) tiles(t *testing.T, a *asker, view *policy.Reach) {
	t.Helper()
	if view.Empty() {
		return
	}
	s := *a.signed
	s.t = t
	m.settle()
	areas := policy.Reach{City: view.City, Areas: view.Areas, Units: view.Units} // what a person filed is not drawn
	want := map[uint64]bool{}
	for i := range m.told {
		if r := &m.told[i]; r.rep.Lon != nil && areas.Covers(&r.subject) != policy.Hidden {
			want[uint64(r.rep.Num)] = true
		}
	}
	var counts api.Counts
	s.do("GET", "/counts", nil).want(http.StatusOK).into(&counts)
	others := m.others(t, &areas)
	if counts.Total != len(want)+others || counts.All != counts.Total {
		t.Errorf("counts tell of %d reports, want %d and %d that were filed meanwhile", counts.Total, len(want), others)
	}
	histogram := 0
	for _, n := range counts.Histogram.Counts {
		histogram += n
	}
	if histogram != counts.Total {
		t.Errorf("the histogram holds %d of %d", histogram, counts.Total)
	}
	heat := s.do("GET", "/tiles/heat/0/0/0", nil)
	if heat.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("a cut tile may be kept: %q", heat.header.Get("Cache-Control"))
	}
	if heat.status == http.StatusOK {
		if n := counted(t, heat.body); n != counts.Total {
			t.Errorf("the heat shows %d of %d", n, counts.Total)
		}
	} else if counts.Total != 0 {
		t.Errorf("the heat is empty, %d are counted", counts.Total)
	}
	bytesOf := 0
	for _, layer := range []string{"reports", "cases"} {
		bytesOf += m.drawn(t, &s, layer, want)
	}
	if bytesOf == 0 && len(want) > 0 {
		t.Error("no tile holds a byte")
	}
}

// drawn holds the tiles of a layer around what was told against what is to be drawn, and returns how many bytes they have.
func (m *matrix) drawn(t *testing.T, s *site, layer string, want map[uint64]bool) (bytesOf int) {
	t.Helper()
	drawn := map[uint64]bool{}
	seen := map[string]bool{}
	for i := range m.told {
		if m.told[i].rep.Lon == nil {
			continue
		}
		path := tilePath(layer, *m.told[i].rep.Lon, *m.told[i].rep.Lat, 14)
		if seen[path] {
			continue
		}
		seen[path] = true
		tile := s.do("GET", path, nil)
		if bytesOf += len(tile.body); tile.status != http.StatusOK {
			continue
		}
		layers, err := mvt.Unmarshal(tile.body)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range layers[0].Features {
			drawn[uint64(f.ID.(float64))] = true
		}
	}
	for i := range m.told {
		if n := uint64(m.told[i].rep.Num); drawn[n] != want[n] {
			t.Errorf("layer %s: report %s is drawn: %v, covered: %v", layer, m.told[i].canary, drawn[n], want[n])
		}
	}
	return bytesOf
}

// others counts the reports with a point that the matrix itself has filed as it went, and that the areas cover.
func (m *matrix) others(t *testing.T, areas *policy.Reach) (n int) {
	t.Helper()
	m.settle()
	known := map[report.Num]bool{}
	for i := range m.told {
		known[m.told[i].rep.Num] = true
	}
	all := m.all(t)
	for i := range all {
		if s := apptest.Subject(t, m.live.City, &all[i]); !known[all[i].Num] && all[i].Lon != nil && areas.Covers(&s) != policy.Hidden {
			n++
		}
	}
	return n
}

// all are the city's reports.
func (m *matrix) all(t *testing.T) []report.Report {
	t.Helper()
	page, err := m.live.Reports.List(t.Context(), report.Query{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Reports
}

// lists holds the list, by pages, with and without filters, against what the reach covers.
func (m *matrix) lists(t *testing.T, a *asker, view *policy.Reach) {
	t.Helper()
	if view.Empty() {
		return
	}
	s := *a.signed
	s.t = t
	for _, filter := range []string{"", "&item=01", "&village=" + apptest.VillageCode(1, 1), "&grid=" + apptest.GridCode(0, 0), "&method=unplaced", "&bbox=120,30,121,31",
		"&settled_by=none", "&colour=red,amber,green,none", "&q=title", "&q=report"} {
		got := map[int]api.Report{}
		for after, more := "", true; more; more = after != "" {
			var page api.ReportPage
			answer := s.do("GET", "/reports?limit=7"+filter+"&after="+after, nil).want(http.StatusOK)
			answer.into(&page)
			m.silent(t, a, view, "the list "+filter, answer.body)
			for _, r := range page.Reports {
				got[r.Num] = r
			}
			if after = ""; page.Next != nil {
				after = *page.Next
			}
		}
		for i := range m.told {
			r := &m.told[i]
			sight := view.Covers(&r.subject)
			want := sight != policy.Hidden
			switch {
			case strings.HasPrefix(filter, "&village="):
				want = want && r.rep.Placement.Village == apptest.VillageCode(1, 1)
			case strings.HasPrefix(filter, "&grid="):
				want = want && r.rep.Placement.Grid == apptest.GridCode(0, 0)
			case strings.HasPrefix(filter, "&method="):
				want = want && r.rep.Placement.Grid == ""
			case strings.HasPrefix(filter, "&bbox="):
				want = want && r.rep.Lon != nil && *r.rep.Lon > 120 && *r.rep.Lon < 121
			case filter == "&q=title":
				want = sight == policy.Whole
			case filter == "&q=report":
				want = false // in no word of any
			}
			shown, ok := got[int(r.rep.Num)]
			if ok != want {
				t.Errorf("list %s: report %s is there: %v, covered: %v", filter, r.canary, ok, want)
			}
			if ok && (shown.Partly != nil) != (sight == policy.Glimpse) {
				t.Errorf("list %s: report %s is partly shown: %v, sight %d", filter, r.canary, shown.Partly, sight)
			}
		}
	}
	for i := range m.told {
		r := &m.told[i]
		sight := view.Covers(&r.subject)
		for path, want := range map[string]bool{"/reports?q=" + r.canary: sight == policy.Whole, "/reports?q=canary*%20" + r.canary[:8] + "*": sight == policy.Whole,
			fmt.Sprintf("/reports?q=%d", r.rep.Num): sight != policy.Hidden, "/cases?q=" + r.canary: sight == policy.Whole, fmt.Sprintf("/cases?q=%d", r.rep.Num): sight != policy.Hidden} {
			answer := s.do("GET", path, nil).want(http.StatusOK)
			m.silent(t, a, view, path, answer.body)
			if found := bytes.Contains(answer.body, fmt.Appendf(nil, `"num":%d,`, r.rep.Num)); found != want {
				t.Errorf("%s finds report %s: %v, sight %d: %.300s", path, r.canary, found, sight, answer.body)
			}
		}
	}
}

// queue holds the queue of cases, by pages, against what the reach covers; and that it comes in order.
func (m *matrix) queue(t *testing.T, a *asker, view *policy.Reach) {
	t.Helper()
	if view.Empty() {
		return
	}
	s := *a.signed
	s.t = t
	for _, filter := range []string{"", "&state=reported,dispatched", "&item=01", "&item=99", "&mine=true", "&due_before=2026-11-24T09:00:00Z",
		"&settled_by=none", "&settled_by=committee", "&team=99999", "&aspect=nothing"} {
		got := map[int]api.CaseRow{}
		last := api.CaseRow{}
		for after, more := "", true; more; more = after != "" {
			var page api.CasePage
			answer := s.do("GET", "/cases?limit=7"+filter+"&after="+after, nil).want(http.StatusOK)
			answer.into(&page)
			m.silent(t, a, view, "the queue "+filter, answer.body)
			for _, r := range page.Cases {
				if _, twice := got[r.Num]; twice {
					t.Errorf("queue %s: %d comes twice", filter, r.Num)
				}
				if last.Num != 0 && (last.DueAt == nil && r.DueAt != nil || last.DueAt != nil && r.DueAt != nil && r.DueAt.Before(*last.DueAt)) {
					t.Errorf("queue %s: %v comes after %v", filter, r, last)
				}
				got[r.Num], last = r, r
			}
			if after = ""; page.Next != nil {
				after = *page.Next
			}
		}
		for i := range m.told {
			r := &m.told[i]
			sight := view.Covers(&r.subject)
			shown, ok := got[int(r.rep.Num)]
			want := sight != policy.Hidden
			switch {
			case slices.Contains([]string{"&item=99", "&settled_by=committee", "&team=99999", "&aspect=nothing"}, filter):
				want = false
			case filter == "&mine=true":
				want = want && slices.ContainsFunc(a.actor.Posts, func(p policy.Post) bool { return p.Unit != 0 && slices.Contains(r.subject.Units, p.Unit) })
			case strings.HasPrefix(filter, "&due_before"):
				want = ok && want // the clocks are the other tests' matter
			}
			if ok != want {
				t.Errorf("queue %s: case %s is there: %v, covered: %v", filter, r.canary, ok, want)
			}
			if ok && (shown.Partly != nil) != (sight == policy.Glimpse) {
				t.Errorf("queue %s: case %s is partly shown: %v, sight %d", filter, r.canary, shown.Partly, sight)
			}
		}
	}
}

// rolesApart: each kind of role sees another part of the city, else the matrix would tell little.
func (m *matrix) rolesApart(t *testing.T) {
	t.Helper()
	seen := map[string][]string{}
	for _, a := range m.askers {
		view := a.actor.Reach(policy.ReportView, apptest.Now)
		var sights []byte
		for i := range m.told {
			sights = append(sights, '0'+byte(view.Covers(&m.told[i].subject)))
		}
		seen[string(sights)] = append(seen[string(sights)], a.name)
	}
	// Nothing; a grid; a village; a grid and a village; what a unit leads or supports; the town, which is all that lies somewhere; everything.
	if len(seen) != 7 {
		t.Errorf("%d kinds of territory: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
	for sights, names := range seen {
		b, _ := json.Marshal(names)
		t.Logf("%s %s", sights, b)
	}
}

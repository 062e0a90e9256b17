package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/beidou"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/photo"
	"gridgov/internal/placement"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/strictjson"
)

// Limits of request bodies in bytes.
const (
	maxReport = 64 << 10
	maxBatch  = 4 << 20
	maxRows   = 500
)

func decode(r *http.Request, limit int64, v any) error {
	if t := r.Header.Get("Content-Type"); t != "" {
		mediaType, words, err := mime.ParseMediaType(t)
		if charset := words["charset"]; err != nil || mediaType != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
			return fault.Unsupported("Content-Type", "not_json", "is %.60q; send application/json in UTF-8", t)
		}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.Unsupported("Content-Encoding", "encoded", "is %.60q; send the body as it is", coding)
	}
	defer func() { _, _ = io.CopyN(io.Discard, r.Body, 64<<10) }() // lets the connection be used again
	if err := strictjson.Decode(r.Body, limit, v); err != nil {
		return err
	}
	return nil
}

func (a *api) fileReport(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NewReport
	if err := decode(r, maxReport, &in); err != nil {
		return err
	}
	n, err := c.newReport(in)
	if err != nil {
		return err
	}
	f := c.Reports.FileOne(r.Context(), n)
	rep, err := f.Kept, f.Err
	if err == nil && f.Existed {
		var there report.Report
		there, err = c.Reports.Get(r.Context(), f.Num)
		rep = &there
	}
	if err != nil {
		return err
	}
	out, err := c.filed(r.Context(), rep, f.Existed)
	if err != nil {
		return err
	}
	if err := c.tellVoices(r.Context(), []report.Report{*rep}, []*Report{&out}); err != nil {
		return err
	}
	status := http.StatusCreated
	if f.Existed {
		status = http.StatusOK
	} else {
		w.Header().Set("Location", fmt.Sprintf("/%s/v1/reports/%s", c.Code, rep.ID))
	}
	return writeJSON(w, status, out)
}

// filed shows a report to who filed it. One that somebody else had filed before, with the same id and content, is shown
// to those who may see it; to others it is no more than an id that is taken.
func (c *call) filed(ctx context.Context, rep *report.Report, existed bool) (Report, error) {
	mine := rep.FiledBy != nil && *rep.FiledBy == c.who.Person
	if !existed || mine {
		return reportOf(c.Live, rep), nil
	}
	view := c.may(policy.ReportView)
	s, err := c.subject(ctx, rep, &view)
	if err != nil {
		return Report{}, err
	}
	if view.Covers(&s) != policy.Whole {
		f := fault.Conflict("id_taken", "this id is another report's: make a UUIDv7 for each report")
		f.Field = "id"
		return Report{}, f
	}
	return reportOf(c.Live, rep), nil
}

func (a *api) fileReports(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in struct { // of values, as each is read by itself
		Reports []jsontext.Value `json:"reports"`
	}
	if err := decode(r, maxBatch, &in); err != nil {
		return err
	}
	if len(in.Reports) == 0 || len(in.Reports) > maxRows {
		return fault.Invalid("reports", "out_of_range", "holds %d reports; send 1 to %d", len(in.Reports), maxRows)
	}
	results := make([]report.Filed, len(in.Reports))
	var good []report.New
	var places []int // in results, of the good ones
	for i, value := range in.Reports {
		var one NewReport
		if err := strictjson.Decode(bytes.NewReader(value), maxReport, &one); err != nil {
			results[i].Err = err
			continue
		}
		n, err := c.newReport(one)
		if err != nil {
			results[i].Err = err
			continue
		}
		good, places = append(good, n), append(places, i)
	}
	for k, f := range c.Reports.FileAll(r.Context(), good) {
		results[places[k]] = f
	}
	if err := r.Context().Err(); err != nil {
		return err
	}
	var there []report.Num
	for _, f := range results {
		if f.Err == nil && f.Existed {
			there = append(there, f.Num)
		}
	}
	before := map[report.Num]*report.Report{}
	if len(there) > 0 {
		page, err := c.Reports.List(r.Context(), report.Query{Nums: there, Limit: len(there)})
		if err != nil {
			return err
		}
		for i := range page.Reports {
			before[page.Reports[i].Num] = &page.Reports[i]
		}
	}
	out := struct {
		Results []BatchResult `json:"results"`
	}{make([]BatchResult, len(results))}
	for i, o := range results {
		var one Report
		if o.Err == nil {
			rep := o.Kept
			if o.Existed {
				rep = before[o.Num]
			}
			one, o.Err = c.filed(r.Context(), rep, o.Existed)
		}
		if o.Err != nil {
			p := problemOf(o.Err, "")
			out.Results[i] = BatchResult{Status: BatchResultStatus(p.Status), Problem: &p}
			if p.Status == http.StatusInternalServerError {
				return o.Err
			}
			continue
		}
		status := http.StatusCreated
		if o.Existed {
			status = http.StatusOK
		}
		out.Results[i] = BatchResult{Status: BatchResultStatus(status), Report: &one}
	}
	return writeJSON(w, http.StatusOK, out)
}

// newReport reads a report that who asks files. Its source has to be one that their posts tell from.
func (c *call) newReport(in NewReport) (report.New, error) {
	id, err := report.ParseID(in.Id)
	if err != nil {
		return report.New{}, err
	}
	if source := string(in.Source); report.Source(source).Number() >= 0 && !slices.Contains(c.actor.Sources(c.at), source) {
		return report.New{}, &fault.Error{Kind: fault.KindForbidden, Code: "source_not_allowed", Field: "source",
			Message: fmt.Sprintf("your posts file no reports of source %s; they file %s", source, strings.Join(c.actor.Sources(c.at), ", "))}
	}
	n := report.New{FiledBy: &c.who.Person, ID: id, Source: report.Source(in.Source), CapturedAt: in.CapturedAt, X: in.Lon, Y: in.Lat,
		AccuracyM: in.AccuracyM, Item: strings.TrimSpace(in.Item)}
	for _, f := range []struct {
		to   *string
		from *string
	}{{&n.ExternalID, in.ExternalId}, {&n.CRS, in.Crs}, {&n.Address, in.Address}, {&n.Title, in.Title}, {&n.Text, in.Text}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Kind != nil {
		n.Kind = report.Kind(*in.Kind)
		if n.Kind == "" {
			return n, fault.Invalid("kind", "unknown_value", "is empty; leave it out when the kind is not known")
		}
	}
	if in.PositionSource != nil {
		n.PositionSource = string(*in.PositionSource)
	}
	if in.Photos != nil {
		n.Photos = *in.Photos
	}
	if d := in.Device; d != nil {
		n.Device = &report.Device{PositionAt: d.PositionAt, Sure: d.Sure != nil && *d.Sure}
		if d.ClockAheadMs != nil {
			n.Device.AheadMs = *d.ClockAheadMs
		}
		if d.Plan != nil {
			n.Device.Plan = *d.Plan
		}
		if d.Grid != nil {
			n.Device.Grid = *d.Grid
		}
	}
	n.Voice = in.Voice
	if in.Reporter != nil {
		n.Reporter = &report.Reporter{}
		if in.Reporter.Name != nil {
			n.Reporter.Name = *in.Reporter.Name
		}
		if in.Reporter.Phone != nil {
			n.Reporter.Phone = *in.Reporter.Phone
		}
		if in.Reporter.Email != nil {
			n.Reporter.Email = *in.Reporter.Email
		}
		if home := in.Reporter.Home; home != nil {
			if len(*home) != 2 {
				return n, fault.Invalid("reporter.home", "bad_point", "is not [lon, lat]")
			}
			n.Reporter.Home = &orb.Point{(*home)[0], (*home)[1]}
		}
	}
	return n, nil
}

func (a *api) getReport(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	rep, s, err := c.find(r, &c.reach)
	if err != nil {
		return err
	}
	sight := c.reach.Covers(&s)
	out := c.shown(&rep, sight)
	if out.Case, err = c.caseOf(r.Context(), rep.Num, sightOf(c.reach, &s)); err != nil {
		return err
	}
	if out.AnonymisedAt, err = c.Retention.Anonymised(r.Context(), rep.Num); err != nil {
		return err
	}
	if sight == policy.Whole {
		if err := c.tellReporter(r, &rep, &out); err != nil {
			return err
		}
		if err := c.tellVoices(r.Context(), []report.Report{rep}, []*Report{&out}); err != nil {
			return err
		}
		if out.Allowed, err = c.allowedOn(r.Context(), &rep); err != nil {
			return err
		}
		if err := c.tellDoubts(r.Context(), &rep, &out); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// tellDoubts adds what the phone knew of a report, and what is doubtful of it.
func (c *call) tellDoubts(ctx context.Context, rep *report.Report, out *Report) error {
	d, err := c.Reports.DeviceOf(ctx, rep.Num)
	if err != nil {
		return err
	}
	seen := report.Seen{Report: rep, Device: d}
	if seen.Around, err = c.Reports.FixesAround(ctx, rep); err != nil {
		return err
	}
	if seen.Told, err = c.Reports.AsTold(ctx, rep); err != nil {
		return err
	}
	var photos []photo.Shown
	view := c.may(policy.PhotoView)
	if s, err := c.subject(ctx, rep, &view); err != nil {
		return err
	} else if view.Covers(&s) == policy.Whole { // who sees no photos is told nothing of where they were taken
		if photos, err = c.Photos.OfReport(ctx, rep.Num); err != nil {
			return err
		}
	}
	for _, p := range photos {
		if p.N == 0 && p.Facts.Place != nil { // of what was told, not of what was done about it
			seen.Photos = append(seen.Photos, *p.Facts.Place)
		}
	}
	flags := []ReportFlag{}
	for _, f := range seen.Flags() {
		flags = append(flags, ReportFlag{Flag: ReportFlagFlag(f.Doubt), Metres: optional(math.Round(f.Metres)), Seconds: optional(int(f.Time.Seconds()))})
	}
	out.Flags = &flags
	if d == nil {
		return nil
	}
	out.Device = &ReportDevice{PositionAt: d.PositionAt, ClockAheadMs: &d.AheadMs, Plan: optional(d.Plan), Grid: optional(d.Grid), Sure: &d.Sure}
	out.DevicePlan = optional(c.PlanOfVersion(d.Plan))
	if d.Grid != "" {
		out.DeviceGrid = new(unitRef(c.State().Layout, jurisdiction.RoleGrid, d.Grid))
	}
	return nil
}

// tellReporter adds who told the report, masked.
func (c *call) tellReporter(r *http.Request, rep *report.Report, out *Report) error {
	masked, err := c.Contacts.Masked(r.Context(), []report.Num{rep.Num})
	if err != nil {
		return err
	}
	if m, ok := masked[rep.Num]; ok {
		out.Reporter = &MaskedReporter{Known: m.Known, Erased: optional(m.Erased), Name: optional(m.Name), Phone: optional(m.Phone),
			Email: optional(m.Email), Home: optional(m.Home)}
	}
	return nil
}

// allowedOn lists what may be done with a report that is seen whole.
func (c *call) allowedOn(ctx context.Context, rep *report.Report) (*[]string, error) {
	list := []string{}
	for _, action := range []policy.Action{policy.ReportPosition, policy.ReportUnmask} {
		reach := c.may(action)
		s, err := c.subject(ctx, rep, &reach)
		if err != nil {
			return nil, err
		}
		if reach.Covers(&s) == policy.Whole {
			list = append(list, string(action))
		}
	}
	return &list, nil
}

// subject is a report as a reach sees it.
func (c *call) subject(ctx context.Context, rep *report.Report, reach *policy.Reach) (policy.Subject, error) {
	list, err := c.Subjects(ctx, []report.Report{*rep}, reach)
	return list[0], err
}

func (a *api) unmaskReporter(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in Reason
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	rep, err := c.findFor(r, "none of your posts in force lets you know who told this report")
	if err != nil {
		return err
	}
	who, err := c.Contacts.Unmask(r.Context(), rep.Num, in.Reason)
	if err != nil {
		return err
	}
	out := UnmaskedReporter{Name: optional(who.Name), Phone: optional(who.Phone), Email: optional(who.Email)}
	if who.Home != nil {
		out.Home = &[]float64{who.Home[0], who.Home[1]}
	}
	return writeJSON(w, http.StatusOK, out)
}

// findFor finds the report of the path for the route's action: what may not even be seen is not found.
func (c *call) findFor(r *http.Request, refused string) (report.Report, error) {
	view := c.may(policy.ReportView)
	rep, _, err := c.find(r, &view)
	if err != nil {
		return rep, err
	}
	s, err := c.subject(r.Context(), &rep, &c.reach)
	if err != nil {
		return report.Report{}, err
	}
	if c.reach.Covers(&s) != policy.Whole {
		return report.Report{}, fault.Forbidden("not_allowed", "%s", refused)
	}
	return rep, nil
}

// find reads the report of the path, by id or by number, as far as the reach covers it. That there is one elsewhere is
// nobody's business.
func (c *call) find(r *http.Request, reach *policy.Reach) (report.Report, policy.Subject, error) {
	rep, err := c.findAny(r)
	if err != nil {
		return rep, policy.Subject{}, err
	}
	s, err := c.subject(r.Context(), &rep, reach)
	if err != nil {
		return report.Report{}, policy.Subject{}, err
	}
	if reach.Covers(&s) == policy.Hidden {
		return report.Report{}, policy.Subject{}, fault.NotFound("there is no such report")
	}
	return rep, s, nil
}

// shown is a report as somebody may see it: of one that only may lie in their territory, nothing that a person wrote.
func (c *call) shown(rep *report.Report, sight policy.Sight) Report {
	out := reportOf(c.Live, rep)
	if sight != policy.Whole {
		out.Title, out.Text, out.Address, out.ExternalId = nil, nil, nil, nil
		out.Placement.Matched = nil
		out.Partly = new(true)
	}
	return out
}

func (c *call) findAny(r *http.Request) (report.Report, error) {
	s := r.PathValue("id")
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return c.Reports.Get(r.Context(), report.Num(n))
	}
	id, err := report.ParseID(s)
	if err != nil {
		return report.Report{}, err
	}
	return c.Reports.GetByID(r.Context(), id)
}

func (a *api) setPosition(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in struct { // NewPosition, with what is missing told apart from 0
		Lon    *float64 `json:"lon"`
		Lat    *float64 `json:"lat"`
		Reason string   `json:"reason"`
	}
	if err := decode(r, maxReport, &in); err != nil {
		return err
	}
	if in.Lon == nil || in.Lat == nil {
		return fault.Invalid("lon", "required", "lon and lat are both needed")
	}
	rep, err := c.findFor(r, "none of your posts in force lets you move this report")
	if err != nil {
		return err
	}
	if err := c.Reports.SetPosition(r.Context(), rep.Num, orb.Point{*in.Lon, *in.Lat}, in.Reason); err != nil {
		return err
	}
	if rep, err = c.Reports.Get(r.Context(), rep.Num); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, reportOf(c.Live, &rep))
}

func (a *api) listReports(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	f := q.filter(c.Zone, c.at)
	query := f.query(c)
	query.Search = q.search(c)
	query.Bound, query.Town, query.Village, query.Grid, query.Microgrid = q.bbox(), q.get("town"), q.get("village"), q.get("grid"), q.get("microgrid")
	query.Methods, query.After, query.Limit = q.list("method"), q.get("after"), q.integer("limit", 1, 500, 50)
	for _, m := range query.Methods {
		if !knownMethod(m) {
			q.fail(fault.Invalid("method", "unknown_value", "%.40q is none of inside, edge, nearest, geocoded, manual, unplaced", m))
		}
	}
	ids := q.list("id")
	if len(ids) > 100 {
		q.fail(fault.Invalid("id", "too_many", "names %d reports; 100 are allowed", len(ids)))
		ids = nil
	}
	for _, s := range ids {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil {
			query.Nums = append(query.Nums, report.Num(n))
		} else if id, err := report.ParseID(s); err == nil {
			query.IDs = append(query.IDs, id)
		} else {
			q.fail(fault.Invalid("id", "bad_uuid", "%.40q is neither a report's number nor its id", s))
		}
	}
	if err := q.done(); err != nil {
		return err
	}
	page, err := c.List(r.Context(), query, f.cube(c), &c.reach)
	if err != nil {
		return err
	}
	out := ReportPage{Reports: make([]Report, 0, len(page.Reports)), Next: optional(page.Next)}
	subjects, err := c.Subjects(r.Context(), page.Reports, &c.reach)
	if err != nil {
		return err
	}
	var found []report.Report
	for i := range page.Reports {
		// Asked once more, by other code than the list's condition: a report may have moved meanwhile.
		if sight := c.reach.Covers(&subjects[i]); sight != policy.Hidden {
			out.Reports = append(out.Reports, c.shown(&page.Reports[i], sight))
			found = append(found, page.Reports[i])
		}
	}
	if len(ids) > 0 { // whoever asks for them one by one is about to work with them
		shown := make([]*Report, len(found))
		for i := range shown {
			shown[i] = &out.Reports[i]
		}
		if err := c.tellVoices(r.Context(), found, shown); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func knownMethod(s string) bool {
	switch placement.Method(s) {
	case placement.MethodInside, placement.MethodEdge, placement.MethodNearest, placement.MethodGeocoded, placement.MethodManual, placement.MethodUnplaced:
		return true
	}
	return false
}

// reportOf shows a report; the reporter is never part of it.
func reportOf(c *app.Live, r *report.Report) Report {
	out := Report{Id: uuidOf(r.ID), Num: int(r.Num), ExternalId: r.ExternalID, Source: Source(r.Source), CapturedAt: utc(r.CapturedAt),
		ReceivedAt: utc(r.ReceivedAt), ClosedAt: r.ClosedAt, Lon: r.Lon, Lat: r.Lat, Crs: &r.CRS, AccuracyM: r.AccuracyM,
		PositionSource: r.PositionSource, Address: r.Address, Item: r.Item, Title: r.Title, Text: r.Text, Generated: r.Generated,
		Placement: placementOf(c, &r.Placement)}
	if r.Kind != nil {
		out.Kind = new(Kind(*r.Kind))
	}
	if r.Lon != nil {
		out.Beidou = beidouOf(*r.Lon, *r.Lat)
	}
	return out
}

// beidouLevel is the level of the codes shown: 10, 1.5 cm, the whole code.
const beidouLevel = 10

func beidouOf(lon, lat float64) *string {
	if code, ok := beidou.Encode(lon, lat, beidouLevel); ok {
		return &code
	}
	return nil
}

func placementOf(c *app.Live, p *report.Placement) Placement {
	l := c.State().Layout
	out := Placement{Method: Method(p.Method), Rule: PlacementRule(p.Rule), Plan: c.PlanName(p.PlanID), DistanceM: p.DistanceM, BorderM: p.BorderM,
		Near: []JurisdictionRef{}, Candidates: []JurisdictionRef{}, Ambiguous: len(p.Candidates) > 0, Score: p.Score, Matched: optional(p.Matched)}
	for _, u := range []struct {
		to   **JurisdictionRef
		role jurisdiction.Role
		code string
	}{
		{&out.Town, jurisdiction.RoleTown, p.Town}, {&out.Village, jurisdiction.RoleVillage, p.Village}, {&out.Grid, jurisdiction.RoleGrid, p.Grid},
		{&out.Microgrid, jurisdiction.RoleMicrogrid, p.Microgrid}, {&out.Nearest, jurisdiction.RoleGrid, p.Nearest},
	} {
		if u.code != "" {
			*u.to = new(unitRef(l, u.role, u.code))
		}
	}
	for _, code := range p.Near {
		out.Near = append(out.Near, unitRef(l, jurisdiction.RoleGrid, code))
	}
	for _, code := range p.Candidates {
		out.Candidates = append(out.Candidates, unitRef(l, jurisdiction.RoleGrid, code))
	}
	return out
}

package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/sheet"
	"gridgov/internal/worktime"
)

// maxRegime is the longest body with a document: a list has 2 MiB at most.
const maxRegime = 3 << 20

// regimeKind is the kind of the path.
func regimeKind(r *http.Request) (regime.Kind, error) {
	kind := regime.Kind(r.PathValue("kind"))
	if !slices.Contains(regime.Kinds, kind) {
		return "", fault.NotFound("there is no kind %.40q of documents; there are %v", string(kind), regime.Kinds)
	}
	return kind, nil
}

// editsRegime tells whether who asks may edit drafts, and so sees them.
func (c *call) editsRegime() bool {
	reach := c.may(policy.RegimeEdit)
	return !reach.Empty()
}

// version is the document of the path. A draft is there for those alone who may edit it.
func (c *call) version(r *http.Request) (regime.Document, error) {
	kind, err := regimeKind(r)
	if err != nil {
		return regime.Document{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return regime.Document{}, fault.NotFound("there is no version %.40q", r.PathValue("id"))
	}
	d, err := c.Regimes.Get(r.Context(), kind, regime.ID(id))
	if err == nil && d.Draft && !c.editsRegime() {
		err = fault.NotFound("there is no such document")
	}
	return d, err
}

func (a *api) listRegime(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	all, err := c.Regimes.List(r.Context(), kind)
	if err != nil {
		return err
	}
	if !c.editsRegime() {
		all = slices.DeleteFunc(all, func(d regime.Document) bool { return d.Draft })
	}
	names, err := c.regimeAuthors(r, all)
	if err != nil {
		return err
	}
	out := RegimeVersions{Versions: make([]RegimeVersion, len(all)), Now: utc(c.at)}
	inForce := false
	for i := range all {
		out.Versions[i] = c.versionOf(&all[i], names)
		if state := &out.Versions[i].State; *state == RegimeInForce { // the latest that has begun
			if inForce {
				*state = RegimePast
			}
			inForce = true
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// regimeAuthors are the names of who saved the documents, for those who edit them.
func (c *call) regimeAuthors(r *http.Request, all []regime.Document) (map[uuid.UUID]string, error) {
	if !c.editsRegime() {
		return nil, nil
	}
	var ids []uuid.UUID
	for i := range all {
		ids = append(ids, all[i].ChangedBy)
	}
	return c.People.Names(r.Context(), ids)
}

// versionOf tells of a document; of one that has begun it cannot tell whether a later one has too.
func (c *call) versionOf(d *regime.Document, names map[uuid.UUID]string) RegimeVersion {
	out := RegimeVersion{Id: int(d.ID), Kind: RegimeVersionKind(d.Kind), State: RegimeDraftState, Edits: d.Edits, ChangedAt: utc(d.ChangedAt), ChangedBy: optional(names[d.ChangedBy])}
	if d.Draft {
		return out
	}
	out.PublishedAt, out.InForceFrom = new(utc(d.PublishedAt)), new(utc(d.InForceFrom))
	if out.State = RegimeInForce; d.InForceFrom.After(c.at) {
		out.State = RegimeToCome
	}
	return out
}

func (a *api) getRegime(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	d, err := c.version(r)
	if err != nil {
		return err
	}
	return c.writeRegime(w, r, &d)
}

// writeRegime answers with a document, and of rules with the names of what they name.
func (c *call) writeRegime(w http.ResponseWriter, r *http.Request, d *regime.Document) error {
	names, err := c.regimeAuthors(r, []regime.Document{*d})
	if err != nil {
		return err
	}
	out := RegimeDocument{Version: c.versionOf(d, names), Content: d.Content}
	if out.Version.State == RegimeInForce {
		now, err := c.Regimes.Current(r.Context(), d.Kind, c.at)
		if err != nil {
			return err
		}
		if now.ID != d.ID {
			out.Version.State = RegimePast
		}
	}
	if d.Kind == regime.Rules {
		rules, err := assign.Parse(d.Content)
		if err != nil {
			return err
		}
		units, err := c.People.Units(r.Context())
		if err != nil {
			return err
		}
		out.Units, out.Areas = &[]NamedUnit{}, &[]JurisdictionRef{}
		parties, areas := named(rules)
		for i := range units {
			if u := &units[i]; parties[u.ID] {
				*out.Units = append(*out.Units, NamedUnit{Id: int(u.ID), Name: u.Name, NameEn: optional(u.NameEN), Kind: string(u.Kind), Closed: u.ClosedAt != nil})
			}
		}
		for _, a := range areas {
			*out.Areas = append(*out.Areas, unitRef(c.State().Layout, jurisdiction.Role(a.Level), a.Code))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// named are the units and the jurisdictions that rules name.
func named(rules *assign.Rules) (units map[policy.UnitID]bool, areas []assign.Area) {
	units = map[policy.UnitID]bool{}
	for i := range rules.Rules {
		rule := &rules.Rules[i]
		for _, p := range append([]assign.Party{rule.Lead}, rule.Support...) {
			units[p.Unit] = true
		}
		for _, a := range rule.Areas {
			if !slices.Contains(areas, a) {
				areas = append(areas, a)
			}
		}
	}
	return units, areas
}

func (a *api) getRegimeTable(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	format, lang := q.get("format"), q.get("lang")
	if format != "" && format != "csv" && format != "xlsx" {
		q.fail(fault.Invalid("format", "unknown_value", "%.40q is neither csv nor xlsx", format))
	}
	if lang != "" && lang != "zh" && lang != "en" {
		q.fail(fault.Invalid("lang", "unknown_value", "%.40q is neither zh nor en", lang))
	}
	if err := q.done(); err != nil {
		return err
	}
	d, err := c.version(r)
	if err != nil {
		return err
	}
	var file []byte
	switch {
	case d.Kind == regime.Catalogue:
		list, err := catalogue.Parse(d.Content)
		if err != nil {
			return err
		}
		if file = list.WriteCSV(lang != "en"); format == "xlsx" {
			if file, err = list.WriteXLSX(lang != "en"); err != nil {
				return err
			}
		}
	case d.Kind == regime.Calendar && format != "xlsx":
		calendar, err := worktime.Parse(d.Content)
		if err != nil {
			return err
		}
		b := bytes.NewBufferString("\ufeff") // by which spreadsheets know UTF-8
		days := slices.Clone(calendar.Document().Days)
		for i := range days {
			days[i].ZH, days[i].EN = sheet.Guard(days[i].ZH), sheet.Guard(days[i].EN)
		}
		if err := worktime.WriteDays(b, days); err != nil {
			return err
		}
		file = b.Bytes()
	default:
		return fault.NotFound("there is no such table of %s", d.Kind)
	}
	name := string(d.Kind) + "-" + strconv.FormatInt(int64(d.ID), 10)
	csvHeader(w, name+".csv")
	if format == "xlsx" {
		w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.xlsx"`)
	}
	_, _ = w.Write(file) // the client may be gone
	return nil
}

// seenDraft is the draft that somebody names by what they read of it.
func seenDraft(field string, id, edits int) (regime.Seen, error) {
	if id < 1 || edits < 1 || edits > 1<<30 {
		return regime.Seen{}, fault.Invalid(field, "out_of_range", "name the draft that was read by its number and its edits; there is none of this number")
	}
	return regime.Seen{ID: regime.ID(id), Edits: edits}, nil
}

func (a *api) saveRegimeDraft(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	var in struct {
		Seen    *RegimeSeen     `json:"seen"`
		Content json.RawMessage `json:"content"`
	}
	if err := decode(r, maxRegime, &in); err != nil {
		return err
	}
	if len(in.Content) == 0 {
		return fault.Invalid("content", "required", "is missing: send the whole document")
	}
	var seen regime.Seen
	if in.Seen != nil {
		if seen, err = seenDraft("seen", in.Seen.Id, in.Seen.Edits); err != nil {
			return err
		}
	}
	d, err := c.Regimes.Save(r.Context(), kind, in.Content, seen, c.who.Person)
	if err != nil {
		return err
	}
	return c.writeRegime(w, r, &d)
}

func (a *api) discardRegimeDraft(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	seen := regime.Seen{ID: regime.ID(q.integer("id", 1, 1<<31-1, 0)), Edits: q.integer("edits", 1, 1<<31-1, 0)}
	if err := q.done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	if err := c.Regimes.Discard(r.Context(), kind, seen); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// findings looks through a draft, with what the city has now.
func (c *call) findings(r *http.Request, d *regime.Document) ([]regime.Finding, error) {
	units, err := c.People.Manned(r.Context())
	if err != nil {
		return nil, err
	}
	city := &regime.City{HasArea: func(a policy.Area) bool {
		l := c.State().Layout
		if l == nil {
			return false
		}
		_, _, ok := l.Unit(jurisdiction.Role(a.Level), a.Code)
		return ok || a == c.Area()
	}}
	for i := range units {
		city.Units = append(city.Units, assign.Unit{ID: units[i].ID, Kind: units[i].Kind, Closed: units[i].ClosedAt != nil, Members: units[i].Members})
	}
	return c.Regimes.Findings(r.Context(), d, city)
}

func (a *api) getRegimeFindings(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	d, err := c.Regimes.Draft(r.Context(), kind)
	if err != nil {
		return err
	}
	found, err := c.findings(r, &d)
	if err != nil {
		return err
	}
	out := RegimeFindings{Seen: RegimeSeen{Id: int(d.ID), Edits: d.Edits}, Findings: make([]RegimeFinding, len(found))}
	for i, f := range found {
		out.Findings[i] = RegimeFinding{At: f.At, Kind: string(f.Kind), Refused: f.Refused, What: optional(f.What)}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) publishRegimeDraft(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	var in RegimePublish
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	// What is published below is the draft of this number and these edits, or nothing: its findings are those looked at here.
	seen, err := seenDraft("edits", in.Id, in.Edits)
	if err != nil {
		return err
	}
	d, err := c.Regimes.Draft(r.Context(), kind)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if err == nil && seen == (regime.Seen{ID: d.ID, Edits: d.Edits}) {
		found, err := c.findings(r, &d)
		if err != nil {
			return err
		}
		if err := regime.Refused(found); err != nil {
			return err
		}
	}
	var from time.Time
	if in.InForceFrom != nil {
		from = *in.InForceFrom
	}
	var along []regime.Along
	if in.RecountOpen != nil && *in.RecountOpen {
		if kind != regime.Catalogue {
			return fault.Invalid("recount_open", "not_a_list", "open cases can be taken over to a list alone: a calendar counts for them anyway, and rules move none")
		}
		along = append(along, c.Cases.AskRelimit(c.who.Person))
	}
	if d, err = c.Regimes.Publish(r.Context(), kind, seen, from, along...); err != nil {
		return err
	}
	c.at = a.Now()
	return c.writeRegime(w, r, &d)
}

func (a *api) readRegimeTable(w http.ResponseWriter, r *http.Request, _ *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	kind, err := regimeKind(r)
	if err != nil {
		return err
	}
	if kind == regime.Rules {
		return fault.NotFound("there is no table of rules")
	}
	file, err := importBody(w, r)
	if err != nil {
		return err
	}
	out := RegimeTable{Lines: []TableLine{}}
	if kind == regime.Calendar {
		days, err := worktime.ReadDays(bytes.NewReader(file))
		if err != nil {
			return err
		}
		if days == nil {
			days = []worktime.Day{}
		}
		for i := range days {
			days[i].ZH, days[i].EN = sheet.Unguard(days[i].ZH), sheet.Unguard(days[i].EN)
		}
		out.Days = &days
		return writeJSON(w, http.StatusOK, out)
	}
	read, err := catalogue.ReadTable(r.Context(), file)
	if err != nil {
		return err
	}
	out.Aspects, out.Items = &read.Aspects, &read.Items
	for _, l := range read.Lines {
		row := TableLine{Line: l.Line, Code: l.Code}
		if l.Err != nil {
			row.Problem = new(problemOf(l.Err, ""))
		}
		out.Lines = append(out.Lines, row)
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) getHolidays(w http.ResponseWriter, r *http.Request, _ *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, worktime.China())
}

// onceAMinute lets what anybody may see be kept for a while: it is another when another list is in force.
const onceAMinute = "public, max-age=60"

func (a *api) getPublicCatalogue(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	d, err := c.Regimes.Current(r.Context(), regime.Catalogue, c.at)
	if err != nil {
		return err
	}
	nobody, err := c.Auth.Visitor(r.Context()) // the answer is kept for all, so it is what anybody is told
	if err != nil {
		return err
	}
	takes := nobody.Reach(policy.PublicReport, c.at)
	w.Header().Set("Cache-Control", onceAMinute)
	return writeJSON(w, http.StatusOK, PublicCatalogue{Name: c.Name, NameEn: optional(nameLatin(c.State().Layout)), Version: int(d.ID), InForceFrom: utc(d.InForceFrom),
		Timezone: &c.Timezone, Generated: c.Generated, TakesReports: new(!takes.Empty()), List: d.Content})
}

func (a *api) getPublicVillage(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	l, code := c.State().Layout, r.PathValue("code")
	if l == nil {
		return fault.NotFound("no boundary plan is in force yet")
	}
	level, unit, ok := l.Unit(jurisdiction.RoleVillage, code)
	if !ok {
		return fault.NotFound("there is no village %.64q", code)
	}
	u := &l.Levels[level].Units[unit]
	out := PublicVillage{Code: u.Code, Name: u.Name, NameLatin: optional(u.NameLatin), Bbox: box(u.Bound)}
	for _, p := range l.Parents(level, unit) {
		if p.Level == jurisdiction.RoleTown {
			out.Town = new(refOf(p))
		}
	}
	w.Header().Set("Cache-Control", onceAMinute)
	return writeJSON(w, http.StatusOK, out)
}

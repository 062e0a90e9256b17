package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// edits tells whether who asks may edit people, and so sees all that is known of them.
func (c *call) edits() bool {
	reach := c.may(policy.PersonEdit)
	return !reach.Empty()
}

func (a *api) listPeople(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	ask := person.Query{Reach: &c.reach, Search: q.get("search"), Logins: c.edits(), Role: policy.Role(q.get("role")), State: person.State(q.get("state")),
		After: q.get("after"), Limit: q.integer("limit", 1, 200, 50), Unit: policy.UnitID(q.integer("unit", 1, 1<<31-1, 0))}
	switch machine := q.get("machine"); machine {
	case "":
	case "true":
		ask.Kind = person.Machines
	case "false":
		ask.Kind = person.Humans
	default:
		q.fail(fault.Invalid("machine", "unknown_value", "%.40q is neither true nor false", machine))
	}
	if err := q.done(); err != nil {
		return err
	}
	page, err := c.People.List(r.Context(), ask)
	if err != nil {
		return err
	}
	out := PersonPage{People: make([]Person, len(page.People)), Next: optional(page.Next)}
	for i := range page.People {
		out.People[i] = c.personOf(&page.People[i])
	}
	return writeJSON(w, http.StatusOK, out)
}

// personOf shows a person. Who may not edit people is told what it takes to find them and to know what they are.
func (c *call) personOf(p *person.Person) Person {
	out := Person{Id: p.ID, Name: p.Name, Machine: p.Machine, Phone: optional(p.Phone), Version: p.Version, Erased: optional(p.ErasedAt != nil), Posts: []Post{}}
	edits := c.edits()
	if edits {
		out.Email, out.Login = optional(p.Email), optional(p.Login)
	}
	for i := range p.Posts {
		out.Posts = append(out.Posts, c.postOf(&p.Posts[i], edits))
	}
	return out
}

func (c *call) postOf(p *person.Post, edits bool) Post {
	out := Post{Id: int(p.ID), Role: string(p.Role), Begins: string(p.Begins), Ends: optional(string(p.Ends)), State: PostState(p.State(c.People.Today())),
		CertificateUntil: optional(string(p.CertificateUntil)), Station: optional(string(p.Station)), Area: c.areaOf(p.Area), Version: p.Version}
	if p.Unit != 0 {
		out.Unit = &UnitRef{Id: int(p.Unit), Name: p.UnitName}
	}
	if edits {
		out.Certificate = optional(p.Certificate)
	}
	return out
}

func (c *call) areaOf(a policy.Area) *JurisdictionRef {
	if a.Level == "" {
		return nil
	}
	return new(unitRef(c.State().Layout, jurisdiction.Role(a.Level), a.Code))
}

// somebody finds the person of the path, as far as the route's action reaches. What is no id is nobody's.
func (c *call) somebody(r *http.Request) (person.Person, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil || id.String() != r.PathValue("id") {
		return person.Person{}, fault.NotFound("there is no person %.40q", r.PathValue("id"))
	}
	return c.People.Get(r.Context(), id, &c.reach)
}

// edited reads a request that changes the person of its path; into may be nil where there is no body.
func (c *call) edited(r *http.Request, into any) (person.Person, error) {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return person.Person{}, err
	}
	p, err := c.somebody(r)
	if err != nil || into == nil {
		return p, err
	}
	return p, decode(r, maxForm, into)
}

func (a *api) getPerson(w http.ResponseWriter, r *http.Request, c *call) error {
	p, err := c.edited(r, nil)
	if err != nil {
		return err
	}
	return a.writePerson(w, r, c, http.StatusOK, &p)
}

// writePerson answers with all that may be told of one person.
func (a *api) writePerson(w http.ResponseWriter, r *http.Request, c *call, status int, p *person.Person) error {
	out := c.personOf(p)
	out.Login = nil
	if c.edits() && p.Login != "" {
		account, err := c.account(r, p.ID)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		} else if err == nil {
			out.Account = &account
		}
	}
	rights, err := c.rightsOf(r, p)
	if err != nil {
		return err
	}
	out.Rights = &rights
	return writeJSON(w, status, out)
}

func (c *call) account(r *http.Request, id uuid.UUID) (PersonAccount, error) {
	account, err := c.Auth.Account(r.Context(), id)
	if err != nil {
		return PersonAccount{}, err
	}
	out := PersonAccount{Login: account.Login, Disabled: account.DisabledAt != nil, Password: account.Password, MustChangePassword: account.MustChange,
		SecondFactor: account.TOTP, Demo: account.Demo}
	if account.LastSession != nil {
		out.Seen = new(utc(*account.LastSession))
	}
	p, err := c.Auth.Provider(r.Context())
	if err != nil {
		return PersonAccount{}, err
	}
	out.Linkable = p != nil && !account.Machine && !account.Demo
	if account.Subject != "" {
		out.Identity = &AccountIdentity{Subject: account.Subject, Current: p != nil && account.Issuer == p.Realm()}
	}
	return out, nil
}

// rightsOf tells what somebody's posts in force allow, beside what everybody may.
func (c *call) rightsOf(r *http.Request, p *person.Person) ([]Right, error) {
	out := []Right{}
	posts, err := c.People.PostsOf(r.Context(), c.Pool, p.ID)
	if err != nil {
		return nil, err
	}
	units := map[policy.UnitID]string{}
	for i := range p.Posts {
		units[p.Posts[i].Unit] = p.Posts[i].UnitName
	}
	actor, nobody := policy.Actor{Person: p.ID, Posts: posts}, policy.Actor{Person: p.ID}
	for _, action := range policy.Actions() {
		reach, common := actor.Reach(action, c.at), nobody.Reach(action, c.at)
		if reach.Empty() || !common.Empty() {
			continue
		}
		right := Right{Action: string(action), City: reach.City, Own: reach.Own, Areas: []JurisdictionRef{}, Units: []string{}}
		for _, area := range reach.Areas {
			right.Areas = append(right.Areas, *c.areaOf(area))
		}
		for _, unit := range reach.Units {
			right.Units = append(right.Units, units[unit])
		}
		out = append(out, right)
	}
	return out, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (a *api) createPerson(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NewPerson
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	p, err := c.People.Create(r.Context(), person.New{Name: in.Name, Phone: text(in.Phone), Email: text(in.Email), Machine: in.Machine != nil && *in.Machine})
	if err != nil {
		return err
	}
	w.Header().Set("Location", fmt.Sprintf("/%s/v1/people/%s", c.Code, p.ID))
	return a.writePerson(w, r, c, http.StatusCreated, &p)
}

func (a *api) changePerson(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PersonChange
	p, err := c.edited(r, &in)
	if err != nil {
		return err
	}
	if p, err = c.People.Change(r.Context(), p.ID, in.Version, person.Change{Name: in.Name, Phone: in.Phone, Email: in.Email}); err != nil {
		return err
	}
	return a.writePerson(w, r, c, http.StatusOK, &p)
}

func (a *api) createPost(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewPost
	p, err := c.edited(r, &in)
	if err != nil {
		return err
	}
	post := person.Post{Person: p.ID, Role: policy.Role(in.Role), Begins: person.Day(in.Begins), Ends: person.Day(text(in.Ends)),
		Area:        policy.Area{Level: policy.Level(text(in.Level)), Code: text(in.Code)},
		Certificate: text(in.Certificate), CertificateUntil: person.Day(text(in.CertificateUntil)), Station: person.Station(text(in.Station))}
	if in.Unit != nil {
		if *in.Unit <= 0 {
			return fault.Invalid("unit", "unknown_unit", "there is no unit %d: see the list of units", *in.Unit)
		}
		post.Unit = policy.UnitID(*in.Unit)
	}
	if post, err = c.People.CreatePost(r.Context(), post); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, c.postOf(&post, true))
}

func (a *api) changePost(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PostChange
	p, err := c.edited(r, &in)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("post"), 10, 64)
	var held *person.Post
	for i := range p.Posts {
		if p.Posts[i].ID == policy.PostID(id) && err == nil {
			held = &p.Posts[i]
		}
	}
	if held == nil {
		return fault.NotFound("the person has no post %.40q", r.PathValue("post"))
	}
	day := func(s *string) *person.Day { return (*person.Day)(s) }
	var post person.Post
	if last := day(in.Ends); last != nil && *last != "" && (held.Ends == "" || *last < held.Ends) && in.Begins == nil && in.Certificate == nil && in.CertificateUntil == nil && in.Station == nil {
		post, err = c.People.EndPost(r.Context(), held.ID, in.Version, *last)
	} else {
		post, err = c.People.ChangePost(r.Context(), held.ID, in.Version, person.PostChange{Begins: day(in.Begins), Ends: day(in.Ends),
			Certificate: in.Certificate, CertificateUntil: day(in.CertificateUntil), Station: (*person.Station)(in.Station)})
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.postOf(&post, true))
}

func (a *api) createAccount(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewAccount
	p, err := c.edited(r, &in)
	if err != nil {
		return err
	}
	password, err := c.Auth.CreateAccount(r.Context(), auth.NewAccount{Person: p.ID, Login: in.Login})
	if err != nil {
		return err
	}
	account, err := c.Auth.Account(r.Context(), p.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, OneTimePassword{Login: account.Login, Password: optional(password)})
}

func (a *api) changeAccount(w http.ResponseWriter, r *http.Request, c *call) error {
	var in struct { // of a pointer: what is left out must put nobody's account into use
		Disabled *bool `json:"disabled"`
	}
	p, err := c.edited(r, &in)
	switch {
	case err != nil:
		return err
	case in.Disabled == nil:
		return fault.Invalid("disabled", "required", "say true or false")
	case *in.Disabled && p.ID == c.who.Person:
		return fault.Conflict("own_account", "nobody takes their own account out of use: another administrator has to")
	case *in.Disabled:
		err = c.Auth.Disable(r.Context(), p.ID)
	default:
		err = c.Auth.Enable(r.Context(), p.ID)
	}
	if err != nil {
		return err
	}
	account, err := c.account(r, p.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, account)
}

func (a *api) resetPassword(w http.ResponseWriter, r *http.Request, c *call) error {
	p, err := c.edited(r, nil)
	if err != nil {
		return err
	}
	password, err := c.Auth.ResetPassword(r.Context(), p.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, OneTimePassword{Login: p.Login, Password: &password})
}

func (a *api) resetTOTP(w http.ResponseWriter, r *http.Request, c *call) error {
	p, err := c.edited(r, nil)
	if err != nil {
		return err
	}
	if err := c.Auth.ResetTOTP(r.Context(), p.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// importBody reads a file sent as a body.
func importBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, fault.Unsupported("Content-Encoding", "encoded", "is %.60q; send the body as it is", coding)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, person.MaxTable))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, fault.TooLarge("", "the file is larger than %d MiB: part it", person.MaxTable>>20)
	case err != nil:
		return nil, fault.Invalid("", "unreadable", "the body could not be read to its end")
	case len(b) == 0:
		return nil, fault.Invalid("", "empty", "the body is empty: send a CSV file or an XLSX workbook")
	}
	return b, nil
}

func (a *api) importPeople(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	preview := q.get("preview")
	if preview != "" && preview != "true" && preview != "false" {
		q.fail(fault.Invalid("preview", "unknown_value", "%.40q is neither true nor false", preview))
	}
	if err := q.done(); err != nil {
		return err
	}
	file, err := importBody(w, r)
	if err != nil {
		return err
	}
	rows, err := person.ReadTable(r.Context(), file)
	if err != nil {
		return err
	}
	work := c.People.Apply
	if preview == "true" {
		work = c.People.Preview
	}
	planned, err := work(r.Context(), rows)
	if err != nil {
		return err
	}
	out := PeopleImport{Preview: preview == "true", Rows: make([]ImportedRow, len(rows))}
	for i := range rows {
		out.Rows[i] = importedRow(&rows[i], &planned[i])
		switch planned[i].Outcome {
		case person.OutcomeNew:
			out.Counts.New++
		case person.OutcomeChanged:
			out.Counts.Changed++
		case person.OutcomeUnchanged:
			out.Counts.Unchanged++
		case person.OutcomeError:
			out.Counts.Error++
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func importedRow(r *person.Row, p *person.Planned) ImportedRow {
	out := ImportedRow{Line: p.Line, Outcome: ImportedRowOutcome(p.Outcome), Name: r.Name, Role: optional(r.Role), Begins: optional(r.Begins), Ends: optional(r.Ends),
		Changes: []ImportedChange{}}
	switch {
	case r.Unit != "":
		out.Place = &r.Unit
	case r.Code != "":
		out.Place = optional(r.Level + " " + r.Code)
	}
	after := map[string]string{"name": r.Name, "phone": r.Phone, "email": r.Email, "begins": r.Begins, "ends": r.Ends,
		"certificate": r.Certificate, "certificate_until": r.CertificateUntil}
	for _, field := range p.Changed {
		out.Changes = append(out.Changes, ImportedChange{Field: field, Before: p.Was[field], After: after[field]})
	}
	if p.Outcome != person.OutcomeNew && p.Person != uuid.Nil {
		out.Person = &p.Person
	}
	if p.Err != nil {
		out.Problem = new(problemOf(p.Err, ""))
	}
	return out
}

func (a *api) getTemplate(w http.ResponseWriter, r *http.Request, _ *call) error {
	q := parseQuery(r.URL.RawQuery)
	lang := q.get("lang")
	if lang != "" && lang != "zh" && lang != "en" {
		q.fail(fault.Invalid("lang", "unknown_value", "%.40q is neither zh nor en", lang))
	}
	if err := q.done(); err != nil {
		return err
	}
	csvHeader(w, "people-template.csv")
	_, _ = w.Write(person.Template(lang != "en")) // the client may be gone
	return nil
}

// csvHeader sets the headers of a table to be kept as a file. Nothing that a client sent is part of the name.
func csvHeader(w http.ResponseWriter, name string) {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
}

package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/investigation"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/screening"
)

// placeRefs names units of a level.
func (c *call) placeRefs(level string, codes []string) []PlaceRef {
	out := make([]PlaceRef, len(codes))
	for i, code := range codes {
		out[i] = PlaceRef{Code: code, Words: c.placeWords(level, code)}
	}
	return out
}

func (c *call) placeWords(level, code string) BothWords {
	return wordsOf(c.AreaNamed(policy.Area{Level: policy.Level(level), Code: code}))
}

// proposalRows tells of proposals.
func (c *call) proposalRows(ctx context.Context, list []screening.Kept) ([]ProposalRow, error) {
	ids := make([]screening.ProposalID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	fresh, err := c.Screenings.EvidenceCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ProposalRow, len(list))
	for i := range list {
		k := &list[i]
		facts, err := c.factsOf(k)
		if err != nil {
			return nil, err
		}
		out[i] = c.proposalRow(k, facts, fresh[k.ID])
	}
	return out, nil
}

func (c *call) proposalRow(k *screening.Kept, facts *screening.Proposal, fresh int) ProposalRow {
	row := ProposalRow{Id: int(k.ID), Screening: int(k.Screening), Item: k.Item, ItemWords: wordsOf(c.ItemNamed(k.Item)), Level: k.Place.Level, Places: c.placeRefs(k.Place.Level, k.Place.Units),
		Told: k.Told, Found: k.Found, Expected: k.Expected, Q: 1, Neighbours: len(facts.Around), Trend: ProposalTrend{Verdict: string(facts.Trend.Verdict), S: facts.Trend.S, Z: facts.Trend.Z, P: facts.Trend.P},
		Evidence: fresh, MadeAt: utc(k.MadeAt), State: string(k.State), Version: k.Version, Order: optional(int(k.Order))}
	if k.Place.Town != "" {
		row.Town = &PlaceRef{Code: k.Place.Town, Words: c.placeWords(string(policy.Town), k.Place.Town)}
	}
	for _, u := range facts.Units {
		row.Z, row.Q = max(row.Z, u.Z), min(row.Q, u.Q)
	}
	for _, n := range facts.Around {
		row.NeighboursTold += n.Told
	}
	return row
}

// factsOf are the facts of a proposal as far as who asks sees them: of the neighbours of its place some may lie across the border of their
// territory.
func (c *call) factsOf(k *screening.Kept) (*screening.Proposal, error) {
	facts, err := k.Facts()
	if err != nil {
		return nil, err
	}
	view := c.may(policy.ScreeningView)
	facts.Around = slices.DeleteFunc(facts.Around, func(n screening.Neighbour) bool { return !c.Reaches(&view, k.Place.Level, n.Code) })
	return facts, nil
}

func (a *api) listProposals(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	of := screening.Query{Within: screening.Of(&c.reach), Items: q.list("item"), Screening: screening.ID(q.integer("screening", 1, math.MaxInt64, 0)),
		Before: screening.ProposalID(q.integer("before", 1, math.MaxInt64, 0))}
	for _, s := range q.list("state") {
		if !slices.Contains(screening.States, screening.State(s)) {
			q.fail(fault.Invalid("state", "unknown_value", "%.40q is none of open, declined, ordered, done", s))
		}
		of.States = append(of.States, screening.State(s))
	}
	limit := q.integer("limit", 1, 200, 50)
	if err := q.done(); err != nil {
		return err
	}
	of.Limit = limit + 1
	list, err := c.Screenings.Proposals(r.Context(), of)
	if err != nil {
		return err
	}
	out := ProposalPage{}
	if len(list) > limit {
		list = list[:limit]
		out.Next = new(int(list[limit-1].ID))
	}
	if out.Proposals, err = c.proposalRows(r.Context(), list); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// proposalOf finds the proposal of the path, as far as who asks may see it.
func (c *call) proposalOf(r *http.Request) (screening.Kept, error) {
	id, err := numbered(r, "id", "proposal")
	if err != nil {
		return screening.Kept{}, err
	}
	view := c.may(policy.ScreeningView)
	return c.Screenings.Proposal(r.Context(), screening.ProposalID(id), screening.Of(&view))
}

func (a *api) getProposal(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	k, err := c.proposalOf(r)
	if err != nil {
		return err
	}
	return c.writeProposal(w, r, &k)
}

func (c *call) writeProposal(w http.ResponseWriter, r *http.Request, k *screening.Kept) error {
	ctx := r.Context()
	facts, err := c.factsOf(k)
	if err != nil {
		return err
	}
	run, err := c.Screenings.About(ctx, k.Screening)
	if err != nil {
		return err
	}
	evidence, err := c.Screenings.Evidence(ctx, k.ID)
	if err != nil {
		return err
	}
	least := run.Params.Least
	if line, err := c.leastUnder(ctx, &run, k.Item); err == nil && line > 0 {
		least = line
	}
	out := Proposal{Row: c.proposalRow(k, facts, len(evidence)), From: utc(run.From), To: utc(run.To), Days: run.Params.Days, Least: least, Limit: run.Params.Q, Units: []ProposalUnit{},
		Around: []ProposalNeighbour{}, Weeks: []ProposalWeek{}, Reports: make([]int, len(evidence)), Objects: []ProposalObject{}, Departments: []ProposalDepartment{}, Related: []ProposalRow{},
		AnonymisedAt: when(k.AnonymisedAt), May: c.mayDecide(k), Why: wordsOf(facts.Words(run.Params.Days, len(evidence), least, run.Params.Q))}
	for i, n := range evidence {
		out.Reports[i] = int(n)
	}
	for _, u := range facts.Units {
		out.Units = append(out.Units, ProposalUnit{Code: u.Code, Words: c.placeWords(k.Place.Level, u.Code), Told: u.Told, Found: u.Found, Z: u.Z, Q: u.Q})
	}
	for _, n := range facts.Around {
		out.Around = append(out.Around, ProposalNeighbour{Code: n.Code, Words: c.placeWords(k.Place.Level, n.Code), Told: n.Told})
	}
	for _, week := range facts.Weeks {
		at := time.Unix(week.From, 0).UTC()
		out.Weeks = append(out.Weeks, ProposalWeek{From: at, Told: week.Told, Found: week.Found, InWindow: !at.Before(run.From)})
	}
	if err := c.objectsOf(ctx, facts, &out); err != nil {
		return err
	}
	for _, d := range facts.Crews {
		out.Departments = append(out.Departments, ProposalDepartment{Unit: c.caseUnit(policy.UnitID(d.Unit)), Leads: d.Leads, Supports: d.Supports})
	}
	related, err := c.Screenings.Related(ctx, k.ID)
	if err != nil {
		return err
	}
	view := c.may(policy.ScreeningView)
	in := screening.Of(&view)
	related = slices.DeleteFunc(related, func(o screening.Kept) bool { return !in.Has(&o.Place) })
	if out.Related, err = c.proposalRows(ctx, related); err != nil {
		return err
	}
	deeds, err := c.Investigations.DecisionsAbout(ctx, k.ID)
	if err != nil {
		return err
	}
	if out.Decisions, err = c.deedsOf(ctx, deeds); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// leastUnder is how many reports of an item it took by the list that a screening was made under; 0: the screening's own number.
func (c *call) leastUnder(ctx context.Context, run *screening.Run, item string) (int, error) {
	list, err := c.ListUnder(ctx, regime.ID(run.List))
	if err != nil {
		return 0, err
	}
	if line := list.Item(item); line != nil {
		return line.Least, nil
	}
	return 0, nil
}

func (c *call) objectsOf(ctx context.Context, facts *screening.Proposal, out *Proposal) error {
	nums := make([]uint32, len(facts.Objects))
	for i, o := range facts.Objects {
		nums[i] = o.Report
	}
	called, err := c.Screenings.ObjectNames(ctx, nums)
	if err != nil {
		return err
	}
	for _, o := range facts.Objects {
		out.Objects = append(out.Objects, ProposalObject{Report: int(o.Report), Words: optional(called[o.Report]), N: o.N})
	}
	return nil
}

// mayDecide is what who asks may decide about a proposal now.
func (c *call) mayDecide(k *screening.Kept) []string {
	out := []string{}
	for _, act := range investigation.DecisionsOn(k.State, func(action policy.Action) bool {
		reach := c.may(action)
		in := screening.Of(&reach)
		return in.Has(&k.Place)
	}) {
		out = append(out, string(act))
	}
	return out
}

func (c *call) deedsOf(ctx context.Context, deeds []investigation.Deed) ([]DecisionMade, error) {
	ids := make([]uuid.UUID, len(deeds))
	for i := range deeds {
		ids[i] = deeds[i].Person
	}
	n, err := c.People.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]DecisionMade, len(deeds))
	for i, d := range deeds {
		out[i] = DecisionMade{N: d.N, At: utc(d.At), Act: string(d.Act), By: names(n).of(d.Person), Reason: optional(d.Reason), Day: optional(string(d.Detail.Day)), Found: d.Detail.Found}
		if len(d.Detail.Officers) > 0 {
			posts := make([]int, len(d.Detail.Officers))
			for k, p := range d.Detail.Officers {
				posts[k] = int(p)
			}
			out[i].Officers = &posts
		}
	}
	return out, nil
}

func (a *api) decideProposal(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in ProposalDecision
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	k, err := c.proposalOf(r)
	if err != nil {
		return err
	}
	reach := c.may(policy.ProposalDecide)
	ask := investigation.Ask{Act: investigation.Act(in.Decision), Version: in.Version, Within: screening.Of(&reach)}
	if !ask.Within.Has(&k.Place) {
		return refusal(c.who)
	}
	if in.Reason != nil {
		ask.Reason = *in.Reason
	}
	if in.Order != nil {
		if ask.Order, err = c.orderOf(r.Context(), in.Order, &k); err != nil {
			return err
		}
	}
	if _, err := c.Investigations.Decide(r.Context(), k.ID, ask); err != nil {
		return err
	}
	if k, err = c.proposalOf(r); err != nil {
		return err
	}
	return c.writeProposal(w, r, &k)
}

// orderOf reads what is ordered. The unit that goes is at work on the evidence, or works where who orders it decides, or works anywhere.
func (c *call) orderOf(ctx context.Context, in *NewInvestigation, k *screening.Kept) (*investigation.New, error) {
	n := &investigation.New{Unit: policy.UnitID(in.Unit), Day: investigation.Day(in.Day), Officers: postIDs(in.Officers)}
	if in.Objects != nil {
		n.Objects = *in.Objects
	}
	if in.Items != nil {
		n.Items = append([]string{}, *in.Items...)
	}
	if in.With != nil {
		for _, id := range *in.With {
			n.With = append(n.With, screening.ProposalID(id))
		}
	}
	return n, c.sends(ctx, n.Unit, k)
}

// sends refuses a unit that who decides about a proposal may not send.
func (c *call) sends(ctx context.Context, unit policy.UnitID, k *screening.Kept) error {
	if unit == 0 { // which is said of the field itself
		return nil
	}
	facts, err := k.Facts()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(facts.Crews, func(d screening.Department) bool { return d.Unit == int64(unit) }) {
		return nil
	}
	u, err := c.People.Unit(ctx, unit)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	reach := c.may(policy.ProposalDecide)
	if err != nil || u.Kind.HasTerritory() && !c.CoversUnit(&reach, &u) {
		return fault.Invalid("order.unit", "unknown_unit", "there is no unit %d that could be sent there", unit)
	}
	return nil
}

func postIDs(list []int) []policy.PostID {
	if list == nil {
		return nil
	}
	out := make([]policy.PostID, len(list))
	for i, id := range list {
		out[i] = policy.PostID(id)
	}
	return out
}

func (a *api) listOfficersFor(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	on, unit := q.get("day"), q.integer("unit", 1, math.MaxInt64, 0)
	if err := q.done(); err != nil {
		return err
	}
	k, err := c.proposalOf(r)
	if err != nil {
		return err
	}
	reach := c.may(policy.ProposalDecide)
	if in := screening.Of(&reach); !in.Has(&k.Place) {
		return refusal(c.who)
	}
	if on == "" {
		return fault.Invalid("day", "required", "is missing: on which day?")
	}
	if err := c.sends(r.Context(), policy.UnitID(unit), &k); err != nil {
		if f, ok := fault.As(err); ok {
			return fault.Invalid("unit", f.Code, "%s", f.Message)
		}
		return err
	}
	facts, err := k.Facts()
	if err != nil {
		return err
	}
	units := []policy.UnitID{policy.UnitID(unit)}
	for _, d := range facts.Crews {
		units = append(units, policy.UnitID(d.Unit))
	}
	return c.writeOfficers(w, r, units, investigation.Day(on))
}

func (c *call) writeOfficers(w http.ResponseWriter, r *http.Request, units []policy.UnitID, on investigation.Day) error {
	list, err := c.Investigations.Officers(r.Context(), units, on)
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, InvestigatorList{Day: string(on), Officers: c.investigators(list)})
}

func (c *call) investigators(list []investigation.Officer) []Investigator {
	out := make([]Investigator, len(list))
	for i := range list {
		o := &list[i]
		out[i] = Investigator{Post: int(o.Post), Person: TeamPerson{Id: o.Person, Name: o.Name}, Unit: c.caseUnit(o.Unit), Role: string(o.Role), CertificateUntil: optional(string(o.Until)), Away: o.Away}
	}
	return out
}

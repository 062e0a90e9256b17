package api

import (
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/team"
)

func (a *api) proposeOfficers(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	view := c.may(policy.ReportView)
	m, err := c.matterOf(r, &view)
	if err != nil {
		return err
	}
	if _, may := c.mayOn(policy.CaseOfficers, m.subject, m.subject.Units); !may {
		return refusal(c.who)
	}
	var at *team.Place
	if m.rep.Lon != nil && m.rep.Lat != nil {
		at = &team.Place{Lon: *m.rep.Lon, Lat: *m.rep.Lat}
	}
	u, err := c.People.Unit(r.Context(), m.Unit)
	if err != nil {
		return err
	}
	list, err := c.OfficersFor(r.Context(), u.ID, at, c.crew(u).positions)
	if err != nil {
		return err
	}
	roster := c.Roster()
	var ids []uuid.UUID
	for i := range list {
		ids = append(ids, list[i].Person)
	}
	if id, _, ok := roster.Leader(u.ID, c.at); ok {
		ids = append(ids, id)
	}
	n, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	out := OfficerList{Unit: c.caseUnit(u.ID), Leader: c.leaderOf(roster, u.ID, n), Officers: make([]Officer, len(list))}
	for i := range list {
		o := &list[i]
		out.Officers[i] = Officer{Person: names(n).of(o.Person), Free: o.Free(), Certificated: o.Certificated, OnDuty: o.Duty.On, Away: o.Duty.Away, Load: o.Claims, Why: wordsOf(o.Why)}
		if !o.CertificateUntil.IsZero() {
			out.Officers[i].CertificateUntil = new(o.CertificateUntil.In(c.Zone).AddDate(0, 0, -1).Format(time.DateOnly))
		}
		if !math.IsNaN(o.DistanceM) {
			out.Officers[i].DistanceM, out.Officers[i].DistanceFrom = new(math.Round(o.DistanceM)), new(string(o.From))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

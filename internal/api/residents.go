package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/message"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/resident"
)

func (a *api) getReportOptions(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	channels, err := c.Residents.Channels(r.Context())
	if err != nil {
		return err
	}
	if _, err := a.sentURL(r); err != nil {
		channels = nil // nobody is to write a report that cannot be taken
	}
	out := ReportOptions{Name: c.Name, Generated: c.Generated, Timezone: c.Timezone, Channels: []Channel{}, Items: []Item{},
		AskAgainS: int(resident.AskAgain.Seconds()), CodeAgeS: int(resident.CodeAge.Seconds())}
	for _, ch := range channels {
		out.Channels = append(out.Channels, Channel(ch))
	}
	for i := range c.Names().Items {
		out.Items = append(out.Items, itemOf(&c.Names().Items[i]))
	}
	if c.Photos.Kept() {
		out.Photos = new(photo.MaxTold)
	}
	state := c.State()
	out.NameEn = optional(nameLatin(state.Layout))
	view := c.may(policy.CityView)
	out.Map = !view.Empty() && state.Layout != nil
	if out.Map {
		bbox := box(state.Layout.Bound)
		out.Basemap = optional(a.Basemap != nil)
		if list := c.Attribution(); len(list) > 0 {
			out.Attribution = &list
		}
		out.Bbox, out.Plan = &bbox, new(planOf(state.Layout.Plan).Version)
		for _, l := range state.Layout.Levels {
			if len(l.Units) > 0 {
				out.Top = new(Role(l.Role))
				break
			}
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, out)
}

func itemOf(i *report.Item) Item {
	return Item{Code: i.Code, Name: i.Name, NameEn: optional(i.NameEN), Aspect: optional(i.Aspect)}
}

// language is that of the messages to who asks.
func language(l *Language) (string, error) {
	switch {
	case l == nil:
		return resident.Chinese, nil
	case *l == resident.Chinese || *l == resident.English:
		return string(*l), nil
	}
	return "", fault.Invalid("language", "unknown_value", "is neither zh nor en")
}

func (a *api) sendCode(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in CodeRequest
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	lang, err := language(in.Language)
	if err != nil {
		return err
	}
	if _, err := a.sentURL(r); err != nil {
		return err
	}
	ask := resident.Ask{Channel: message.Channel(in.Channel), To: in.To, Language: lang, Address: clientAddress(r)}
	if err := c.Residents.SendCode(r.Context(), ask); err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, CodeSent{AskAgainS: int(resident.AskAgain.Seconds()), CodeAgeS: int(resident.CodeAge.Seconds())})
}

func (a *api) tellReport(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in ResidentReport
	if err := decode(r, maxReport, &in); err != nil {
		return err
	}
	id, err := report.ParseID(in.Id)
	if err != nil {
		return err
	}
	lang, err := language(in.Language)
	if err != nil {
		return err
	}
	base, err := a.sentURL(r)
	if err != nil {
		return err
	}
	page := base + "/" + c.Code + "/r#"
	t := resident.Telling{ID: id, Channel: message.Channel(in.Channel), To: in.To, Code: strings.TrimSpace(in.Code), Language: lang, Address: clientAddress(r),
		Lon: in.Lon, Lat: in.Lat, AccuracyM: in.AccuracyM, Item: strings.TrimSpace(in.Item), Place: trimmed(in.Address), Text: trimmed(in.Text), Name: trimmed(in.Name),
		Link: func(secret string) string { return page + secret }}
	if in.PositionSource != nil {
		t.PositionSource = string(*in.PositionSource)
	}
	if t.Photos, err = announced(in.Photos); err != nil {
		return err
	}
	filed, err := c.Residents.File(r.Context(), t)
	if err != nil {
		return err
	}
	rep := c.followed(&filed.Report)
	if err := c.countPhotos(r.Context(), filed.Report.Num, &rep); err != nil {
		return err
	}
	status := http.StatusCreated
	if filed.Existed {
		status = http.StatusOK
	}
	return writePrivate(w, status, ToldReport{Report: rep, Secret: filed.Secret, Url: t.Link(filed.Secret)})
}

// announced reads the photos that are to come with a report.
func announced(list *[]AnnouncedPhoto) ([]photo.Announced, error) {
	if list == nil {
		return nil, nil
	}
	var out []photo.Announced
	for i, p := range *list {
		id, bad := photo.ParseID(p.Id)
		if bad != nil {
			return nil, fault.Invalid(fmt.Sprintf("photos[%d].id", i), bad.Code, "%s", bad.Message)
		}
		out = append(out, photo.Announced{ID: id, Bytes: int64(p.Bytes)})
	}
	return out, nil
}

// writePrivate sends what nothing on the way may keep.
func writePrivate(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, status, v)
}

func trimmed(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

func (a *api) followReport(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in FollowRequest
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	rep, err := c.Residents.Follow(r.Context(), in.Secret)
	if err != nil {
		return err
	}
	out := c.followed(&rep)
	if err := c.tellOutcome(r.Context(), rep.Num, &out); err != nil {
		return err
	}
	if err := c.countPhotos(r.Context(), rep.Num, &out); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// countPhotos adds how many of the photos that were announced with a report have come.
func (c *call) countPhotos(ctx context.Context, num report.Num, out *FollowedReport) error {
	n, err := c.Photos.Told(ctx, num)
	if err == nil && len(n) > 0 {
		out.Photos = &ToldPhotos{Ready: n[photo.Ready], Coming: n[photo.Uploading], Refused: n[photo.Refused]}
	}
	return err
}

// tellOutcome adds what became of a report's case. Of one whose case is still to be opened it is that it was received.
func (c *call) tellOutcome(ctx context.Context, num report.Num, out *FollowedReport) error {
	o, err := c.Cases.OutcomeOf(ctx, casework.Ref{Report: num})
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	out.State, out.Reason, out.Merged = FollowedReportStateInHand, optional(o.Reason), optional(o.Merged)
	switch o.State {
	case casework.Reported, casework.Confirming:
		out.State = FollowedReportStateReceived
	case casework.Closed, casework.Evaluated:
		out.State, out.ClosedAt = FollowedReportStateClosed, moment(o.ClosedAt)
	case casework.Rejected:
		out.State = FollowedReportStateRejected
	case casework.Voided:
		out.State = FollowedReportStateVoided
	case casework.SelfSettled, casework.Accepted, casework.Filed, casework.Dispatched, casework.Returned, casework.Received, casework.Disposing,
		casework.Suspended, casework.FedBack, casework.Rework, casework.Verified, casework.Merged:
	}
	return nil
}

// followed is a report as its teller may see it: what they said, and what became of it. Neither its point nor who told it
// is part of it, so that a link in wrong hands tells as little as can be.
func (c *call) followed(r *report.Report) FollowedReport {
	out := FollowedReport{Num: int(r.Num), CapturedAt: utc(r.CapturedAt), ReceivedAt: utc(r.ReceivedAt), Item: Item{Code: r.Item, Name: r.Item},
		Address: r.Address, Text: r.Text, State: FollowedReportStateReceived}
	for i := range c.Names().Items {
		if item := &c.Names().Items[i]; item.Code == r.Item {
			out.Item = itemOf(item)
		}
	}
	l := c.State().Layout
	if r.Placement.Town != "" {
		out.Town = new(unitRef(l, jurisdiction.RoleTown, r.Placement.Town))
	}
	if r.Placement.Village != "" {
		out.Village = new(unitRef(l, jurisdiction.RoleVillage, r.Placement.Village))
	}
	return out
}

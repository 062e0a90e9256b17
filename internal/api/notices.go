package api

import (
	"context"
	"net/http"
	"time"

	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/notice"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// mostUnread is as far as unread notices are counted.
const mostUnread = 100

func (a *api) listNotices(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	unread, before, limit := q.get("unread"), q.integer("before", 1, 1<<53, 0), q.integer("limit", 1, 100, 30)
	if unread != "" && unread != "true" && unread != "false" {
		q.fail(fault.Invalid("unread", "unknown_value", "%.20q is neither true nor false", unread))
	}
	if err := q.done(); err != nil {
		return err
	}
	page, err := c.Notices.List(r.Context(), notice.Query{Person: c.who.Person, Unread: unread == "true", Before: int64(before), Limit: limit})
	if err != nil {
		return err
	}
	fresh, err := c.Notices.List(r.Context(), notice.Query{Person: c.who.Person, Unread: true, Limit: mostUnread})
	if err != nil {
		return err
	}
	list, err := c.stillSeen(r.Context(), page.Notices)
	if err != nil {
		return err
	}
	if fresh.Notices, err = c.stillSeen(r.Context(), fresh.Notices); err != nil {
		return err
	}
	out := NoticePage{Notices: make([]Notice, len(list)), Unread: len(fresh.Notices)}
	for i := range list {
		n := &list[i]
		one := Notice{Id: int(n.ID), Step: NoticeStep(n.Step), Why: NoticeWhy(n.Why), Words: wordsOf(n.Words), At: utc(n.At), Read: n.ReadAt != nil}
		if n.Case != nil {
			one.Case, one.Report, one.Clock = new(n.Case.String()), new(int(n.Case.Report)), optional(NoticeClock(n.Clock))
		}
		out.Notices[i] = one
	}
	if page.Next != 0 {
		out.Next = new(int(page.Next))
	}
	return writePrivate(w, http.StatusOK, out)
}

// stillSeen leaves out the notices of reports that who asks may see no longer: a right that ended is gone from what was told too.
func (c *call) stillSeen(ctx context.Context, list []notice.Notice) ([]notice.Notice, error) {
	reach := c.may(policy.ReportView)
	if reach.City {
		return list, nil
	}
	var nums []report.Num
	for i := range list {
		if k := list[i].Case; k != nil {
			nums = append(nums, k.Report)
		}
	}
	units, err := c.Cases.UnitsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	hears, view, unplaced := c.hears(&reach), c.View(), c.may(policy.ReportViewUnplaced)
	out := list[:0:0]
	for i := range list {
		k := list[i].Case
		if k == nil {
			out = append(out, list[i])
			continue
		}
		led := make([]int64, len(units[k.Report]))
		for j, u := range units[k.Report] {
			led[j] = int64(u)
		}
		row, has := view.Get(uint32(k.Report))
		if hears(uint32(k.Report), led) || !unplaced.Empty() && (!has || row.Face == cube.FaceNone) {
			out = append(out, list[i])
		}
	}
	return out, nil
}

func (a *api) readNotices(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NoticesRead
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	var ids []int64
	upTo := 0
	if in.Ids != nil {
		for _, id := range *in.Ids {
			ids = append(ids, int64(id))
		}
	}
	if in.UpTo != nil {
		upTo = *in.UpTo
	}
	if len(ids) == 0 && upTo == 0 {
		return fault.Invalid("ids", "required", "is missing: say which, or up to which")
	}
	if err := c.Notices.Read(r.Context(), c.who.Person, ids, int64(upTo)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) getNoticeChoice(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	return c.writeNoticeChoice(w, r)
}

func (c *call) writeNoticeChoice(w http.ResponseWriter, r *http.Request) error {
	choice, address, err := c.Notices.ChoiceOf(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	mail, err := c.Notices.MailReady(r.Context())
	if err != nil && !fault.Is(err, fault.KindUnavailable) { // sealed, and the key is not there: nothing is sent
		return err
	}
	return writePrivate(w, http.StatusOK, NoticeChoice{Language: NoticeChoiceLanguage(choice.Language), Amber: choice.Mail.Amber, Late: choice.Mail.Late, Red: choice.Mail.Red,
		Supervise: choice.Mail.Supervise, Push: NoticeWish(choice.Push), Address: address, Mail: mail})
}

func (a *api) setNoticeChoice(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NoticeChoiceChange
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	choice, _, err := c.Notices.ChoiceOf(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	choice.Language, choice.Mail = string(in.Language), notice.Wish{Amber: in.Amber, Late: in.Late, Red: in.Red, Supervise: in.Supervise}
	if in.Push != nil {
		choice.Push = notice.Wish(*in.Push)
	}
	if err := c.Notices.Choose(r.Context(), c.who.Person, choice); err != nil {
		return err
	}
	return c.writeNoticeChoice(w, r)
}

func (a *api) getEscalation(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	return c.writeEscalation(w, r)
}

func (c *call) writeEscalation(w http.ResponseWriter, r *http.Request) error {
	set, err := notice.ReadSettings(r.Context(), c.Pool)
	if err != nil {
		return err
	}
	days, err := c.Retention.Days(r.Context())
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, Escalation{Grace: set.Grace.String(), QuietFrom: string(set.QuietFrom), QuietUntil: string(set.QuietUntil), RetentionDays: days})
}

func (a *api) changeEscalation(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in struct { // Escalation, with what is missing told apart from 0: that would keep all
		Grace         string `json:"grace"`
		QuietFrom     string `json:"quiet_from"`
		QuietUntil    string `json:"quiet_until"`
		RetentionDays *int   `json:"retention_days"`
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	if in.RetentionDays == nil {
		return fault.Invalid("retention_days", "required", "is missing: all settings are replaced, so all have to be sent")
	}
	grace, err := worktime.ParseBudget(in.Grace)
	if err != nil {
		if f, ok := fault.As(err); ok {
			return fault.Invalid("grace", f.Code, "%s", f.Message)
		}
		return err
	}
	set := notice.Settings{Grace: grace, QuietFrom: notice.Clock(in.QuietFrom), QuietUntil: notice.Clock(in.QuietUntil)}
	if err := set.Check(); err != nil {
		return err
	}
	if err := c.Retention.SetDays(r.Context(), *in.RetentionDays); err != nil {
		return err
	}
	if err := notice.WriteSettings(r.Context(), c.Pool, c.Writer, a.Now().UTC(), set); err != nil {
		return err
	}
	return c.writeEscalation(w, r)
}

func (a *api) previewRetention(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	days := q.integer("days", 0, 1<<31, 0)
	if err := q.done(); err != nil {
		return err
	}
	if days == 0 {
		return fault.Invalid("days", "required", "is missing: after how many days?")
	}
	p, err := c.Retention.Preview(r.Context(), days)
	if f, ok := fault.As(err); ok && f.Field == "retention_days" {
		return fault.Invalid("days", f.Code, "%s", f.Message)
	}
	if err != nil {
		return err
	}
	out := RetentionPreview{Reports: p.Reports}
	if p.First != nil {
		out.First = new(p.First.UTC())
	}
	return writePrivate(w, http.StatusOK, out)
}

// when is a time, or nil for none.
func when(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/casework"
	"gridgov/internal/notice"
	"gridgov/internal/person"
	"gridgov/internal/push"
	"gridgov/internal/push/pushtest"
)

const password = "watch-the-tidal-bore"

// hired gives somebody an account.
func (w *watch) hired(id uuid.UUID) {
	w.t.Helper()
	if _, err := w.c.Auth.CreateAccount(w.t.Context(), auth.NewAccount{Person: id, Login: "p" + id.String(), Password: password}); err != nil {
		w.t.Fatal(err)
	}
}

// in signs somebody in, in a browser that had another session; "": none.
func (w *watch) in(id uuid.UUID, old string) auth.SignedIn {
	w.t.Helper()
	in, err := w.c.Auth.SignIn(w.t.Context(), auth.Attempt{Login: "p" + id.String(), Password: password, Address: "192.0.2.1", OldToken: old})
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// phone is a browser of somebody's, that is told in a session.
func (w *watch) phone(out *pushtest.Service, in auth.SignedIn, language string) *pushtest.Browser {
	w.t.Helper()
	w.c.Push.Guard = out.Guard()
	key, err := w.c.Push.Key(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	b := out.Browser(key)
	_, err = w.c.Push.Add(w.t.Context(), push.New{Person: in.Identity.Person, Session: in.Identity.Session, Endpoint: b.Endpoint, P256dh: b.P256dh, Auth: b.Auth,
		Language: language, Origin: "https://grid.example.org"})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *watch) devices(id uuid.UUID) []push.Device {
	w.t.Helper()
	list, err := w.c.Push.List(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// pushJobs are the messages that wait.
func (w *watch) pushJobs() (jobs []*river.Job[notice.PushArgs]) {
	w.t.Helper()
	rows, err := w.c.Pool.Query(w.t.Context(), `SELECT id, args FROM river_job WHERE kind = 'notice_push' ORDER BY id`)
	if err != nil {
		w.t.Fatal(err)
	}
	var id int64
	var args notice.PushArgs
	_, err = pgx.ForEachRow(rows, []any{&id, &args}, func() error {
		jobs = append(jobs, &river.Job[notice.PushArgs]{JobRow: &rivertype.JobRow{ID: id, Attempt: 1}, Args: args})
		args = notice.PushArgs{}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return jobs
}

func shownOn(t *testing.T, b *pushtest.Browser) (list []notice.Shown) {
	t.Helper()
	for _, m := range b.Got() {
		var s notice.Shown
		if err := json.Unmarshal(m.Payload, &s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// Devices are told of what people want to be told, each in its language, not in the quiet hours, and of nothing that a lock screen must
// not show.
func TestNoticesOnDevices(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.desk)
	phone, tablet := w.phone(out, w.in(w.desk, ""), "zh"), w.phone(out, w.in(w.desk, ""), "en")
	told := at(0, 0, "1")
	told.Title, told.Text, told.Address = "secret title", "secret words", "secret address"
	num, _, err := w.c.Reports.File(t.Context(), told)
	if err != nil {
		t.Fatal(err)
	}
	ref := casework.Ref{Report: num}
	w.at(24, "16:48")
	if n := len(w.pushJobs()); n != 0 {
		t.Errorf("%d messages of amber, which nobody has asked for", n)
	}
	w.at(24, "17:00")
	jobs := w.pushJobs()
	if len(jobs) != 2 || len(w.mailJobs()) != 0 { // the centre's head has no device, and the city sends no mail
		t.Fatalf("%d messages, %d mails", len(jobs), len(w.mailJobs()))
	}
	worker := &notice.PushWorker{Service: w.c.Notices}
	for clock, held := range map[string]time.Duration{"22:00": 9 * time.Hour, "23:30": 7*time.Hour + 30*time.Minute} {
		w.now, _ = time.ParseInLocation(time.DateTime, "2026-11-24 "+clock+":00", w.c.Zone)
		var snooze *rivertype.JobSnoozeError
		if err := worker.Work(t.Context(), jobs[0]); !errors.As(err, &snooze) || snooze.Duration != held {
			t.Errorf("at %s: %v", clock, err)
		}
	}
	w.now = time.Date(2026, 11, 25, 7, 0, 0, 0, w.c.Zone)
	for _, j := range append(jobs, jobs[0]) { // the first once more, as after a crash
		if err := worker.Work(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	zh, en := shownOn(t, phone), shownOn(t, tablet)
	if len(zh) != 2 || len(en) != 1 || zh[0] != zh[1] {
		t.Fatalf("%+v, %+v", zh, en)
	}
	want := notice.Shown{City: w.c.Code, Language: "zh", Title: w.c.Name, Tag: "case-" + ref.String(), Step: notice.Red, Case: ref.String(), Notice: zh[0].Notice,
		Body: fmt.Sprintf("案件 %s（一）已超派遣时限，11月24日 17:00到期", ref), At: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	if zh[0] != want {
		t.Errorf("%+v, want %+v", zh[0], want)
	}
	if en[0].Language != "en" || !strings.HasPrefix(en[0].Body, "Case ") || en[0].Tag != zh[0].Tag {
		t.Errorf("%+v", en[0])
	}
	m, again := phone.Got()[0], phone.Got()[1]
	if m.Urgency != "normal" || m.TTL != 24*time.Hour || m.Topic == "" || m.Topic != again.Topic || m.Subject != "https://grid.example.org" || strings.Contains(string(m.Payload), "secret") {
		t.Errorf("%+v %s", m, m.Payload)
	}
	// Who wants none has none, also of what is under way; e-mail is another matter.
	if err := w.c.Notices.Choose(t.Context(), w.desk, notice.Choice{Language: "zh", Mail: notice.Wish{Red: true}, Push: notice.Wish{Amber: true}}); err != nil {
		t.Fatal(err)
	}
	if err := worker.Work(t.Context(), jobs[0]); err != nil || len(phone.Got()) != 2 {
		t.Errorf("not wanted any more: %v", err)
	}
	w.exec(`DELETE FROM river_job`)
	w.filed()
	w.at(25, "12:00")
	if n := len(w.pushJobs()); n != 0 {
		t.Errorf("%d messages of red, which is not wanted", n)
	}
}

// What is in clock hours does not wait for the morning, and wakes the device.
func TestUrgentMessagesPassQuietHours(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.worker)
	phone := w.phone(out, w.in(w.worker, ""), "zh")
	ref := casework.Ref{Report: w.filed()}
	w.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	w.exec(`UPDATE clock SET marks = jsonb_set(marks, '{0,limit}', '"4 ch"'), due_at = started_at + interval '4 h', amber_at = started_at + interval '192 min', next_at = started_at + interval '4 h'
		WHERE kind = 'disposal'`)
	w.exec(`UPDATE clock SET next_at = NULL WHERE kind <> 'disposal'`)
	w.now = time.Date(2026, 11, 24, 22, 30, 0, 0, w.c.Zone)
	w.sweep()
	jobs := w.pushJobs()
	if len(jobs) != 1 {
		t.Fatalf("%d messages", len(jobs))
	}
	if err := (&notice.PushWorker{Service: w.c.Notices}).Work(t.Context(), jobs[0]); err != nil {
		t.Error(err)
	}
	if got := phone.Got(); len(got) != 1 || got[0].Urgency != "high" || !shownOn(t, phone)[0].Urgent {
		t.Errorf("%+v", got)
	}
}

// What was settled, or read on the page, is not sent; neither is what comes to nobody any more.
func TestMessagesAreNotSentInVain(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.desk)
	in := w.in(w.desk, "")
	phone := w.phone(out, in, "zh")
	settled, read := casework.Ref{Report: w.filed()}, casework.Ref{Report: w.filed()}
	w.filed()
	w.at(24, "17:00")
	jobs := w.pushJobs()
	if len(jobs) != 3 {
		t.Fatalf("%d messages", len(jobs))
	}
	w.do(settled, casework.Accept, casework.File, casework.Dispatch)
	w.exec(`UPDATE notice SET read_at = now() WHERE report_num = $1`, read.Report)
	w.now = time.Date(2026, 11, 25, 9, 0, 0, 0, w.c.Zone)
	worker := &notice.PushWorker{Service: w.c.Notices}
	for _, j := range jobs[:2] {
		if err := worker.Work(t.Context(), j); err != nil {
			t.Error(err)
		}
	}
	w.now = time.Date(2026, 11, 26, 17, 1, 0, 0, w.c.Zone) // two days later
	w.exec(`UPDATE clock SET next_at = NULL`)
	var cancel *rivertype.JobCancelError
	if err := worker.Work(t.Context(), jobs[2]); !errors.As(err, &cancel) {
		t.Errorf("two days later: %v", err)
	}
	w.now = time.Date(2026, 11, 25, 9, 0, 0, 0, w.c.Zone)
	if err := w.c.Auth.SignOut(t.Context(), in.Token); err != nil {
		t.Fatal(err)
	}
	if err := worker.Work(t.Context(), jobs[2]); err != nil {
		t.Error(err)
	}
	if n := phone.Asked(); n != 0 {
		t.Errorf("it was told %d times", n)
	}
}

// What becomes of a job follows from what the push service says.
func TestAnswersToMessages(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.desk)
	phone := w.phone(out, w.in(w.desk, ""), "zh")
	w.filed()
	w.at(24, "17:00")
	job := w.pushJobs()[0]
	worker := &notice.PushWorker{Service: w.c.Notices}
	var snooze *rivertype.JobSnoozeError
	var cancel *rivertype.JobCancelError
	phone.Status(503, "600")
	if err := worker.Work(t.Context(), job); !errors.As(err, &snooze) || snooze.Duration != 10*time.Minute {
		t.Errorf("busy: %v", err)
	}
	phone.Status(500, "")
	if err := worker.Work(t.Context(), job); err == nil || errors.As(err, &cancel) {
		t.Errorf("broken: %v", err)
	}
	phone.Status(413, "")
	if err := worker.Work(t.Context(), job); !errors.As(err, &cancel) {
		t.Errorf("refused: %v", err)
	}
	phone.Status(410, "")
	if err := worker.Work(t.Context(), job); err != nil || len(w.devices(w.desk)) != 0 {
		t.Errorf("gone: %v", err)
	}
	asked := phone.Asked()
	if err := worker.Work(t.Context(), job); err != nil || phone.Asked() != asked {
		t.Errorf("after it was gone: %v", err)
	}
}

// Of much at once a device is told the number, once.
func TestMuchAtOnceIsOneMessage(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.desk)
	phone := w.phone(out, w.in(w.desk, ""), "zh")
	const cases = 7
	var first casework.Ref
	for i := range cases {
		if ref := (casework.Ref{Report: w.filed()}); i == 0 {
			first = ref
		}
	}
	w.at(24, "17:00")
	jobs := w.pushJobs()
	if len(jobs) != 1 || len(jobs[0].Args.Notices) != cases {
		t.Fatalf("%d messages", len(jobs))
	}
	w.do(first, casework.Accept, casework.File, casework.Dispatch)
	if err := (&notice.PushWorker{Service: w.c.Notices}).Work(t.Context(), jobs[0]); err != nil {
		t.Fatal(err)
	}
	if got := shownOn(t, phone); len(got) != 1 || got[0].Count != cases-1 || got[0].Case != "" || got[0].Tag != "many" || got[0].Body != "6 件事项将到期或超时" {
		t.Errorf("%+v", got)
	}
}

// Two nodes at once: each device is told once of each matter.
func TestNodesTellDevicesOnce(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	var phones []*pushtest.Browser
	for _, id := range []uuid.UUID{w.desk, w.centre} {
		w.hired(id)
		for range 3 {
			phones = append(phones, w.phone(out, w.in(id, ""), "zh"))
		}
	}
	refs := []string{casework.Ref{Report: w.filed()}.String(), casework.Ref{Report: w.filed()}.String(), casework.Ref{Report: w.filed()}.String()}
	w.now = time.Date(2026, 11, 24, 17, 0, 0, 0, w.c.Zone)
	clock := func() time.Time { return w.now }
	second, err := app.Open(t.Context(), w.db, w.c.City, w.c.Push.Ring, apptest.Quiet(), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	second.Push.Guard = out.Guard()
	ctx, stop := context.WithCancel(t.Context())
	var nodes sync.WaitGroup
	t.Cleanup(func() { stop(); nodes.Wait() })
	for _, c := range []*app.City{w.c, second} {
		nodes.Go(func() {
			if _, err := c.Notices.Round(ctx); err != nil {
				t.Error(err)
			}
			if err := c.Jobs.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, "all are told", func() bool {
		return w.count(`SELECT count(*) FROM river_job WHERE kind = 'notice_push' AND state = 'completed'`) == len(phones)*len(refs)
	})
	for _, p := range phones {
		var cases []string
		for _, s := range shownOn(t, p) {
			cases = append(cases, s.Case)
		}
		slices.Sort(cases)
		if !slices.Equal(cases, refs) {
			t.Errorf("told of %v, want each of %v once", cases, refs)
		}
	}
}

// A device is told until somebody ends the session in which it was named, or the account; not only until the session runs out.
func TestDevicesEndWithSessions(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	type who struct {
		id          uuid.UUID
		phone, desk auth.SignedIn // the device was named in the first
	}
	for name, c := range map[string]struct {
		do    func(p *who) error
		stays bool
	}{
		"signed out":           {func(p *who) error { return w.c.Auth.SignOut(t.Context(), p.phone.Token) }, false},
		"signed out elsewhere": {func(p *who) error { return w.c.Auth.SignOut(t.Context(), p.desk.Token) }, true},
		"ended":                {func(p *who) error { return w.c.Auth.EndSession(t.Context(), p.id, p.phone.Identity.Session) }, false},
		"the other one ended":  {func(p *who) error { return w.c.Auth.EndSession(t.Context(), p.id, p.desk.Identity.Session) }, true},
		"all others ended": {func(p *who) error {
			_, err := w.c.Auth.EndOthers(t.Context(), p.id, p.desk.Identity.Session)
			return err
		}, false},
		"all others ended from it": {func(p *who) error {
			_, err := w.c.Auth.EndOthers(t.Context(), p.id, p.phone.Identity.Session)
			return err
		}, true},
		"password changed": {func(p *who) error {
			return w.c.Auth.ChangePassword(t.Context(), p.desk.Identity, "192.0.2.1", password, password+"-2")
		}, false},
		"password changed on it": {func(p *who) error {
			return w.c.Auth.ChangePassword(t.Context(), p.phone.Identity, "192.0.2.1", password, password+"-2")
		}, true},
		"password reset": {func(p *who) error { _, err := w.c.Auth.ResetPassword(t.Context(), p.id); return err }, false},
		"disabled":       {func(p *who) error { return w.c.Auth.Disable(t.Context(), p.id) }, false},
		"erased":         {func(p *who) error { return w.c.Auth.Erase(t.Context(), p.id) }, false},
		"signed in anew": {func(p *who) error { p.phone = w.in(p.id, p.phone.Token); return nil }, true},
		"signed in anew, then out": {func(p *who) error {
			return w.c.Auth.SignOut(t.Context(), w.in(p.id, p.phone.Token).Token)
		}, false},
		"another signed in on it": {func(p *who) error {
			w.hired(w.mayor)
			w.in(w.mayor, p.phone.Token)
			return nil
		}, false},
		"ran out": {func(p *who) error {
			w.exec(`UPDATE session SET ends_at = $2 WHERE id = $1`, p.phone.Identity.Session, apptest.Now)
			w.in(p.id, p.desk.Token)
			if n := w.count(`SELECT count(*) FROM session WHERE id = $1`, p.phone.Identity.Session); n != 0 {
				t.Error("the session that ran out is still there")
			}
			return nil
		}, true},
		"ran out, then all others ended": {func(p *who) error {
			w.exec(`UPDATE session SET ends_at = $2 WHERE id = $1`, p.phone.Identity.Session, apptest.Now)
			desk := w.in(p.id, p.desk.Token)
			_, err := w.c.Auth.EndOthers(t.Context(), p.id, desk.Identity.Session)
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := w.c.People.Create(t.Context(), person.New{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			w.hired(made.ID)
			p := &who{id: made.ID, phone: w.in(made.ID, ""), desk: w.in(made.ID, "")}
			w.phone(out, p.phone, "zh")
			if err := c.do(p); err != nil {
				t.Fatal(err)
			}
			list := w.devices(p.id)
			if (len(list) == 1) != c.stays {
				t.Fatalf("%d devices", len(list))
			}
			if name == "signed in anew" && list[0].Session != p.phone.Identity.Session {
				t.Error("it hangs on the session before")
			}
		})
	}
}

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app/apptest"
	"gridgov/internal/blob"
	"gridgov/internal/casework"
	"gridgov/internal/notice"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/push/pushtest"
	"gridgov/internal/report"
)

// quicker is a case that the worker confirmed, and what the other, who saw the same, asks for after that.
func (w *watch) quicker() (casework.Ref, casework.Ask) {
	w.t.Helper()
	ref := casework.Ref{Report: w.filed()}
	w.do(ref, casework.AskConfirm, casework.Confirm)
	a := w.ask(ref, casework.Confirm)
	a.Person, a.Version, a.Key, a.KeepLate = w.other, 1, uuid.New(), true
	return ref, a
}

// keptLate sends what comes too late.
func (w *watch) keptLate(a casework.Ask) {
	w.t.Helper()
	if err := second(w.c.Cases.Do(w.t.Context(), a)); code(err) != "kept_late" {
		w.t.Fatalf("%v", err)
	}
}

// Who was quicker is told once; where they are gone, who leads the unit; and nobody of what they did themselves on another phone.
func TestWhoIsToldOfWhatCameTooLate(t *testing.T) {
	w := newWatch(t)
	_, a := w.quicker()
	w.keptLate(a)
	w.keptLate(a)
	w.expect("who was quicker", "worker late quicker")

	_, a = w.quicker()
	a.Person = w.worker
	w.keptLate(a)
	w.expect("who did both", "")

	_, a = w.quicker()
	if _, err := w.c.Pool.Exec(t.Context(), `UPDATE post SET ends = '2026-01-02' WHERE person_id = $1`, w.worker); err != nil {
		t.Fatal(err)
	}
	w.keptLate(a)
	w.expect("the worker has no post any more", "head late unit_head")

	_, a = w.quicker()
	a.Person = w.head
	w.keptLate(a)
	w.expect("its head came too late themselves", "")
}

// A device is told as the page is, with nothing of what was written; not of what was read by then.
func TestADeviceIsToldOfWhatCameTooLate(t *testing.T) {
	w := newWatch(t)
	out := pushtest.New(t)
	w.hired(w.worker)
	phone := w.phone(out, w.in(w.worker, ""), "zh")
	ref, a := w.quicker()
	a.Reason = "canaryreason"
	w.keptLate(a)
	jobs := w.pushJobs()
	if len(jobs) != 1 || jobs[0].Args.Person != w.worker || len(w.mailJobs()) != 0 {
		t.Fatalf("%d jobs, %d mails", len(jobs), len(w.mailJobs()))
	}
	w.now = w.now.Add(time.Minute)
	work := func() {
		t.Helper()
		if err := (&notice.PushWorker{Service: w.c.Notices}).Work(t.Context(), jobs[0]); err != nil {
			t.Fatal(err)
		}
	}
	work()
	got := shownOn(t, phone)
	if len(got) != 1 || got[0].Step != notice.Late || got[0].Case != ref.String() || strings.Contains(got[0].Body, "canary") || !strings.Contains(got[0].Body, "现场核实") {
		t.Fatalf("%+v", got)
	}
	w.exec(`UPDATE notice SET read_at = at`)
	if work(); len(phone.Got()) != 1 {
		t.Error("told of what was read on the page")
	}
}

// What a late act shows stays as long as its case: no sweep takes it, and whoever wants to remove it may not.
func TestLateEvidenceIsNotSwept(t *testing.T) {
	w := newWatch(t)
	ref, a := w.quicker()
	picture := apptest.Photo(t, w.c, w.other)
	a.Evidence = []uuid.UUID{picture}
	w.keptLate(a)
	root, err := blob.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.c.Photos.Store = root.City(w.c.Code)
	w.c.Photos.Workshop = photo.NewWorkshop(photo.DefaultMemory)
	unused := apptest.Photo(t, w.c, w.other)
	w.c.Photos.Now = func() time.Time { return apptest.Now.AddDate(0, 2, 0) }
	if err := w.c.Photos.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.c.Photos.Get(t.Context(), photo.ID(unused)); code(err) != "not_found" {
		t.Errorf("one that shows nothing is still there: %v", err)
	}
	shown, err := w.c.Photos.Of(t.Context(), photo.Use{Report: ref.Report, N: -1})
	if err != nil || !slices.Equal(shown, []photo.ID{photo.ID(picture)}) {
		t.Errorf("%v, %v", shown, err)
	}
	if err := w.c.Photos.Remove(t.Context(), w.other, photo.ID(picture)); code(err) != "photo_used" {
		t.Error(err)
	}
	late, err := w.c.Cases.LateActs(t.Context(), ref)
	if err != nil || len(late) != 1 || !slices.Equal(late[0].Evidence, []uuid.UUID{picture}) {
		t.Errorf("%+v, %v", late, err)
	}
}

// Who led a case then could have fed it back then, though another unit has it now; who leads it now could not.
func TestLateIsJudgedByTheUnitsOfThen(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	c := o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	transfer := o.ask(ref, casework.Transfer)
	transfer.Unit = o.bureau
	if err := second(o.c.Cases.Do(t.Context(), transfer)); err != nil {
		t.Fatal(err)
	}
	a := o.ask(ref, casework.FeedBack)
	a.Version, a.KeepLate = c.Version, true
	of := func(unit policy.UnitID) func(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) {
		return func(action policy.Action, _ report.Num, units []policy.UnitID) (policy.PostID, bool) {
			return 0, action == policy.ReportView || slices.Contains(units, unit)
		}
	}
	for unit, want := range map[policy.UnitID]string{o.bureau: "case_changed", o.far: "case_changed", o.near: "kept_late"} {
		a.May, a.Key = of(unit), uuid.New()
		if err := second(o.c.Cases.Do(t.Context(), a)); code(err) != want {
			t.Errorf("unit %d: %v, want %s", unit, err, want)
		}
	}
	o.whole(caseOf2(t, o.c, ref))
}

package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"gridgov/internal/fault"
	"gridgov/internal/job"
	"gridgov/internal/push"
)

// PushArgs ask to tell one of a person's devices of notices. They hold ids alone: what it is told is read when it is sent.
type PushArgs struct {
	Person  uuid.UUID `json:"person"`
	Device  uuid.UUID `json:"device"`
	Notices []int64   `json:"notices"`
}

// Kind implements [river.JobArgs].
func (PushArgs) Kind() string { return "notice_push" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (PushArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: job.Push, MaxAttempts: job.Tries}
}

// mostApart is how many notices of a round a device is told one by one; of more it is told the number.
const mostApart = 3

// pushes are the jobs that tell a person's devices of notices.
func pushes(person uuid.UUID, devices []uuid.UUID, notices []int64) (jobs []river.JobArgs) {
	size := 1
	if len(notices) > mostApart {
		size = len(notices)
	}
	for _, d := range devices {
		for list := range slices.Chunk(notices, size) {
			jobs = append(jobs, PushArgs{Person: person, Device: d, Notices: list})
		}
	}
	return jobs
}

// PushWorker tells devices. One is told again only where the process ended after the push service had taken the message and before that was
// written down; then the message has the same tag, and takes the place of the first.
type PushWorker struct {
	river.WorkerDefaults[PushArgs]
	Service *Service
}

// NextRetry implements [river.Worker].
func (w *PushWorker) NextRetry(j *river.Job[PushArgs]) time.Time {
	return time.Now().Add(job.Pause(j.Attempt))
}

// Work implements [river.Worker].
func (w *PushWorker) Work(ctx context.Context, j *river.Job[PushArgs]) error {
	s := w.Service
	choices, err := choicesOf(ctx, s.Pool, []uuid.UUID{j.Args.Person})
	if err != nil {
		return err
	}
	c, reachable := choices[j.Args.Person]
	if !reachable {
		return nil
	}
	d, err := s.Push.Device(ctx, j.Args.Person, j.Args.Device)
	if fault.Is(err, fault.KindNotFound) {
		return nil // signed out, given up, or another's now
	} else if err != nil {
		return err
	}
	list, err := s.standing(ctx, j.Args.Person, j.Args.Notices, &c.Push)
	if err != nil || len(list) == 0 { // read on the page, settled, or not wanted any more
		return err
	}
	if err := s.mayGo(ctx, list); err != nil {
		return err
	}
	shown := s.shown(list, d.Language)
	payload, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	err = s.Push.Send(ctx, &d, push.Message{Payload: payload, About: shown.Tag, TTL: job.GiveUpAfter, Urgent: shown.Urgent})
	var failed *push.Failure
	switch {
	case !errors.As(err, &failed):
		return err
	case failed.Gone:
		return nil
	case failed.Final:
		return river.JobCancel(err)
	case failed.Wait > 0:
		return river.JobSnooze(failed.Wait)
	}
	return err
}

// Shown is what a device is sent: what its lock screen may show to anybody, so it holds what [wordsOf] has, and nothing of who told a
// matter, of what they wrote, or of whom it is shown to.
type Shown struct {
	City     string    `json:"city"` // its code
	Language string    `json:"language"`
	Title    string    `json:"title"` // the city's name
	Body     string    `json:"body"`
	Tag      string    `json:"tag"` // the same of all notices of a case: the newer takes the place of the older
	Step     Step      `json:"step,omitempty"`
	Case     string    `json:"case,omitempty"` // none: it is of several
	Notice   int64     `json:"notice,omitempty"`
	Count    int       `json:"count,omitempty"` // of how many matters it is, where it is of several
	Urgent   bool      `json:"urgent,omitempty"`
	At       time.Time `json:"at"`
	Test     bool      `json:"test,omitempty"`
}

// maxTitle and maxBody are how many characters a device is shown, whatever a city calls itself and its items.
const maxTitle, maxBody = 60, 300

func (s *Service) shown(list []toldRow, language string) Shown {
	first := &list[0]
	out := Shown{City: s.Push.City, Language: language, Title: clip(s.Mail.City(language), maxTitle), At: first.at.UTC(), Urgent: urgent(list)}
	if len(list) > 1 {
		out.Count, out.Tag, out.Body = len(list), "many", fmt.Sprintf("%d matters near or past their limit", len(list))
		if language == "zh" {
			out.Body = fmt.Sprintf("%d 件事项将到期或超时", len(list))
		}
		return out
	}
	out.Step, out.Case, out.Notice, out.Tag, out.Body = first.step, first.ref.String(), first.id, "case-"+first.ref.String(), first.words.EN
	if language == "zh" {
		out.Body = first.words.ZH
	}
	out.Body = clip(out.Body, maxBody)
	return out
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// TestPush tells one of a person's own devices that it is told, and returns why not where it was not.
func (s *Service) TestPush(ctx context.Context, person, device uuid.UUID) (*push.Failure, error) {
	return s.Push.Test(ctx, person, device, func(d *push.Device) ([]byte, error) {
		out := Shown{City: s.Push.City, Language: d.Language, Title: clip(s.Mail.City(d.Language), maxTitle), Body: "Notices reach this device.", Tag: "test", At: s.Now().UTC(), Test: true}
		if d.Language == "zh" {
			out.Body = "此设备可以收到通知。"
		}
		return json.Marshal(out)
	})
}

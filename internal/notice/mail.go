package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"gridgov/internal/casework"
	"gridgov/internal/job"
	"gridgov/internal/message"
	"gridgov/internal/worktime"
)

// MailArgs ask to write to a person of notices. They hold ids alone: what the mail says is read when it is sent.
type MailArgs struct {
	Person  uuid.UUID `json:"person"`
	Notices []int64   `json:"notices"`
}

// Kind implements [river.JobArgs].
func (MailArgs) Kind() string { return "notice_mail" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (MailArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: job.Tries} }

// Mail is what e-mail needs besides.
type Mail struct {
	City    func(language string) string // its name
	Link    func() string                // the address of the city's page; "": none is known
	Senders func(context.Context) (map[message.Channel]message.Sender, error)
}

// MailWorker writes e-mail. A mail is sent again only where the process ended after the server had taken it and before that was
// written down; then it has the same Message-ID.
type MailWorker struct {
	river.WorkerDefaults[MailArgs]
	Service *Service
}

// NextRetry implements [river.Worker].
func (w *MailWorker) NextRetry(j *river.Job[MailArgs]) time.Time {
	return time.Now().Add(job.Pause(j.Attempt))
}

// toldRow is a notice as what goes out of the house needs it.
type toldRow struct {
	id     int64
	step   Step
	ref    casework.Ref
	words  worktime.Words
	why    Why
	at     time.Time
	urgent bool
}

// Work implements [river.Worker].
func (w *MailWorker) Work(ctx context.Context, j *river.Job[MailArgs]) error {
	s := w.Service
	choices, err := choicesOf(ctx, s.Pool, []uuid.UUID{j.Args.Person})
	if err != nil {
		return err
	}
	to, reachable := choices[j.Args.Person]
	if !reachable || to.email == "" {
		return nil // gone, or the address is
	}
	list, err := s.standing(ctx, j.Args.Person, j.Args.Notices, &to.Mail)
	if err != nil || len(list) == 0 { // read on the page, settled, or not wanted any more
		return err
	}
	if err := s.mayGo(ctx, list); err != nil {
		return err
	}
	senders, err := s.Mail.Senders(ctx)
	if err != nil {
		return err
	}
	sender := senders[message.Email]
	if sender == nil {
		return river.JobCancel(errors.New("the city sends no e-mail any more"))
	}
	if to.Language == "" {
		to.Language = DefaultChoice(s.Zone.String()).Language
	}
	m := s.compose(list, to.Language)
	m.To, m.ID = to.email, fmt.Sprintf("notice.%s.%d", j.Args.Person, j.Args.Notices[0])
	err = sender.Send(ctx, m)
	var failed *message.Failure
	if errors.As(err, &failed) && failed.Final {
		return river.JobCancel(err)
	}
	return err
}

// standing are the notices that are still worth it: unread, wanted, and where they are of a clock, of one that runs as it did.
func (s *Service) standing(ctx context.Context, person uuid.UUID, notices []int64, wish *Wish) ([]toldRow, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT id, step, why, words_zh, words_en, at, report_num, part, clock, round FROM notice
		WHERE id = ANY ($1) AND person_id = $2 AND read_at IS NULL AND report_num IS NOT NULL ORDER BY id`, notices, person)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	var list []toldRow
	var refs []casework.Ref
	var clocks, rounds []int
	var of []int // which of the list these are of
	var n toldRow
	var clock, round *int
	_, err = pgx.ForEachRow(rows, []any{&n.id, &n.step, &n.why, &n.words.ZH, &n.words.EN, &n.at, &n.ref.Report, &n.ref.Part, &clock, &round}, func() error {
		if !wish.Has(n.step) {
			return nil
		}
		if clock != nil {
			refs, clocks, rounds, of = append(refs, n.ref), append(clocks, *clock), append(rounds, *round), append(of, len(list))
		}
		list = append(list, n)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	running, err := casework.StillRunning(ctx, s.Pool, refs, clocks, rounds)
	if err != nil {
		return nil, err
	}
	settled := make([]bool, len(list))
	for i, at := range of {
		settled[at], list[at].urgent = !running[i].Still, running[i].Urgent
	}
	out := list[:0]
	for i, n := range list {
		if !settled[i] {
			out = append(out, n)
		}
	}
	return out, nil
}

func urgent(list []toldRow) bool {
	return slices.ContainsFunc(list, func(n toldRow) bool { return n.urgent })
}

// mayGo holds what is not urgent through the quiet hours, and gives up what comes too late: as a job is told.
func (s *Service) mayGo(ctx context.Context, list []toldRow) error {
	set, err := ReadSettings(ctx, s.Pool)
	if err != nil {
		return err
	}
	now := s.Now()
	if end := set.QuietUntilAt(now, s.Zone); !urgent(list) && !end.IsZero() {
		return river.JobSnooze(end.Sub(now))
	}
	if now.Sub(list[0].at) > job.GiveUpAfter+24*time.Hour { // with what the quiet hours may have held it for
		return river.JobCancel(errors.New("it came too late to be sent"))
	}
	return nil
}

// maxLines is how many matters a mail names.
const maxLines = 30

// compose writes the mail. It holds what the notices say, and nothing of who told a matter or of what they wrote.
func (s *Service) compose(list []toldRow, language string) message.Message {
	zh := language == "zh"
	name := s.Mail.City(language)
	var b strings.Builder
	for i, n := range list {
		if i == maxLines {
			if zh {
				fmt.Fprintf(&b, "……另有 %d 件\n", len(list)-i)
			} else {
				fmt.Fprintf(&b, "… and %d more\n", len(list)-i)
			}
			break
		}
		if zh {
			fmt.Fprintf(&b, "· %s（%s）\n", n.words.ZH, whyWords[n.why].ZH)
		} else {
			fmt.Fprintf(&b, "- %s (%s)\n", n.words.EN, whyWords[n.why].EN)
		}
	}
	link := s.Mail.Link()
	m := message.Message{Channel: message.Email}
	late := len(list) == 1 && list[0].step == Late // these are told one by one
	if zh {
		m.Subject = fmt.Sprintf("%s：%d 件事项将到期或超时", name, len(list))
		if late {
			m.Subject = name + "：一项办理晚到"
		}
		if link != "" {
			fmt.Fprintf(&b, "\n打开工作台：%s\n", link)
		}
		b.WriteString("\n此邮件由系统发出。可在“我的账户”中选择接收哪些邮件通知。\n")
	} else {
		m.Subject = fmt.Sprintf("%s: %d matters near or past their limit", name, len(list))
		switch {
		case late:
			m.Subject = name + ": something came too late for a case"
		case len(list) == 1:
			m.Subject = name + ": a matter near or past its limit"
		}
		if link != "" {
			fmt.Fprintf(&b, "\nOpen the workspace: %s\n", link)
		}
		b.WriteString("\nThis mail was sent by the service. Choose in your account which notices you get by e-mail.\n")
	}
	m.Text = b.String()
	return m
}

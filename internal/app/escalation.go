package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"gridgov/internal/casework"
	"gridgov/internal/feed"
	"gridgov/internal/job"
	"gridgov/internal/keyring"
	"gridgov/internal/message"
	"gridgov/internal/notice"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/push"
	"gridgov/internal/report"
	"gridgov/internal/retention"
	"gridgov/internal/screening"
	"gridgov/internal/webhook"
	"gridgov/internal/worktime"
)

// outside is what a city knows of the world: its own address there, and which networks it may call.
type outside struct {
	url   string // "": none is known
	allow []netip.Prefix
}

// CallFrom tells the address by which people reach the service ("": none is known), and which networks of the own house webhooks may
// call. Call it before Run.
func (s *Server) CallFrom(publicURL string, allow []netip.Prefix) {
	s.outside = outside{strings.TrimSuffix(publicURL, "/"), allow}
}

// keepOutside gives a city what the server knows of the world.
func (s *Server) keepOutside(c *City) {
	c.outside, c.Webhooks.Allowed = s.outside, s.outside.allow
}

// openEscalation makes what tells people and machines in time, what makes matters anonymous, and the queue of jobs by which both do
// what takes longer than a transaction.
func (c *City) openEscalation(keys *keyring.Ring) error {
	jobs := func() *job.Queue { return c.Jobs }
	c.Webhooks = &webhook.Service{Pool: c.Pool, Ring: keys, City: c.Code, Feed: c.Writer, Now: c.now, Log: c.log, Jobs: jobs, Demo: c.Demo,
		Still: c.stillRuns, GaveUp: c.tellOfWebhook, Committed: c.hasCommitted}
	c.Push = &push.Service{Pool: c.Pool, Ring: keys, City: c.Code, Feed: c.Writer, Now: c.now, Log: c.log, Demo: c.Demo}
	c.Notices = &notice.Service{Pool: c.Pool, Feed: c.Writer, Zone: c.Zone, Now: c.now, Log: c.log, Jobs: jobs,
		Calendar: func() *worktime.Calendar { return c.Regime().Calendar }, ItemName: c.ItemNamed, MailReady: c.mailReady, Outgoing: c.tellMachines,
		Leads: func(unit policy.UnitID) (uuid.UUID, bool, bool) { return c.Roster().DutyLeader(unit, c.now()) },
		Push:  c.Push, Committed: c.hasCommitted, Mail: notice.Mail{City: c.nameIn, Senders: c.Senders, Link: func() string {
			if c.outside.url == "" {
				return ""
			}
			return c.outside.url + "/" + c.Code + "/"
		}}}
	c.Retention = &retention.Service{Pool: c.Pool, Feed: c.Writer, Now: c.now, Log: c.log, Reports: c.Reports, Committed: c.hasCommitted}
	c.openInvestigations()

	workers := river.NewWorkers()
	river.AddWorker(workers, &notice.MailWorker{Service: c.Notices})
	river.AddWorker(workers, &notice.PushWorker{Service: c.Notices})
	river.AddWorker(workers, &webhook.Worker{Service: c.Webhooks})
	river.AddWorker(workers, &retention.Worker{Service: c.Retention})
	river.AddWorker(workers, &screening.Worker{Service: c.Screenings})
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[tidyArgs]) error {
		return errors.Join(c.Notices.Sweep(ctx), c.Webhooks.Sweep(ctx))
	}))
	var err error
	c.Jobs, err = job.Open(c.Pool, c.log, workers, []*river.PeriodicJob{
		job.Daily("anonymise", func() river.JobArgs { return retention.Args{} }), job.Daily("tidy", func() river.JobArgs { return tidyArgs{} }),
		job.Hourly("screen", func() river.JobArgs { return screening.Args{} }),
	}, job.Options{})
	return err
}

// tidyArgs ask to remove what is kept for a while.
type tidyArgs struct{}

// Kind implements [river.JobArgs].
func (tidyArgs) Kind() string { return "tidy" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (tidyArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 3, UniqueOpts: river.UniqueOpts{ByPeriod: time.Hour}}
}

// hasCommitted announces what was committed outside of the committer.
func (c *City) hasCommitted() { signal(c.committed) }

// nameIn is the city's name in a language.
func (c *City) nameIn(language string) string {
	if language == "en" {
		if n := c.areaName(c.Area()); n.EN != "" {
			return n.EN
		}
	}
	return c.Name
}

func (c *City) mailReady(ctx context.Context) (bool, error) {
	senders, err := c.Senders(ctx)
	return senders[message.Email] != nil, err
}

// stillRuns tells whether a clock runs as it did when machines were to be told of it.
func (c *City) stillRuns(ctx context.Context, a webhook.About) (bool, error) {
	list, err := casework.StillRunning(ctx, c.Pool, []casework.Ref{{Report: report.Num(a.Report), Part: a.Part}}, []int{a.Clock}, []int{a.Round})
	return err == nil && list[0].Still, err
}

// alerted is what machines are told of a clock: ids, codes and times.
type alerted struct {
	City       string    `json:"city"`
	Case       string    `json:"case"`
	Report     uint32    `json:"report"`
	Part       int       `json:"part,omitempty"`
	State      string    `json:"state"`
	Item       string    `json:"item"`
	Unit       int64     `json:"unit"`
	Clock      string    `json:"clock"`
	AmberAt    time.Time `json:"amber_at"`
	DueAt      time.Time `json:"due_at"`
	Grid       string    `json:"grid,omitempty"`
	Village    string    `json:"village,omitempty"`
	Town       string    `json:"town,omitempty"`
	Supervised bool      `json:"supervised,omitempty"`
}

var eventOf = map[notice.Step]webhook.Event{notice.Amber: webhook.Amber, notice.Red: webhook.Red, notice.Supervise: webhook.Supervise}

func (c *City) tellMachines(ctx context.Context, tx pgx.Tx, at time.Time, alerts []notice.Alert) ([]river.JobArgs, error) {
	list := make([]webhook.Out, len(alerts))
	for i, a := range alerts {
		d := a.Clock
		list[i] = webhook.Out{
			Message: webhook.Message{Type: eventOf[a.Step], Timestamp: at, Data: alerted{City: c.Code, Case: d.Ref.String(), Report: uint32(d.Report), Part: d.Part,
				State: string(d.State), Item: d.Item, Unit: int64(d.Unit), Clock: string(d.Kind), AmberAt: d.Amber, DueAt: d.Due,
				Grid: d.Cell.Grid, Village: d.Cell.Village, Town: d.Cell.Town, Supervised: a.Step == notice.Supervise || !d.SupervisedAt.IsZero()}},
			About: webhook.About{Report: int64(d.Report), Part: d.Part, Clock: d.N, Round: a.Round},
		}
	}
	return c.Webhooks.Queue(ctx, tx, at, list)
}

// tellOfWebhook tells who runs the service that a machine was not reached for a day.
func (c *City) tellOfWebhook(ctx context.Context, tx pgx.Tx, e *webhook.Endpoint) ([]feed.Event, error) {
	holders, err := person.Holders(ctx, tx, c.Zone, c.now())
	if err != nil {
		return nil, err
	}
	var admins []uuid.UUID
	seen := map[uuid.UUID]bool{}
	for _, h := range holders {
		if h.Role == policy.Administrator && !seen[h.Person] {
			seen[h.Person] = true
			admins = append(admins, h.Person)
		}
	}
	return c.Notices.TellAdministrators(ctx, tx, worktime.Words{ZH: fmt.Sprintf("接口推送“%s”24 小时未能送达，已停止重试", e.Name),
		EN: fmt.Sprintf("Webhook “%s” could not be reached for 24 hours; it is tried no more for that message", e.Name)}, c.now().UTC(), admins)
}

// tellInTime tells of clocks at their moments until ctx ends.
func (l *Live) tellInTime(ctx context.Context) { l.Notices.Run(ctx, l.clocksChanged) }

// workOnJobs works on the city's jobs until ctx ends.
func (l *Live) workOnJobs(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.Jobs.Run(ctx); err != nil {
			l.log.Error("the queue of jobs stopped, will go on", "err", err)
			pause(ctx, time.Second)
		}
	}
}

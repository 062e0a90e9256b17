package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"gridgov/internal/egress"
	"gridgov/internal/fault"
	"gridgov/internal/job"
	"gridgov/internal/postgres"
)

// callTime bounds a call.
const callTime = 15 * time.Second

// Message is what an endpoint is sent.
type Message struct {
	Type      Event     `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// About is the matter that a message tells of. Zero: it is of none.
type About struct {
	Report int64 `json:"report,omitempty"`
	Part   int   `json:"part,omitempty"`
	Clock  int   `json:"clock,omitempty"`
	Round  int   `json:"round,omitempty"`
}

// Args ask to send a delivery.
type Args struct {
	Delivery uuid.UUID `json:"delivery"`
	About    About     `json:"about"`
}

// Kind implements [river.JobArgs].
func (Args) Kind() string { return "webhook_deliver" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: job.Outside, MaxAttempts: job.Tries}
}

// Out is a message with what it is about.
type Out struct {
	Message
	About About
}

// Queue keeps messages for all endpoints in use that want them, in the caller's transaction, and returns the jobs that send them.
func (s *Service) Queue(ctx context.Context, tx pgx.Tx, at time.Time, list []Out) (jobs []river.JobArgs, err error) {
	rows, err := tx.Query(ctx, `SELECT id, events FROM webhook WHERE disabled_at IS NULL AND removed_at IS NULL ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	type wish struct {
		ID     int64
		Events []Event
	}
	wishes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wish])
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	var deliveries [][]any
	for i := range list {
		var body []byte
		for _, w := range wishes {
			if !contains(w.Events, list[i].Type) {
				continue
			}
			if body == nil {
				if body, err = json.Marshal(list[i].Message); err != nil {
					return nil, err
				}
			}
			id, err := uuid.NewV7()
			if err != nil {
				return nil, err
			}
			deliveries = append(deliveries, []any{id, w.ID, string(list[i].Type), string(body), at, string(Waiting), 0})
			jobs = append(jobs, Args{Delivery: id, About: list[i].About})
		}
	}
	if len(deliveries) == 0 {
		return nil, nil
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"webhook_delivery"}, []string{"id", "webhook_id", "event", "body", "made_at", "state", "tries"}, pgx.CopyFromRows(deliveries))
	if err != nil {
		return nil, fmt.Errorf("keep what webhooks are sent: %w", err)
	}
	return jobs, nil
}

func contains(list []Event, e Event) bool {
	for _, v := range list {
		if v == e {
			return true
		}
	}
	return false
}

// SendTest queues a message to one endpoint, to see whether it arrives.
func (s *Service) SendTest(ctx context.Context, id int64) (uuid.UUID, error) {
	delivery, err := uuid.NewV7()
	if err != nil {
		return delivery, err
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		e, err := locked(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		if e.Disabled {
			return fault.Conflict("disabled", "the webhook is out of use: put it in use first")
		}
		at := s.Now().UTC()
		body, err := json.Marshal(Message{Test, at, map[string]string{"city": s.City}})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO webhook_delivery (id, webhook_id, event, body, made_at, state, tries) VALUES ($1, $2, $3, $4, $5, 'waiting', 0)`,
			delivery, id, Test, string(body), at)
		if err != nil {
			return err
		}
		if err := s.Jobs().Insert(ctx, tx, Args{Delivery: delivery}); err != nil {
			return err
		}
		return s.keep(ctx, tx, at, record("webhook.test", id, nil, nil))
	})
	if err != nil {
		return delivery, fmt.Errorf("send a test to webhook %d: %w", id, err)
	}
	return delivery, nil
}

// Worker sends deliveries. One is sent again only where the process ended after the endpoint had answered and before that was written
// down, or the answer was lost; it has the same webhook-id then.
type Worker struct {
	river.WorkerDefaults[Args]
	Service *Service
}

// NextRetry implements [river.Worker].
func (w *Worker) NextRetry(j *river.Job[Args]) time.Time { return time.Now().Add(job.Pause(j.Attempt)) }

// Timeout implements [river.Worker].
func (w *Worker) Timeout(*river.Job[Args]) time.Duration { return 2 * callTime }

// Work implements [river.Worker].
func (w *Worker) Work(ctx context.Context, j *river.Job[Args]) error {
	s := w.Service
	var d Delivery
	var e Endpoint
	var body string
	var sealed []byte
	var gone bool
	err := s.Pool.QueryRow(ctx, `
		SELECT d.event, d.body, d.made_at, d.state, d.tries, w.id, w.name, w.url, w.secret, w.disabled_at IS NOT NULL OR w.removed_at IS NOT NULL
		FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id WHERE d.id = $1`, j.Args.Delivery).
		Scan(&d.Event, &body, &d.MadeAt, &d.State, &d.Tries, &e.ID, &e.Name, &e.URL, &sealed, &gone)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // kept no longer
	} else if err != nil {
		return fmt.Errorf("read a delivery: %w", err)
	}
	d.ID = j.Args.Delivery
	if d.State != Waiting {
		return nil
	}
	if gone {
		return s.settle(ctx, &e, &d, Dropped, "disabled")
	}
	if s.Demo {
		return s.settle(ctx, &e, &d, Dropped, "demo")
	}
	if j.Args.About.Report > 0 && s.Still != nil {
		still, err := s.Still(ctx, j.Args.About)
		if err != nil {
			return err
		}
		if !still {
			return s.settle(ctx, &e, &d, Dropped, "settled")
		}
	}
	secret, err := s.Ring.Open(label(s.City, e.ID), sealed)
	d.Tries++
	if err == nil {
		d.Status, d.Why = s.call(ctx, &e, &d, secret, body)
	} else { // the key file may come back, as a machine may that does not answer
		d.Why = "no_key"
	}
	switch {
	case d.Why == "":
		return s.settle(ctx, &e, &d, Sent, "")
	case d.Why == "gone" || d.Event == Test || !s.Now().Before(d.MadeAt.Add(job.GiveUpAfter)):
		return s.settle(ctx, &e, &d, Failed, d.Why)
	}
	if err := s.settle(ctx, &e, &d, Waiting, d.Why); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("open the secret of webhook %d: %w", e.ID, err)
	}
	return fmt.Errorf("webhook %d: %s, status %d", e.ID, d.Why, d.Status)
}

// settle writes down what became of a try.
func (s *Service) settle(ctx context.Context, e *Endpoint, d *Delivery, state State, why string) error {
	// What was sent is written down though the service is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), egress.DialTime)
	defer cancel()
	at := s.Now().UTC()
	told := false
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		told = false
		tag, err := tx.Exec(ctx, `
			UPDATE webhook_delivery SET state = $2, tries = $3, tried_at = $4, status = nullif($5, 0), why = nullif($6, '') WHERE id = $1 AND state = 'waiting'`,
			d.ID, state, d.Tries, at, d.Status, why)
		if err != nil {
			return err
		}
		if state != Failed || tag.RowsAffected() == 0 || d.Event == Test || s.GaveUp == nil {
			return nil
		}
		// Of an endpoint that answers nothing once is enough: again only after a day in which nothing failed.
		var before bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM webhook_delivery WHERE webhook_id = $1 AND id <> $2 AND state = 'failed' AND event <> $3 AND tried_at > $4)`,
			e.ID, d.ID, Test, at.Add(-24*time.Hour)).Scan(&before)
		if err != nil || before {
			return err
		}
		events, err := s.GaveUp(ctx, tx, e)
		if err != nil {
			return err
		}
		told = len(events) > 0
		_, err = s.Feed.Append(ctx, tx, at, events)
		return err
	})
	if err != nil {
		return fmt.Errorf("write down what became of a delivery: %w", err)
	}
	if told && s.Committed != nil {
		s.Committed()
	}
	return nil
}

// Sign is the signature of a message by the Standard Webhooks scheme, version 1.
func Sign(secret []byte, id string, at time.Time, body string) string {
	m := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(m, "%s.%d.%s", id, at.Unix(), body) // never fails
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// call sends a message. why is "" where it was taken.
func (s *Service) call(ctx context.Context, e *Endpoint, d *Delivery, secret []byte, body string) (status int, why string) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return 0, "bad_url"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(body))
	if err != nil {
		return 0, "bad_url"
	}
	at := s.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "gridgov")
	r.Header.Set("Webhook-Id", d.ID.String())
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("Webhook-Signature", Sign(secret, d.ID.String(), at, body))
	answer, err := s.Client(u.Scheme == "https", callTime).Do(r)
	if err != nil {
		return 0, egress.WhyNot(err)
	}
	defer func() { _ = answer.Body.Close() }()
	egress.Drain(answer.Body)
	switch c := answer.StatusCode; {
	case c >= 200 && c < 300:
		return c, ""
	case c >= 300 && c < 400:
		return c, "redirect"
	case c == http.StatusGone:
		return c, "gone"
	default:
		return c, "refused"
	}
}

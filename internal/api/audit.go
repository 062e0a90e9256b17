package api

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/sheet"
)

var (
	actPattern     = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,63}$`)
	subjectPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}(:[A-Za-z0-9_.-]{1,64})?$`)
)

// auditQuery reads the filters that the list and the export share. They hold ids and codes alone, as an export puts them
// on record.
func (q *query) audit(zone *time.Location) audit.Query {
	ask := audit.Query{Act: q.get("act"), Subject: q.get("subject"), From: q.time("from", zone), To: q.time("to", zone)}
	if ask.Act != "" && !actPattern.MatchString(ask.Act) {
		q.fail(fault.Invalid("act", "unknown_value", "%.40q begins no act: they are like post.create", ask.Act))
	}
	if ask.Subject != "" && !subjectPattern.MatchString(ask.Subject) {
		q.fail(fault.Invalid("subject", "unknown_value", "%.40q is no subject: they are like unit:3", ask.Subject))
	}
	if s := q.get("person"); s != "" {
		id, err := uuid.Parse(s)
		if err != nil {
			q.fail(fault.Invalid("person", "bad_uuid", "%.40q is no person's id", s))
		}
		ask.Person = id
	}
	return ask
}

func (a *api) listAudit(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	ask := q.audit(c.Zone)
	ask.Before, ask.Limit = int64(q.integer("before", 1, 1<<53, 0)), q.integer("limit", 1, 500, 50)
	if err := q.done(); err != nil {
		return err
	}
	head, err := audit.HeadOf(r.Context(), c.Pool)
	if err != nil {
		return err
	}
	page, err := audit.List(r.Context(), c.Pool, ask)
	if err != nil {
		return err
	}
	out := AuditPage{Rows: make([]AuditRow, len(page.Rows)), Next: optional(int(page.Next))}
	out.Head.Seq, out.Head.Mac = int(head.Seq), optional(hex.EncodeToString(head.MAC))
	for i := range page.Rows {
		out.Rows[i] = auditRowOf(&page.Rows[i])
	}
	if out.Names, err = c.namesIn(r.Context(), page.Rows); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

func auditRowOf(r *audit.Row) AuditRow {
	out := AuditRow{Seq: int(r.Seq), At: utc(r.At), Act: r.Act, Subject: r.Subject, Address: optional(r.Address), Post: optional(int(r.Post))}
	if r.Person != uuid.Nil {
		out.Person = &r.Person
	}
	if r.Before != nil {
		out.Before = r.Before
	}
	if r.After != nil {
		out.After = r.After
	}
	return out
}

// namesIn tells what people and units in rows are called now.
func (c *call) namesIn(ctx context.Context, rows []audit.Row) (map[string]string, error) {
	out := map[string]string{}
	var ids []uuid.UUID
	units := false
	for i := range rows {
		if rows[i].Person != uuid.Nil {
			ids = append(ids, rows[i].Person)
		}
		kind, id, _ := strings.Cut(rows[i].Subject, ":")
		if kind == "person" || kind == "account" {
			if id, err := uuid.Parse(id); err == nil {
				ids = append(ids, id)
			}
		}
		units = units || kind == "unit" || strings.Contains(string(rows[i].Before)+string(rows[i].After), `"unit":`)
	}
	people, err := c.People.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, name := range people {
		out["person:"+id.String()] = name
	}
	if !units {
		return out, nil
	}
	list, err := c.People.Units(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		out[fmt.Sprintf("unit:%d", list[i].ID)] = list[i].Name
	}
	return out, nil
}

// exported is what goes on record of an export: its filters.
type exported struct {
	Person  *uuid.UUID `json:"person,omitempty"`
	Act     string     `json:"act,omitempty"`
	Subject string     `json:"subject,omitempty"`
	From    *time.Time `json:"from,omitempty"`
	To      *time.Time `json:"to,omitempty"`
}

// exportPage is how many rows of an export are read at a time.
const exportPage = 2000

// exportAudit streams the record as a table. That it is taken goes on record first; the rows are those before that one.
func (a *api) exportAudit(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	ask := q.audit(c.Zone)
	if err := q.done(); err != nil {
		return err
	}
	what := exported{Act: ask.Act, Subject: ask.Subject}
	if ask.Person != uuid.Nil {
		what.Person = &ask.Person
	}
	if !ask.From.IsZero() {
		what.From = new(utc(ask.From))
	}
	if !ask.To.IsZero() {
		what.To = new(utc(ask.To))
	}
	head, err := audit.HeadOf(r.Context(), c.Pool)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(r.Context(), c.Pool, func(tx pgx.Tx) error {
		_, err := c.Writer.Append(r.Context(), tx, utc(c.at), nil, audit.Record{Act: "audit.export", Subject: "audit", After: what})
		return err
	})
	if err != nil {
		return err
	}
	ask.Before, ask.Limit = head.Seq+1, exportPage
	csvHeader(w, "audit-"+c.Code+"-"+c.at.In(c.Zone).Format("20060102-150405")+".csv")
	if r.Method == http.MethodHead {
		return nil
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_, _ = w.Write([]byte("\ufeff")) // spreadsheets know UTF-8 by it
	_ = out.Write([]string{"seq", "time", "person", "name", "post", "act", "subject", "subject_name", "before", "after", "address"})
	for more := true; more; {
		page, err := audit.List(r.Context(), c.Pool, ask)
		if err != nil {
			return cutOff(w, out, err)
		}
		names, err := c.namesIn(r.Context(), page.Rows)
		if err != nil {
			return cutOff(w, out, err)
		}
		for i := range page.Rows {
			_ = out.Write(auditCells(&page.Rows[i], names, c.Zone))
		}
		if out.Flush(); out.Error() != nil {
			return nil // the client is gone
		}
		ask.Before, more = page.Next, page.Next > 0
	}
	return nil
}

// cutOff breaks an answer off that has begun, so that nobody takes a part for the whole.
func cutOff(w http.ResponseWriter, out *csv.Writer, err error) error {
	out.Flush()
	_ = http.NewResponseController(w).Flush()
	panic(fmt.Errorf("%w: %w", http.ErrAbortHandler, err))
}

func auditCells(r *audit.Row, names map[string]string, zone *time.Location) []string {
	cells := []string{strconv.FormatInt(r.Seq, 10), r.At.In(zone).Format(time.RFC3339), "", "", "", r.Act, r.Subject,
		names[strings.Replace(r.Subject, "account:", "person:", 1)], compact(r.Before), compact(r.After), r.Address}
	if r.Person != uuid.Nil {
		cells[2], cells[3] = r.Person.String(), names["person:"+r.Person.String()]
	}
	if r.Post != 0 {
		cells[4] = strconv.FormatInt(r.Post, 10)
	}
	for i := range cells {
		cells[i] = sheet.Guard(cells[i])
	}
	return cells
}

func compact(b json.RawMessage) string { return string(b) }

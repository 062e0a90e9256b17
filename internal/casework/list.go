package casework

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Row is a case as lists show it: what its row says, without folding.
type Row struct {
	Ref
	Task     bool
	State    State
	Version  int
	Item     string
	Settled  SettledBy // "": nobody yet, or it is not known who
	Unit     policy.UnitID
	Handler  uuid.UUID // nil: nobody has claimed it
	OpenedAt time.Time
	AmberAt  time.Time // zero: none of its clocks runs
	DueAt    time.Time
}

// Query selects cases; a nil or zero field does not filter.
type Query struct {
	States    []State         // nil: those that are open
	Units     []policy.UnitID // that lead or support it
	Teams     []policy.UnitID // that lead it
	Settled   []SettledBy     // "" stands for what Row.Settled leaves open
	Items     []string
	Towns     []string // codes
	Colours   []Colour // as of At
	DueFrom   time.Time
	DueBefore time.Time
	Mine      *Mine
	Nums      []report.Num // cases of these reports only
	At        time.Time    // of the colours
	Order     Order        // other than by due: of open cases only
	Last      bool         // what comes last in the order comes first
	// What the reader sees: cases of reports that lie within, or that Filer told, or of which Led units lead or support a case.
	// Whole: all of them.
	Whole  bool
	Within *report.Within // nil: nowhere
	Filer  uuid.UUID
	Led    []policy.UnitID
	Search *report.Search // nil: whatever its words are
	After  string         // the cursor of the page before
	Limit  int
}

// Order is what a queue is sorted by.
type Order string

// The orders: by the first due, what has none last; and by when cases were opened. Equal ones by number.
const (
	ByDue    Order = ""
	ByOpened Order = "opened"
)

// Mine are the cases that a person has claimed, and those that the person's units lead or support.
type Mine struct {
	Person uuid.UUID
	Units  []policy.UnitID
}

// Page is a page of a queue: what is due first comes first, then what has no due.
type Page struct {
	Rows  []Row
	Next  string // "" on the last page
	Total int    // how many there are on all pages; -1: they were not counted
}

const rowColumns = `c.report_num, c.part, c.task, c.state, c.version, c.item, c.settled_by, c.unit_id, c.handler, c.opened_at, c.amber_at, c.due_at`

// List reads a page, ordered by (due_at, report_num, part), then what has no due by (report_num, part). It knows no other order;
// open cases are listed by a [Board], which is quick whatever is asked for.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if q.Order != ByDue || q.Last {
		return Page{}, fault.Invalid("sort", "open_only", "cases that have ended come by their number: leave sort and order out, or ask for open ones")
	}
	where, args := q.where()
	var begin place
	from := queue
	if q.Search != nil {
		from = searched
	}
	if q.After != "" {
		var err error
		if begin, err = parsePlace(q.After); err != nil {
			return Page{}, err
		}
	}
	args["limit"], args["due"], args["num"], args["part"] = q.Limit+1, orNull(begin.due), begin.Report, begin.Part
	page := Page{Total: -1}
	var err error
	if q.After == "" || !begin.due.IsZero() { // by the index of what is due
		sql := `SELECT ` + rowColumns + from + where + ` AND c.due_at IS NOT NULL`
		if q.After != "" {
			sql += ` AND (c.due_at, c.report_num, c.part) > (@due, @num, @part)`
		}
		if page.Rows, err = s.rows(ctx, sql+` ORDER BY c.due_at, c.report_num, c.part LIMIT @limit`, args); err != nil {
			return page, err
		}
		args["num"], args["part"] = 0, 0
	}
	if args["limit"] = q.Limit + 1 - len(page.Rows); len(page.Rows) <= q.Limit && q.DueBefore.IsZero() && q.DueFrom.IsZero() {
		sql := `SELECT ` + rowColumns + from + where + ` AND c.due_at IS NULL`
		if q.After != "" && begin.due.IsZero() {
			sql += ` AND (c.report_num, c.part) > (@num, @part)`
		}
		more, err := s.rows(ctx, sql+` ORDER BY c.report_num, c.part LIMIT @limit`, args)
		if err != nil {
			return page, err
		}
		page.Rows = append(page.Rows, more...)
	}
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		last := &page.Rows[q.Limit-1]
		page.Next = place{last.DueAt, last.Ref}.String()
	}
	return page, nil
}

const queue = ` FROM cases c JOIN report r ON r.num = c.report_num JOIN placement p ON p.report_num = c.report_num WHERE `

// begins is the number at which a page begins that is ordered by numbers.
func (q *Query) begins() (report.Num, error) {
	if q.After == "" {
		return 1, nil
	}
	last, err := parsePlace(q.After)
	return last.Report, err
}

// SearchEnded reads a page of cases that have ended, by words: a frequent word is found among those that come first, of another having
// tells all reports that have it. They are ordered by their numbers, as no clock of theirs runs.
func (s *Service) SearchEnded(ctx context.Context, q Query, look, most int, having func() ([]report.Num, error)) (Page, error) {
	from, err := q.begins()
	if err != nil {
		return Page{}, err
	}
	first := make([]report.Num, most)
	for i := range first {
		first[i] = from + report.Num(i)
	}
	for n := look; n <= most; n *= 8 {
		q.Nums = first[:n]
		page, err := s.List(ctx, q)
		if err != nil || page.Next != "" {
			return page, err
		}
		if len(page.Rows) < hardlyAny {
			break
		}
	}
	all, err := having()
	if err != nil {
		return Page{}, err
	}
	slices.Sort(all)
	i, _ := slices.BinarySearch(all, from)
	all = all[i:]
	for n := look; ; n *= 8 {
		q.Nums = all[:min(n, len(all))]
		page, err := s.List(ctx, q)
		if err != nil || page.Next != "" || n >= len(all) {
			return page, err
		}
	}
}

// Found tells which of some reports have the words that a query asks for, as far as its reader reads them; whatever else it asks for.
func (s *Service) Found(ctx context.Context, q *Query, among []report.Num) ([]report.Num, error) {
	of := Query{States: States, Nums: among, Search: q.Search, Whole: q.Whole, Within: q.Within, Filer: q.Filer, Led: q.Led}
	where, args := of.where()
	rows, err := s.Pool.Query(ctx, `SELECT DISTINCT c.report_num`+searched+where, args)
	if err != nil {
		return nil, fmt.Errorf("look for words: %w", err)
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[report.Num])
	if err != nil {
		return nil, fmt.Errorf("look for words: %w", err)
	}
	return nums, nil
}

const searched = ` FROM report_words w JOIN cases c ON c.report_num = w.report_num JOIN report r ON r.num = c.report_num JOIN placement p ON p.report_num = c.report_num WHERE `

// where builds the conditions from constants; values go in as parameters only.
func (q *Query) where() (string, pgx.NamedArgs) {
	states := q.States
	if states == nil {
		states = open
	}
	where, args := `c.state = ANY (@states)`, pgx.NamedArgs{"states": states}
	add := func(cond, name string, value any) {
		where += ` AND ` + cond
		args[name] = value
	}
	if q.Units != nil {
		add(`(c.unit_id = ANY (@units) OR c.supporting && @units::bigint[])`, "units", q.Units)
	}
	if q.Teams != nil {
		add(`c.unit_id = ANY (@teams)`, "teams", q.Teams)
	}
	if q.Settled != nil {
		add(`coalesce(c.settled_by, '') = ANY (@settled)`, "settled", q.Settled)
	}
	if q.Items != nil {
		add(`c.item = ANY (@items)`, "items", q.Items)
	}
	if q.Towns != nil {
		add(`p.town = ANY (@towns_asked)`, "towns_asked", q.Towns)
	}
	if q.Colours != nil {
		add(`CASE WHEN c.due_at IS NULL THEN 'none' WHEN c.due_at < @at THEN 'red' WHEN coalesce(c.amber_at > @at, true) THEN 'green' ELSE 'amber' END
			= ANY (@colours)`, "colours", q.Colours)
		args["at"] = q.At
	}
	if q.Nums != nil {
		add(`c.report_num = ANY (@nums)`, "nums", q.Nums)
		if q.Search != nil {
			where += ` AND w.report_num = ANY (@nums)` // so that no table is read whole
		}
	}
	if !q.DueFrom.IsZero() {
		add(`c.due_at >= @due_from`, "due_from", q.DueFrom)
	}
	if !q.DueBefore.IsZero() {
		add(`c.due_at < @due_before`, "due_before", q.DueBefore)
	}
	if m := q.Mine; m != nil {
		add(`(c.handler = @mine OR c.unit_id = ANY (@my_units) OR c.supporting && @my_units::bigint[])`, "mine", m.Person)
		args["my_units"] = units(m.Units)
	}
	told, led, within := `r.filed_by = @filer`,
		`EXISTS (SELECT FROM cases o WHERE o.report_num = c.report_num AND (o.unit_id = ANY (@led) OR o.supporting && @led::bigint[]))`, `false`
	if q.Within != nil {
		within = q.Within.Condition(args)
	}
	if s := q.Search; s != nil {
		add(`w.words @@ @words::text::tsquery`, "words", s.InAll())
		if !q.Whole { // who told it does not read what those who work with it write, and of what only may lie there codes are told
			told = `(` + told + ` AND w.words @@ @told::text::tsquery)`
			args["told"], args["codes"] = s.InTold(), s.InCodes()
			if q.Within != nil {
				within = `(` + within + ` AND (` + q.Within.Whole() + ` OR w.words @@ @codes::text::tsquery))`
			}
		}
	}
	if !q.Whole {
		add(`(`+told+` OR `+led+` OR `+within+`)`, "filer", orNull(q.Filer))
		args["led"] = units(q.Led)
	}
	return where, args
}

func (s *Service) rows(ctx context.Context, sql string, args pgx.NamedArgs) ([]Row, error) {
	rows, err := s.Pool.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Row, err error) {
		err = r.scan(row)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return list, nil
}

// scan reads rowColumns, and what comes after them into more.
func (r *Row) scan(row pgx.CollectableRow, more ...any) error {
	var handler *uuid.UUID
	var settled *SettledBy
	var amber, due *time.Time
	err := row.Scan(append([]any{&r.Report, &r.Part, &r.Task, &r.State, &r.Version, &r.Item, &settled, &r.Unit, &handler, &r.OpenedAt, &amber, &due}, more...)...)
	r.Settled, r.Handler = deref(settled), deref(handler)
	r.OpenedAt, r.AmberAt, r.DueAt = r.OpenedAt.UTC(), utc(amber), utc(due)
	return err
}

// utc is a time in UTC; of none the zero time, as it is.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// place is where a page ended.
type place struct {
	due time.Time // zero: among those without a due
	Ref
}

func (p place) String() string {
	due := int64(-1)
	if !p.due.IsZero() {
		due = p.due.UnixMicro()
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%d", due, p.Report, p.Part))
}

func parsePlace(s string) (place, error) {
	bad := fault.Invalid("after", "bad_cursor", "is not the `next` of a page; start again without it")
	b, err := base64.RawURLEncoding.DecodeString(s)
	var p place
	var due int64
	if err != nil {
		return p, bad
	}
	_, err = fmt.Sscanf(string(b), "%d.%d.%d", &due, &p.Report, &p.Part)
	if err != nil || due < -1 || due > 253402300799e6 || p.Part < 0 || p.Part > 1<<15-1 {
		return p, bad
	}
	if due >= 0 {
		p.due = time.UnixMicro(due).UTC()
	}
	if p.String() != s { // Sscanf passes over signs, zeros and what follows
		return p, bad
	}
	return p, nil
}

// ParseState reads a state by its name.
func ParseState(s string) (State, bool) {
	return State(s), slices.Contains(States, State(s))
}

// Compare orders rows as a queue does.
func (r *Row) Compare(o *Row) int {
	if r.DueAt.IsZero() != o.DueAt.IsZero() {
		if r.DueAt.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(r.DueAt.Compare(o.DueAt), cmp.Compare(r.Report, o.Report), cmp.Compare(r.Part, o.Part))
}

package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/assign"
	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// Ask is an act that somebody asks for, with what it carries.
type Ask struct {
	Ref Ref
	Act Act
	// Before are acts to be done first, in this order and in the same transaction: all of them or none. What the ask carries
	// goes with Act, the last one; those before it carry nothing.
	Before  []Act
	Version int       // of the case that was seen; -1: whatever it is
	Key     uuid.UUID // by which an act that is sent twice is done once; nil: none
	Person  uuid.UUID
	// DoneAt is when it was done, where that is not when it came; zero: nobody says. Nothing is counted by it: an act counts when it comes.
	DoneAt time.Time
	// KeepLate keeps what it says where the case has moved on, see [Late]. It needs a key, and a version.
	KeepLate bool
	// May tells by which post the person may do an action with a case of a report, which these units lead or support.
	May func(action policy.Action, of report.Num, units []policy.UnitID) (policy.PostID, bool)

	Reason     string
	Unit       policy.UnitID // of dispatch and transfer; 0: the one that the case has
	Supporting []policy.UnitID
	Target     *Ref
	Verdict    *bool
	Rating     int
	By         worktime.Budget
	Stage      int
	SettledBy  SettledBy
	Measure    Measure
	Officers   []uuid.UUID
	Parts      []Part
	Object     string
	Evidence   []uuid.UUID // photos
}

// Part is what a case is split into, or a task that is given out.
type Part struct {
	Item string        // of a split; "": the case's own
	Unit policy.UnitID // of a task
}

// maxActs bounds what is done in one go.
const maxActs = 10

// maxParts bounds what a case is split into at once.
const maxParts = 20

// Do does an act with a case and returns what the case is then; it is on disk. Of two acts that saw the same version one is
// done, the other is a conflict case_changed with the new state in its words. An act whose key was used for the same act before
// changes nothing. One that comes too late and is to be kept is on disk too, and a conflict kept_late. The person has to see the report (ReportView, asked with the units of all its parts). Faults are those of [Apply], of
// the unit (unknown_unit, closed_unit, empty_unit), of the target (not found),
// key_taken, and anonymised.
func (s *Service) Do(ctx context.Context, a Ask) (*Case, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	var out *Case
	late := false
	err := s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		d := &deed{Service: s, tx: tx, ask: &a, at: s.Now().UTC().Truncate(time.Microsecond)}
		if err := d.run(ctx); err != nil {
			return feed.Step{}, err
		}
		out, late = d.now, d.keptLate
		return d.step, nil
	})
	if err == nil && late {
		err = errKeptLate()
	}
	return out, err
}

func (a *Ask) check() error {
	if err := CheckTexts(a.Reason, a.Object); err != nil {
		return err
	}
	legal := a.Measure == Inspected || a.Measure == Penalised
	switch {
	case legal && a.Act != FeedBack: // two officers with certificates do these, which a feedback asks for
		return fault.Invalid("measure", "not_here", "an inspection or a penalty is fed back by a unit, with two certificated officers")
	case len(a.Before) >= maxActs:
		return fault.Invalid("acts", "too_many", "at most %d acts at once", maxActs)
	case len(a.Parts) > maxParts:
		return fault.Invalid("parts", "too_many", "at most %d parts", maxParts)
	case len(a.Evidence) > 50 || len(a.Officers) > 50 || len(a.Supporting) > 50:
		return fault.Invalid("", "too_many", "at most 50 of each")
	case a.Measure != "" && !slices.Contains(Measures, a.Measure):
		return fault.Invalid("measure", "unknown_value", "%.40q is none of %v", string(a.Measure), Measures)
	}
	return a.checkLate()
}

// CheckTexts tells what is wrong with the texts of an act: a reason of lines, and an object of one.
func CheckTexts(reason, object string) error {
	if len([]rune(reason)) > 2000 || strings.ContainsFunc(reason, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return fault.Invalid("reason", "bad_text", "at most 2000 characters, and no control characters but new lines")
	}
	if len([]rune(object)) > 200 || strings.ContainsFunc(object, unicode.IsControl) {
		return fault.Invalid("object", "bad_text", "at most 200 characters of one line")
	}
	return nil
}

// deed is an act under way, in its transaction.
type deed struct {
	*Service
	tx     pgx.Tx
	ask    *Ask
	at     time.Time
	was    *Case
	target *Case // of a merge; nil: none
	now    *Case
	terms  *Terms
	step   feed.Step
	// keptLate: it came too late, and is kept as that; now is nil then.
	keptLate bool
}

func (d *deed) run(ctx context.Context) error {
	if err := d.lock(ctx); err != nil {
		return err
	}
	about, err := unitsOf(ctx, d.tx, []report.Num{d.was.Report}) // who is of one of these sees the report
	if err != nil {
		return err
	}
	view, seen := d.ask.May(policy.ReportView, d.was.Report, about[d.was.Report])
	if !seen {
		return errNoCase(d.ask.Ref)
	}
	if err := report.StillKept(ctx, d.tx, d.was.Report); err != nil {
		return err
	}
	acts := d.ask.each()
	if again, err := d.again(ctx, acts); err != nil || again {
		return err
	}
	if d.ask.Version >= 0 && d.ask.Version != d.was.Version {
		return d.late(ctx, acts)
	}
	terms, err := d.Terms(ctx, d.was)
	if err != nil {
		return err
	}
	for i := range acts {
		d.ask, d.terms = &acts[i], terms
		if err := d.one(ctx, view); err != nil {
			return err
		}
		d.was = d.now
	}
	return nil
}

// each are the acts of an ask as asks of their own. Their keys follow from the ask's.
func (a *Ask) each() []Ask {
	all := make([]Ask, 0, 1+len(a.Before))
	for _, act := range a.Before {
		all = append(all, Ask{Ref: a.Ref, Act: act, Key: a.Key, Person: a.Person, May: a.May})
	}
	all = append(all, *a)
	for i := range all {
		if i > 0 && a.Key != uuid.Nil {
			all[i].Key = uuid.NewSHA1(a.Key, []byte{byte(i)})
		}
	}
	return all
}

// one does one act; view is the post by which the person sees the case.
func (d *deed) one(ctx context.Context, view policy.PostID) error {
	doing, err := d.doing(ctx)
	if err != nil {
		return err
	}
	post := view
	doing.May = func(action policy.Action) bool {
		by, may := d.ask.May(action, d.was.Report, d.was.Units())
		if may {
			post = by
		}
		return may
	}
	if d.now, err = Apply(d.was, d.terms, doing); err != nil {
		return err
	}
	if err := d.write(ctx, d.was, d.now); err != nil {
		return err
	}
	if err := d.keepAct(ctx, d.ask.Act, d.was, d.now, d.ask.Person, post, d.ask.Reason, d.ask.Key); err != nil {
		return err
	}
	if len(d.ask.Evidence) > 0 {
		if err := d.Evidence(ctx, d.tx, d.ask.Person, d.now.Ref, d.now.Version, d.ask.Evidence); err != nil {
			return err
		}
	}
	if d.ask.Act == Split || d.ask.Act == Task {
		return d.openParts(ctx)
	}
	if d.now.State == Closed && d.was.State != Closed {
		if err := d.endMerged(ctx, d.now); err != nil {
			return err
		}
	}
	return d.endParent(ctx)
}

// Units are those that lead or support a case.
func (c *Case) Units() []policy.UnitID { return append([]policy.UnitID{c.Unit}, c.Supporting...) }

func errNoCase(r Ref) error { return fault.NotFound("there is no case %s", r) }

func errKeyTaken() error {
	return fault.Conflict("key_taken", "something else was sent under this key: give each act a key of its own")
}

// again finds the acts that were done under the same keys before. The case is locked: one under way is waited for.
func (d *deed) again(ctx context.Context, acts []Ask) (bool, error) {
	if d.ask.Key == uuid.Nil {
		return false, nil
	}
	for i := range acts {
		a := &acts[i]
		var ref Ref
		var act Act
		var by *uuid.UUID
		err := d.tx.QueryRow(ctx, `SELECT report_num, part, act, person_id FROM case_act WHERE key = $1`, a.Key).Scan(&ref.Report, &ref.Part, &act, &by)
		if errors.Is(err, pgx.ErrNoRows) {
			if i > 0 {
				return false, errKeyTaken() // the first of them was done alone
			}
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look for an act done before: %w", err)
		}
		if ref != a.Ref || act != a.Act || deref(by) != a.Person {
			return false, errKeyTaken()
		}
	}
	d.now = d.was
	return true, nil
}

// lock holds the case, and that which it is merged into; always in the same order, so that two who merge do not wait for each
// other.
func (d *deed) lock(ctx context.Context) (err error) {
	refs := []Ref{d.ask.Ref}
	if d.ask.Target != nil && *d.ask.Target != d.ask.Ref {
		refs = append(refs, *d.ask.Target)
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		if a.Report != b.Report {
			return int(int64(a.Report) - int64(b.Report))
		}
		return a.Part - b.Part
	})
	for _, r := range refs {
		c, err := d.get(ctx, d.tx, r, " FOR UPDATE")
		if err != nil {
			return err
		}
		if r == d.ask.Ref {
			d.was = c
		}
		if d.ask.Target != nil && r == *d.ask.Target {
			d.target = c
		}
	}
	return nil
}

// doing gathers what the act carries, and what is known of the world.
func (d *deed) doing(ctx context.Context) (Doing, error) {
	a := d.ask
	var parts int
	var waits bool
	var last *time.Time
	err := d.tx.QueryRow(ctx, `
		SELECT count(*), coalesce(bool_or(NOT task), false), (SELECT a.at FROM case_act a WHERE a.report_num = $1 AND a.part = $2 ORDER BY a.n DESC LIMIT 1)
		FROM cases WHERE report_num = $1 AND parent = $2 AND state = ANY ($3)`,
		d.was.Report, d.was.Part, open).Scan(&parts, &waits, &last)
	if err != nil {
		return Doing{}, fmt.Errorf("count open parts: %w", err)
	}
	d.follow(d.was, last)
	out := Doing{Act: a.Act, At: d.at, OpenParts: parts, Waits: waits, Person: a.Person, Reason: strings.TrimSpace(a.Reason), Evidence: len(a.Evidence), Verdict: a.Verdict, Rating: a.Rating, By: a.By,
		Stage: a.Stage, SettledBy: a.SettledBy, Measure: a.Measure, Parts: len(a.Parts), Object: strings.TrimSpace(a.Object), Target: d.target}
	if d.target != nil {
		if _, may := a.May(policy.CaseTriage, d.target.Report, d.target.Units()); !may {
			return out, errNoCase(*a.Target)
		}
	}
	if a.Act == Dispatch || a.Act == Transfer {
		if out.Decision, err = d.decision(); err != nil {
			return out, err
		}
	}
	if len(a.Officers) > 0 {
		day := d.at.In(d.terms.Calendar.Zone()).Format(time.DateOnly)
		err := d.tx.QueryRow(ctx, `
			SELECT count(DISTINCT person_id) FROM post WHERE person_id = ANY ($1) AND role = ANY ($3)
				AND $2::text::date BETWEEN begins AND coalesce(ends, 'infinity') AND certificate_until >= $2::text::date`, a.Officers, day, policy.OfficerRoles).Scan(&out.Officers)
		if err != nil {
			return out, fmt.Errorf("count certificated officers: %w", err)
		}
	}
	return out, nil
}

// clocksApart is how far the clock of a node may be behind that of the one which did the last act.
const clocksApart = 10 * time.Second

// follow takes the moment of a case's last act (nil: it was only opened) for that of the next one, where it is a little ahead: another
// node's clock is, or the case was waited for. An act that lies further back does not fit the case's clocks.
func (d *deed) follow(c *Case, act *time.Time) {
	last := c.OpenedAt
	if act != nil && act.After(last) {
		last = act.UTC()
	}
	if d.at.Before(last) && last.Sub(d.at) <= clocksApart {
		d.at = last
	}
}

// decision is which unit a case is sent to: the one that it has, as was proposed, or another one by hand, with a reason.
func (d *deed) decision() (assign.Decision, error) {
	a, c := d.ask, d.was
	if a.Act == Dispatch && (a.Unit == 0 || a.Unit == c.Unit) && !slices.Contains(c.ReturnedBy, c.Unit) {
		if len(a.Supporting) > 0 {
			return d.byHand(c.Unit, a.Supporting, a.Reason)
		}
		if u, ok := d.Unit(c.Unit); !ok || u.Closed {
			return assign.Decision{}, nil // Apply says that one is needed
		}
		return assign.Decision{Unit: c.Unit, Supporting: c.Supporting, Rule: c.Rule, Words: c.Words}, nil
	}
	if a.Unit == 0 {
		return assign.Decision{}, nil // Apply says that it is needed
	}
	return d.byHand(a.Unit, a.Supporting, a.Reason)
}

// byHand is a decision that somebody made.
func (s *Service) byHand(id policy.UnitID, supporting []policy.UnitID, reason string) (assign.Decision, error) {
	out := assign.Decision{Unit: id, Supporting: supporting}
	names := make([]worktime.Words, 0, 1+len(supporting))
	for i, id := range append([]policy.UnitID{id}, supporting...) {
		field := "unit"
		if i > 0 {
			field = "supporting"
		}
		u, ok := s.Unit(id)
		switch {
		case !ok:
			return out, fault.Invalid(field, "unknown_unit", "there is no unit %d", id)
		case u.Closed:
			return out, fault.Invalid(field, "closed_unit", "unit %d is closed: choose another", id)
		case u.Members == 0 && i == 0:
			return out, fault.Invalid(field, "empty_unit", "nobody holds a post in unit %d: choose another, or give somebody a post in it first", id)
		case slices.Contains(out.Supporting[:max(0, i-1)], id) || i > 0 && id == out.Unit:
			return out, fault.Invalid(field, "named_twice", "unit %d is named twice: one leads, others support", id)
		}
		names = append(names, u.Name)
	}
	if strings.TrimSpace(reason) == "" {
		return out, fault.Invalid("reason", "missing", "say why it goes to another unit than was proposed")
	}
	out.Words = assign.ByHand(names[0], names[1:], reason)
	return out, nil
}

// write keeps what an act changed.
func (d *deed) write(ctx context.Context, was, now *Case) error {
	values, err := now.Values(d.terms.Calendar)
	if err != nil {
		return err
	}
	if _, err := d.tx.Exec(ctx, updateCase, values...); err != nil {
		return fmt.Errorf("keep case %s: %w", now.Ref, err)
	}
	clocks, err := now.ClockValues(d.terms.Calendar)
	if err != nil {
		return err
	}
	for n, row := range clocks {
		sql := insertClock
		if n < len(was.Clocks) {
			if w, k := &was.Clocks[n], &now.Clocks[n]; len(w.Marks()) == len(k.Marks()) && w.Calendar == k.Calendar {
				continue // nothing was done with it
			}
			sql = updateClock
		}
		if _, err := d.tx.Exec(ctx, sql, row...); err != nil {
			return fmt.Errorf("keep the clocks of case %s: %w", now.Ref, err)
		}
	}
	d.step.Events = append(d.step.Events, feed.Event{Type: feed.CaseChanged, Data: feed.Case{Num: uint32(now.Report), Part: now.Part, Version: now.Version,
		State: string(now.State), Units: unitNumbers(append(was.Units(), now.Units()...))}})
	return nil
}

func unitNumbers(list []policy.UnitID) (out []int64) {
	for _, u := range list {
		if n := int64(u); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

var (
	updateCase  = updateRow("cases", Columns, 2)
	updateClock = updateRow("clock", ClockColumns, 3)
	insertClock = `INSERT INTO clock (` + strings.Join(ClockColumns, ", ") + `) VALUES (` + places(len(ClockColumns)) + `)`
	insertCase  = `INSERT INTO cases (` + strings.Join(Columns, ", ") + `) VALUES (` + places(len(Columns)) + `)`
)

// updateRow is a statement that sets all columns but the first keys ones, by which it finds the row.
func updateRow(table string, columns []string, keys int) string {
	var set, where []string
	for i, c := range columns {
		term := fmt.Sprintf("%s = $%d", c, i+1)
		if i < keys {
			where = append(where, term)
		} else {
			set = append(set, term)
		}
	}
	return `UPDATE ` + table + ` SET ` + strings.Join(set, ", ") + ` WHERE ` + strings.Join(where, " AND ")
}

func places(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(all, ", ")
}

// detail is what a row of case_act keeps besides: ids and codes.
type detail struct {
	Unit       policy.UnitID    `json:"unit,omitempty"`
	Supporting []policy.UnitID  `json:"supporting,omitempty"`
	Words      *worktime.Words  `json:"words,omitempty"` // of the decision that was made
	Was        *decided         `json:"was,omitempty"`   // the decision before
	Target     string           `json:"target,omitempty"`
	Verdict    *bool            `json:"verdict,omitempty"`
	Rating     int              `json:"rating,omitempty"`
	By         *worktime.Budget `json:"by,omitempty"`
	Stage      *int             `json:"stage,omitempty"`
	SettledBy  SettledBy        `json:"settled_by,omitempty"`
	Measure    Measure          `json:"measure,omitempty"`
	Officers   []uuid.UUID      `json:"officers,omitempty"`
	Parts      int              `json:"parts,omitempty"`
	Evidence   []uuid.UUID      `json:"evidence,omitempty"`
	Before     []Act            `json:"before,omitempty"` // of a late act
}

// decided is a decision that is in force no more.
type decided struct {
	Unit       policy.UnitID   `json:"unit"`
	Supporting []policy.UnitID `json:"supporting,omitempty"`
	Rule       int             `json:"rule"`
	Words      worktime.Words  `json:"words"`
}

func (d *deed) detailOf(act Act, was, now *Case) detail {
	a := d.ask
	if act == EndWith {
		return detail{Target: now.MergedInto.String()}
	}
	if act != a.Act {
		return detail{}
	}
	out := detail{Verdict: a.Verdict, Rating: now.Rating, SettledBy: now.SettledBy, Measure: a.Measure, Officers: a.Officers, Parts: len(a.Parts), Evidence: a.Evidence}
	if act != Evaluate {
		out.Rating = 0
	}
	if act != FeedBack && act != Settle {
		out.SettledBy, out.Measure, out.Officers = "", "", nil
	}
	switch act {
	case Dispatch, Transfer:
		out.Unit, out.Supporting, out.Words = now.Unit, now.Supporting, &now.Words
		if now.Unit != was.Unit {
			out.Was = &decided{was.Unit, was.Supporting, was.Rule, was.Words}
		}
	case Extend, AskExtension:
		out.By, out.Stage = &a.By, &a.Stage
	case FinishStage:
		out.Stage = &a.Stage
	case Merge:
		out.Target = now.MergedInto.String()
	}
	return out
}

// keepAct writes what was done into the case's history, and on record.
func (d *deed) keepAct(ctx context.Context, act Act, was, now *Case, person uuid.UUID, post policy.PostID, reason string, key uuid.UUID) error {
	more, err := json.Marshal(d.detailOf(act, was, now))
	if err != nil {
		return err
	}
	var done *time.Time
	if act == d.ask.Act && now.Ref == d.ask.Ref { // not what follows from it
		done = d.doneAt()
	}
	_, err = d.tx.Exec(ctx, `
		INSERT INTO case_act (report_num, part, n, at, act, was, is_now, person_id, post_id, reason, detail, key, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		now.Report, now.Part, now.Version, d.at, act, was.State, now.State, orNull(person), orNull(int64(post)), orNull(strings.TrimSpace(reason)), more, orNull(key), done)
	if pg := new(pgconn.PgError); errors.As(err, &pg) && pg.Code == "23505" {
		return fault.Conflict("key_taken", "the same act is being done under this key: ask again")
	}
	if err != nil {
		return fmt.Errorf("keep what was done with case %s: %w", now.Ref, err)
	}
	item := ""
	if now.Item != was.Item {
		item = now.Item
	}
	if err := report.AddWords(ctx, d.tx, now.Report, reason, item); err != nil {
		return err
	}
	d.step.Records = append(d.step.Records, audit.Record{Act: "case." + string(act), Subject: now.Ref.subject(), Before: stateOf(was), After: stateOf(now)})
	return nil
}

func (r Ref) subject() string { return "case:" + r.String() }

// recorded is what the record of acts keeps of a case.
type recorded struct {
	State State         `json:"state"`
	Unit  policy.UnitID `json:"unit"`
}

func stateOf(c *Case) recorded { return recorded{c.State, c.Unit} }

// openParts opens what a case was split into, or the tasks that were given out.
func (d *deed) openParts(ctx context.Context) error {
	// Whoever else opens parts of the report waits, and numbers his after these.
	if _, err := d.tx.Exec(ctx, `SELECT FROM cases WHERE report_num = $1 AND part = 0 FOR UPDATE`, d.was.Report); err != nil {
		return fmt.Errorf("number parts: %w", err)
	}
	var last int
	if err := d.tx.QueryRow(ctx, `SELECT max(part) FROM cases WHERE report_num = $1`, d.was.Report).Scan(&last); err != nil {
		return fmt.Errorf("number parts: %w", err)
	}
	list, err := matters(ctx, d.tx, `r.num = $1`, int64(d.was.Report))
	if err != nil {
		return err
	}
	standing := d.Intake.At(d.at)
	for i, p := range d.ask.Parts {
		part := Case{Ref: Ref{d.was.Report, last + 1 + i}, Parent: d.was.Part, Task: d.ask.Act == Task, Item: p.Item,
			CatalogueID: standing.Regime.CatalogueID, RulesID: standing.Regime.RulesID}
		if part.Item == "" {
			part.Item = d.was.Item
		}
		field := fmt.Sprintf("parts[%d]", i)
		if standing.Regime.Catalogue.Item(part.Item) == nil && standing.ItemName(part.Item) == (worktime.Words{}) {
			return fault.Invalid(field+".item", "unknown_item", "the city has no item %.40q: see the list of items", part.Item)
		}
		var chosen assign.Decision
		if part.Task {
			chosen, err = d.byHand(p.Unit, nil, d.ask.Reason)
		} else {
			m := list[0]
			m.Item = part.Item
			chosen, err = decide(&standing, &m, d.at)
		}
		if f, ok := fault.As(err); ok && f.Field == "unit" {
			return fault.Invalid(field+".unit", f.Code, "%s", f.Message)
		}
		if err != nil {
			return err
		}
		terms := TermsOf(standing.Regime, part.Item)
		c, err := Open(part, chosen, terms, d.at)
		if err != nil {
			return err
		}
		if err := d.insert(ctx, c, terms); err != nil {
			return err
		}
		if part.Item != d.was.Item {
			if err := report.AddWords(ctx, d.tx, part.Report, "", part.Item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *deed) insert(ctx context.Context, c *Case, t *Terms) error {
	values, err := c.Values(t.Calendar)
	if err != nil {
		return err
	}
	if _, err := d.tx.Exec(ctx, insertCase, values...); err != nil {
		return fmt.Errorf("keep part %s: %w", c.Ref, err)
	}
	clocks, err := c.ClockValues(t.Calendar)
	if err != nil {
		return err
	}
	for _, row := range clocks {
		if _, err := d.tx.Exec(ctx, insertClock, row...); err != nil {
			return fmt.Errorf("keep the clocks of part %s: %w", c.Ref, err)
		}
	}
	d.step.Events = append(d.step.Events, feed.Event{Type: feed.CaseChanged, Data: feed.Case{Num: uint32(c.Report), Part: c.Part, Version: c.Version,
		State: string(c.State), Units: unitNumbers(c.Units())}})
	return nil
}

// endParent closes the case that was split when the last of its parts has ended, and so on up: settled by the highest of who settled them.
// One that gave out tasks goes on by itself.
func (d *deed) endParent(ctx context.Context) error {
	was, part := d.was, d.now
	for part.Part != 0 && !part.Task && was.State.Open() && !part.State.Open() {
		// The parent is held before its parts are counted: of two that end at once each would take the other for open.
		parent, err := d.get(ctx, d.tx, Ref{part.Report, part.Parent}, " FOR UPDATE")
		if err != nil || !parent.State.Open() {
			return err
		}
		var left int
		var settled []SettledBy
		var last *time.Time
		err = d.tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE state = ANY ($3)), coalesce(array_agg(settled_by) FILTER (WHERE settled_by IS NOT NULL), '{}'),
				(SELECT a.at FROM case_act a WHERE a.report_num = $1 AND a.part = $2 ORDER BY a.n DESC LIMIT 1)
			FROM cases WHERE report_num = $1 AND parent = $2`, part.Report, part.Parent, open).Scan(&left, &settled, &last)
		if err != nil || left > 0 {
			return err
		}
		if d.terms, err = d.Terms(ctx, parent); err != nil {
			return err
		}
		d.follow(parent, last)
		closed, err := Gather(parent, d.terms, settled, d.at)
		if err != nil {
			return err
		}
		if err := d.write(ctx, parent, closed); err != nil {
			return err
		}
		if err := d.keepAct(ctx, GatherParts, parent, closed, uuid.Nil, 0, "", uuid.Nil); err != nil {
			return err
		}
		if err := d.endMerged(ctx, closed); err != nil {
			return err
		}
		was, part = parent, closed
	}
	return nil
}

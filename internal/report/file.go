package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

// Projector turns coordinates of other systems into lon, lat (EPSG:4490) by PROJ, NaN where it cannot, and tells which
// systems are measured in degrees.
type Projector interface {
	LonLat(ctx context.Context, epsg int, xs, ys []float64) (lon, lat []float64, err error)
	Degrees(ctx context.Context, epsg int) (bool, error)
}

// Service files, reads and places one city's reports.
type Service struct {
	Pool      *pgxpool.Pool
	Feed      *feed.Writer
	Committer *feed.Committer  // with the same writer
	Placer    func() *Placer   // the plan in force now
	Bound     func() orb.Bound // of the city, to recognise swapped coordinates; empty when unknown
	Project   Projector
	Contacts  Contacts // nil: reports that somebody tells are refused
	// Photos links photos to a report in its transaction: they are the person's own, or it refuses them.
	Photos func(ctx context.Context, tx pgx.Tx, by uuid.UUID, num Num, photos []uuid.UUID) error
	// Voice links a voice note to a report likewise.
	Voice func(ctx context.Context, tx pgx.Tx, by uuid.UUID, num Num, voice uuid.UUID) error
	Cases Cases
	Now   func() time.Time

	kept sync.Map // shape of a case → forms
}

// ready is a report that has been checked, located and placed: all that is left is to keep it.
type ready struct {
	New
	lon, lat   *float64
	rawX, rawY *float64
	crs        crs.System
	located    Located
	placement  Placement
	receivedAt time.Time
	content    []byte
	told       *Sealed // nil: by nobody
}

// prepare checks, locates, places and seals. It does no SQL but for coordinates that need PROJ, and not for those either when
// projected is what became of them.
func (s *Service) prepare(ctx context.Context, placer *Placer, n New, projected *projected) (*ready, error) {
	now := s.Now()
	if err := n.Check(now); err != nil {
		return nil, err
	}
	if n.CRS == "" {
		n.CRS = crs.CGCS2000.String()
	}
	sys, err := parseCRS(n.CRS)
	if err != nil {
		return nil, err
	}
	r := &ready{New: n, crs: sys, located: LocatedNowhere, receivedAt: now.UTC().Truncate(time.Microsecond)}
	if r.told, err = s.seal(n.Reporter); err != nil {
		return nil, err
	}
	r.content = n.content(r.told)
	if n.X == nil {
		pt, pl := placer.Address(n.Address)
		if pt != nil {
			r.lon, r.lat, r.located = &pt[0], &pt[1], LocatedAddress
		}
		r.placement = pl
		r.placement.Since = r.receivedAt
		return r, nil
	}
	var pt orb.Point
	if projected != nil {
		pt, err = projected.at, projected.err()
	} else {
		pt, err = s.lonLat(ctx, sys, orb.Point{*n.X, *n.Y})
	}
	if err != nil {
		return nil, err
	}
	if sys != crs.CGCS2000 && sys != crs.WGS84 {
		r.rawX, r.rawY = n.X, n.Y
	}
	r.lon, r.lat, r.located = &pt[0], &pt[1], LocatedPoint
	accuracy := math.NaN()
	if n.AccuracyM != nil {
		accuracy = *n.AccuracyM
	}
	r.placement = placer.At(pt, accuracy, LocatedPoint)
	r.placement.Since = r.receivedAt
	return r, nil
}

func parseCRS(name string) (crs.System, error) {
	sys, err := crs.Parse(name)
	if err != nil {
		return sys, fault.Invalid("crs", "unknown_value", "%q is neither EPSG:n nor gcj02 nor bd09", clip(name))
	}
	return sys, nil
}

// LonLat turns a point of the named system into lon, lat (EPSG:4490), as File does.
func (s *Service) LonLat(ctx context.Context, system string, p orb.Point) (orb.Point, error) {
	sys, err := parseCRS(system)
	if err != nil {
		return p, err
	}
	return s.lonLat(ctx, sys, p)
}

func (s *Service) lonLat(ctx context.Context, sys crs.System, p orb.Point) (orb.Point, error) {
	if sys.NeedsProj() {
		out, err := s.projectAll(ctx, sys, []orb.Point{p})
		if err != nil {
			return p, err
		}
		return out[0].at, out[0].err()
	}
	if err := crs.Validate(p, s.Bound()); err != nil {
		return p, err
	}
	p, err := sys.ToLonLat(p)
	if err != nil {
		return p, fault.Invalid("lon", "not_projectable", "%v", err)
	}
	return p, nil
}

// Filed is what became of a report that was filed.
type Filed struct {
	Num     Num
	Existed bool    // the same report was filed before
	Kept    *Report // as it was kept now; nil when it existed
	Err     error
}

// File keeps a report. existed is true when the same report was filed before; the same id, or the same source and
// external id, with other content is a conflict. When File returns without error the report is on disk.
func (s *Service) File(ctx context.Context, n New) (num Num, existed bool, err error) {
	f := s.FileOne(ctx, n)
	return f.Num, f.Existed, f.Err
}

// FileOne is File, and tells what was kept.
func (s *Service) FileOne(ctx context.Context, n New) (out Filed) {
	r, err := s.prepare(ctx, s.Placer(), n, nil)
	if err != nil {
		return Filed{Err: err}
	}
	opened, err := s.Cases.Open(r.matter())
	if err != nil {
		return Filed{Err: err}
	}
	f := s.forms(opened.Shape())
	form, args := f.reports, r.insertArgs(opened)
	if r.told != nil {
		form, args = f.told, append(args, ContactValues(r.told, r.receivedAt)...)
	}
	step := func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		var err error
		out.Num, out.Existed, err = r.insert(ctx, tx, f.reports, r.insertArgs(opened))
		if err != nil || out.Existed {
			return feed.Step{}, err
		}
		if r.told != nil {
			if err := s.Contacts.Link(ctx, tx, []Told{{Num: out.Num, By: r.told, At: r.receivedAt}}); err != nil {
				return feed.Step{}, err
			}
		}
		if len(r.Photos) > 0 {
			if err := s.Photos(ctx, tx, *r.FiledBy, out.Num, r.Photos); err != nil {
				return feed.Step{}, err
			}
		}
		if r.Device != nil {
			if err := r.Device.stored().insert(ctx, tx, out.Num); err != nil {
				return feed.Step{}, err
			}
		}
		if r.Voice != nil {
			if err := s.Voice(ctx, tx, *r.FiledBy, out.Num, *r.Voice); err != nil {
				return feed.Step{}, err
			}
		}
		return r.filed(out.Num, opened), nil
	}
	if len(r.Photos) > 0 || r.Device != nil || r.Voice != nil {
		err = s.Committer.Do(ctx, step)
	} else {
		err = s.Committer.DoStatement(ctx, feed.Statement{
			Form: form, Args: args,
			Read: func(num int64) (feed.Step, error) {
				out.Num, out.Existed = Num(num), false
				return r.filed(out.Num, opened), nil
			},
			Otherwise: step, // it is there, or something new is told of a person, or the statement failed
		})
	}
	if err != nil {
		return Filed{Err: err}
	}
	if !out.Existed {
		out.Kept = r.kept(out.Num)
	}
	return out
}

// kept is the report as Get reads it.
func (r *ready) kept(num Num) *Report {
	k := &Report{Num: num, ID: r.ID, ExternalID: null(r.ExternalID), Source: r.Source, CapturedAt: stored(r.CapturedAt), ReceivedAt: stored(r.receivedAt),
		Lon: r.lon, Lat: r.lat, CRS: r.crs.String(), Located: r.located, AccuracyM: r.AccuracyM, PositionSource: null(r.PositionSource),
		Address: null(r.Address), Item: r.Item, Kind: null(r.Kind), Title: null(r.Title), Text: null(r.Text), Generated: r.Generated, FiledBy: r.FiledBy,
		Placement: r.placement}
	if r.ClosedAt != nil {
		at := stored(*r.ClosedAt)
		k.ClosedAt = &at
	}
	k.Placement.Since = stored(k.Placement.Since)
	return k
}

// stored is a time as the database keeps it.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// forms are those of the statements that keep reports with a case of one shape, and reports that somebody told.
type forms struct{ reports, told *feed.Form }

func (s *Service) forms(shape int) forms {
	if known, ok := s.kept.Load(shape); ok {
		return known.(forms)
	}
	in := &insertion{s.Cases, shape}
	made, _ := s.kept.LoadOrStore(shape, forms{feed.NewForm(together, in.reports), feed.NewForm(1, in.told)})
	return made.(forms)
}

// FileAll files reports side by side, so that they share the committer's transactions, and returns what became of each, in
// their order. Those with one id, or one source and external id, are filed in the order given: the first that is kept wins.
func (s *Service) FileAll(ctx context.Context, reports []New) []Filed {
	out := make([]Filed, len(reports))
	done := make([]chan struct{}, len(reports))
	last := map[string]int{} // identity → the latest report that has it
	told := map[string]int{} // who told it → the first report that says so
	var wg sync.WaitGroup
	for i, n := range reports {
		done[i] = make(chan struct{})
		var before []chan struct{}
		for _, key := range n.identities() {
			if k, ok := last[key]; ok {
				before = append(before, done[k])
			}
			last[key] = i
		}
		for _, key := range n.people() { // not all at once: whom the first has made known the others find
			if k, ok := told[key]; ok {
				before = append(before, done[k])
			} else {
				told[key] = i
			}
		}
		wg.Go(func() {
			defer close(done[i])
			for _, d := range before {
				<-d
			}
			out[i] = s.FileOne(ctx, n)
		})
	}
	wg.Wait()
	return out
}

// identities are what no two reports share.
func (n *New) identities() []string {
	keys := []string{n.ID.String()}
	if n.ExternalID != "" {
		keys = append(keys, string(n.Source)+"\x01"+n.ExternalID)
	}
	return keys
}

// people are what tells who told it, as it was sent.
func (n *New) people() (keys []string) {
	if n.Reporter != nil && n.Reporter.Phone != "" {
		keys = append(keys, "phone\x01"+n.Reporter.Phone)
	}
	if n.Reporter != nil && n.Reporter.Email != "" {
		keys = append(keys, "email\x01"+n.Reporter.Email)
	}
	return keys
}

// filed is what a new report leaves behind.
func (r *ready) filed(num Num, c Opened) feed.Step {
	return feed.Step{
		Events: []feed.Event{{Type: feed.ReportFiled, Data: feed.Filed{Num: uint32(num), ID: r.ID.String(), Item: r.Item, Kind: string(r.Kind),
			Source: string(r.Source), Grid: r.placement.Grid, Plan: r.placement.PlanID, Units: c.Units()}}},
		Records: []audit.Record{{Act: "report.file", Subject: num.subject()}},
	}
}

// subject names a report on record.
func (n Num) subject() string { return "report:" + strconv.FormatUint(uint64(n), 10) }

// inGrid is what a record keeps of a placement.
type inGrid struct {
	Grid string `json:"grid"`
	Plan int64  `json:"plan,omitempty"`
}

// insert keeps the report with what goes with it, or finds what is there.
func (r *ready) insert(ctx context.Context, tx pgx.Tx, form *feed.Form, args []any) (num Num, existed bool, err error) {
	err = tx.QueryRow(ctx, form.One(), args...).Scan(nil, &num)
	if err == nil {
		return num, false, nil
	}
	if isForeignKey(err) {
		return 0, false, fault.Invalid("item", "unknown_item", "the city has no item %q: see the list of items", clip(r.Item))
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, false, fmt.Errorf("insert report: %w", err)
	}
	var id ID
	var content []byte
	err = tx.QueryRow(ctx, `
		SELECT num, id, content FROM report
		WHERE id = $1 OR (source = $2 AND external_id = $3)
		ORDER BY id = $1 DESC LIMIT 1`, r.ID, r.Source, null(r.ExternalID)).Scan(&num, &id, &content)
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("find the report filed before: %w", err)
	case id != r.ID:
		return 0, false, conflict("external_id", "external_id_taken", "%s %q is report %d already: give each report an external id of its own, or send that one with its own id",
			r.Source, clip(r.ExternalID), num)
	case !sameContent(content, r.content):
		return 0, false, conflict("id", "other_content", "report %s was filed before with other content: give a changed report an id of its own", r.ID)
	}
	return num, true, nil
}

// conflict is a fault.Conflict that names its field.
func conflict(field, code, format string, args ...any) *fault.Error {
	f := fault.Conflict(code, format, args...)
	f.Field = field
	return f
}

func isForeignKey(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23503"
}

// null turns "" into NULL.
func null[S ~string](s S) *S {
	if s == "" {
		return nil
	}
	return &s
}

// SetPosition sets a report's point by hand; the point before, the reason and the time are kept on record.
func (s *Service) SetPosition(ctx context.Context, num Num, p orb.Point, reason string) error {
	if err := crs.Validate(p, s.Bound()); err != nil {
		return err
	}
	if err := checkText("reason", reason, 500, true); err != nil {
		return err
	}
	return s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		var left feed.Step
		r, err := get(ctx, tx, `r.num = $1 FOR UPDATE OF r`, num)
		if err != nil {
			return left, err
		}
		if err := StillKept(ctx, tx, num); err != nil {
			return left, err
		}
		// A person looked: the accuracy that was reported says nothing about this point.
		pl := s.Placer().At(p, math.NaN(), LocatedHand)
		pl.Since = s.Now().UTC()
		args := []any{num, p[0], p[1], null(reason)}
		if _, err := tx.Exec(ctx, setPosition, append(args, placementValues(&pl)...)...); err != nil {
			return left, fmt.Errorf("set the position of report %d: %w", num, err)
		}
		left.Events = []feed.Event{{Type: feed.ReportPositioned, Data: feed.Filed{Num: uint32(num), ID: r.ID.String(), Item: r.Item,
			Kind: string(deref(r.Kind)), Source: string(r.Source), Grid: pl.Grid, Plan: pl.PlanID}}}
		left.Records = []audit.Record{{Act: "report.position", Subject: num.subject(),
			Before: inGrid{r.Placement.Grid, r.Placement.PlanID}, After: inGrid{pl.Grid, pl.PlanID}}}
		return left, nil
	})
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

package photo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/blob"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// darkroom is a service of its own over a city's database, with a clock that can be moved.
type darkroom struct {
	*photo.Service
	t     *testing.T
	city  *app.City
	dir   string
	ahead *atomic.Int64
	me    uuid.UUID
}

func newDarkroom(t *testing.T) *darkroom {
	t.Helper()
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	d := &darkroom{t: t, city: c, dir: t.TempDir(), ahead: &atomic.Int64{}}
	_, d.me = apptest.SignIn(t, c, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	d.restart()
	return d
}

func (d *darkroom) now() time.Time { return apptest.Now.Add(time.Duration(d.ahead.Load())) }

func (d *darkroom) later(t time.Duration) { d.ahead.Add(int64(t)) }

// restart is another process, with nothing in memory.
func (d *darkroom) restart() {
	d.t.Helper()
	d.Service = d.another()
}

func (d *darkroom) another() *photo.Service {
	d.t.Helper()
	root, err := blob.Open(d.t.Context(), d.dir)
	d.ok(err)
	return &photo.Service{Pool: d.city.Pool, Feed: d.city.Writer, Store: root.City(d.city.Code), Workshop: photo.NewWorkshop(photo.DefaultMemory),
		Zone: d.city.Zone, Log: apptest.Quiet(), Now: d.now}
}

func (d *darkroom) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func newID() photo.ID { return photo.ID(uuid.Must(uuid.NewV7())) }

// picture is a JPEG that no other is.
func picture(seed int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 80, 60))
	for i := range m.Pix {
		m.Pix[i] = uint8(i*7 + seed*i/3)
	}
	m.Set(0, 0, color.RGBA{uint8(seed), uint8(seed >> 8), 0, 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// upload sends a file in one part.
func (d *darkroom) upload(file []byte) photo.Photo {
	d.t.Helper()
	id := newID()
	_, _, err := d.Create(d.t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))})
	d.ok(err)
	p, err := d.Append(d.t.Context(), d.me, id, photo.Part{Body: bytes.NewReader(file)})
	d.ok(err)
	return p
}

func (d *darkroom) get(id photo.ID) photo.Photo {
	d.t.Helper()
	p, err := d.Get(d.t.Context(), id)
	d.ok(err)
	return p
}

func (d *darkroom) bytes(p *photo.Photo, size photo.Size) []byte {
	d.t.Helper()
	r, f, err := d.Open(d.t.Context(), p, size)
	d.ok(err)
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != f.Bytes || blob.Of(b) != f.Digest {
		d.t.Fatalf("%s: %d of %d bytes, %v", size, len(b), f.Bytes, err)
	}
	return b
}

func (d *darkroom) count(sql string, args ...any) (n int) {
	d.t.Helper()
	d.ok(d.city.Pool.QueryRow(d.t.Context(), sql, args...).Scan(&n))
	return n
}

func (d *darkroom) report() report.Num {
	d.t.Helper()
	p := apptest.Center(0, 0)
	num, _, err := d.city.Reports.File(d.t.Context(), report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", CapturedAt: apptest.Now, X: &p[0], Y: &p[1], Item: "01"})
	d.ok(err)
	return num
}

func (d *darkroom) use(what photo.Use, by uuid.UUID, ids ...photo.ID) error {
	return pgx.BeginFunc(d.t.Context(), d.city.Pool, func(tx pgx.Tx) error { return d.Use(d.t.Context(), tx, by, what, ids...) })
}

func code(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return fmt.Sprint(err)
	}
	return f.Code
}

func TestUploadInParts(t *testing.T) {
	d := newDarkroom(t)
	ctx := t.Context()
	file, id := picture(1), newID()
	p, existed, err := d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))})
	if err != nil || existed || p.State != photo.Uploading || p.Received != 0 {
		t.Fatalf("%+v %v %v", p, existed, err)
	}
	if _, existed, err = d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))}); err != nil || !existed {
		t.Errorf("begun again: %v %v", existed, err)
	}
	if _, _, err := d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file) + 1)}); code(err) != "id_taken" {
		t.Errorf("of another length: %v", err)
	}
	_, other := apptest.SignIn(t, d.city)
	if _, _, err := d.Create(ctx, other, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))}); code(err) != "id_taken" {
		t.Errorf("somebody else's: %v", err)
	}
	if _, err := d.Find(ctx, other, id); code(err) != "not_found" {
		t.Errorf("found by somebody else: %v", err)
	}
	if _, err := d.Append(ctx, other, id, photo.Part{Body: bytes.NewReader(file)}); code(err) != "not_found" {
		t.Errorf("sent by somebody else: %v", err)
	}
	third := len(file) / 3
	part := func(from, to int) (photo.Photo, error) {
		return d.Append(ctx, d.me, id, photo.Part{Offset: int64(from), Body: bytes.NewReader(file[from:to])})
	}
	if _, err := part(10, third); code(err) != "wrong_offset" {
		t.Errorf("from the middle: %v", err)
	}
	if _, err := part(0, 5); code(err) != "part_too_small" {
		t.Errorf("a few bytes: %v", err)
	}
	if p, err = part(0, third); err != nil || p.Received != int64(third) {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := part(0, third); code(err) != "wrong_offset" {
		t.Errorf("sent again: %v", err)
	}
	d.restart()
	// The line breaks: what came until then is here.
	_, err = d.Append(ctx, d.me, id, photo.Part{Offset: int64(third), Body: io.MultiReader(bytes.NewReader(file[third:2*third]), iotest.ErrReader(io.ErrUnexpectedEOF))})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken line: %v", err)
	}
	if p, err = d.Find(ctx, d.me, id); err != nil || p.Received != int64(2*third) {
		t.Fatalf("after a broken line: %+v %v", p, err)
	}
	if _, err := d.Append(ctx, d.me, id, photo.Part{Offset: int64(2 * third), Body: bytes.NewReader(file)}); !fault.Is(err, fault.KindTooLarge) {
		t.Errorf("more than announced: %v", err)
	}
	sum := sha256.New()
	wrong := photo.Part{Offset: int64(2 * third), Body: bytes.NewReader(file[2*third:]), Sum: sum, Good: func() bool { return false }}
	if _, err := d.Append(ctx, d.me, id, wrong); !errors.Is(err, photo.ErrChecksum) {
		t.Errorf("another sum: %v", err)
	}
	wrong.Body, wrong.Good = io.MultiReader(bytes.NewReader(file[2*third:]), iotest.ErrReader(io.ErrUnexpectedEOF)), func() bool { return true }
	if _, err := d.Append(ctx, d.me, id, wrong); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a sum on a broken line: %v", err)
	}
	if p, err = part(2*third, len(file)); err != nil || p.State != photo.Ready {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := part(len(file), len(file)); code(err) != "upload_finished" {
		t.Errorf("after the end: %v", err)
	}
	p = d.get(id)
	if !bytes.Equal(d.bytes(&p, photo.Original), file) || p.MIME != "image/jpeg" || p.Width != 80 || p.Height != 60 || len(p.Files) != 3 {
		t.Errorf("%+v", p)
	}
	for _, size := range []photo.Size{photo.Large, photo.Thumbnail} {
		if _, err := jpeg.Decode(bytes.NewReader(d.bytes(&p, size))); err != nil {
			t.Error(err)
		}
	}
	if n := d.count(`SELECT count(*) FROM photo_file WHERE kind = 'part'`); n != 0 {
		t.Errorf("%d parts are left", n)
	}
	page, err := audit.List(ctx, d.city.Pool, audit.Query{Act: "photo.", Limit: 10})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Subject != "photo:"+id.String() {
		t.Errorf("on record: %+v %v", page, err)
	}
}

// Of many parts for the same place one is taken, and the photo is what one of them sent.
func TestPartsAtOnce(t *testing.T) {
	d := newDarkroom(t)
	file, id := picture(2), newID()
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))})
	d.ok(err)
	for from := 0; from < len(file); {
		to := min(from+len(file)/4+1, len(file))
		var taken, refused atomic.Int32
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				switch _, err := d.Append(t.Context(), d.me, id, photo.Part{Offset: int64(from), Body: bytes.NewReader(file[from:to])}); code(err) {
				case fmt.Sprint(error(nil)):
					taken.Add(1)
				case "wrong_offset", "upload_finished":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 || refused.Load() != 5 {
			t.Fatalf("%d taken, %d refused", taken.Load(), refused.Load())
		}
		from = to
	}
	p := d.get(id)
	if p.State != photo.Ready || !bytes.Equal(d.bytes(&p, photo.Original), file) {
		t.Errorf("%+v", p)
	}
}

func TestWhatIsNoPhotoIsRefused(t *testing.T) {
	d := newDarkroom(t)
	p := d.upload([]byte("<html><script>alert(1)</script></html>"))
	if p.State != photo.Refused || p.Refusal != "not_a_photo" {
		t.Errorf("%+v", p)
	}
	if _, _, err := d.Open(t.Context(), &p, photo.Original); code(err) != "not_found" {
		t.Errorf("what was refused is given out: %v", err)
	}
	for length, want := range map[int64]string{0: "out_of_range", -1: "out_of_range", photo.MaxBytes + 1: "too_large"} {
		if _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: newID(), Length: length}); code(err) != want {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
	if _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: newID(), Length: photo.MaxBytes}); err != nil {
		t.Errorf("20 MB: %v", err)
	}
}

// One person begins no more than so many uploads, however many at once.
func TestUnfinishedUploadsAreLimited(t *testing.T) {
	d := newDarkroom(t)
	var begun, refused atomic.Int32
	var all sync.WaitGroup
	for range photo.MaxUnfinished + 15 {
		all.Go(func() {
			switch _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: newID(), Length: 5000}); {
			case err == nil:
				begun.Add(1)
			case fault.Is(err, fault.KindTooMany):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if begun.Load() != photo.MaxUnfinished || refused.Load() != 15 {
		t.Errorf("%d begun, %d refused", begun.Load(), refused.Load())
	}
	_, other := apptest.SignIn(t, d.city)
	if _, _, err := d.Create(t.Context(), other, photo.Begin{Kind: photo.Picture, ID: newID(), Length: 5000}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// Who removes what was begun, or sends what is refused, does not begin for ever: in an hour there is an end, for this person.
func TestUploadsOfAnHourAreLimited(t *testing.T) {
	d := newDarkroom(t)
	ctx := t.Context()
	again := func(by uuid.UUID) (photo.ID, error) {
		id := newID()
		_, _, err := d.Create(ctx, by, photo.Begin{Kind: photo.Picture, ID: id, Length: 5000})
		if err == nil {
			d.ok(d.Remove(ctx, by, id))
		}
		return id, err
	}
	kept := newID()
	_, _, err := d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: kept, Length: 5000})
	d.ok(err)
	for range photo.MaxHourly - 1 {
		_, err := again(d.me)
		d.ok(err)
	}
	_, err = again(d.me)
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.KindTooMany || f.RetryAfter <= 0 || f.RetryAfter > time.Minute {
		t.Fatalf("one more: %v", err)
	}
	if _, existed, err := d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: kept, Length: 5000}); err != nil || !existed {
		t.Errorf("what was begun cannot be gone on with: %v", err)
	}
	_, other := apptest.SignIn(t, d.city)
	if _, err := again(other); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	d.later(f.RetryAfter)
	if _, err := again(d.me); err != nil {
		t.Errorf("after as long as was said: %v", err)
	}
	if _, err := again(d.me); code(err) != f.Code {
		t.Errorf("after that: %v", err)
	}
}

func TestUseLinksOnesOwn(t *testing.T) {
	d := newDarkroom(t)
	num, second := d.report(), d.report()
	p, q := d.upload(picture(3)), d.upload(picture(4))
	_, other := apptest.SignIn(t, d.city)
	if err := d.use(photo.Use{Report: num}, other, p.ID); code(err) != "unknown_photo" {
		t.Errorf("somebody else's photo: %v", err)
	}
	if err := d.use(photo.Use{Report: num}, d.me, newID()); code(err) != "unknown_photo" {
		t.Errorf("no photo: %v", err)
	}
	unfinished := newID()
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: unfinished, Length: 5000})
	d.ok(err)
	if err := d.use(photo.Use{Report: num}, d.me, unfinished); code(err) != "photo_not_ready" {
		t.Errorf("half a photo: %v", err)
	}
	for range 2 {
		d.ok(d.use(photo.Use{Report: num, N: 2}, d.me, q.ID, p.ID, p.ID))
	}
	d.ok(d.use(photo.Use{Report: num, N: 3}, d.me, p.ID))
	if err := d.use(photo.Use{Report: second}, d.me, p.ID); code(err) != "photo_used" {
		t.Errorf("of another matter: %v", err)
	}
	if err := d.Remove(t.Context(), d.me, p.ID); code(err) != "photo_used" {
		t.Errorf("evidence was removed: %v", err)
	}
	if got := d.get(p.ID).Uses; !slices.Equal(got, []photo.Use{{num, 0, 2}, {num, 0, 3}}) {
		t.Errorf("uses %v", got)
	}
	if ids, err := d.Of(t.Context(), photo.Use{Report: num, N: 2}); err != nil || len(ids) != 2 {
		t.Errorf("%v %v", ids, err)
	}
}

func TestRemove(t *testing.T) {
	d := newDarkroom(t)
	p := d.upload(picture(5))
	_, other := apptest.SignIn(t, d.city)
	if err := d.Remove(t.Context(), other, p.ID); code(err) != "not_found" {
		t.Errorf("by somebody else: %v", err)
	}
	d.ok(d.Remove(t.Context(), d.me, p.ID))
	if _, err := d.Get(t.Context(), p.ID); code(err) != "not_found" {
		t.Errorf("it is there: %v", err)
	}
	if err := d.Remove(t.Context(), d.me, p.ID); code(err) != "not_found" {
		t.Errorf("again: %v", err)
	}
	if n := d.count(`SELECT count(*) FROM photo_blob`); n == 0 {
		t.Error("the files' rows went before the files")
	}
	d.later(2 * time.Hour)
	d.ok(d.Sweep(t.Context()))
	d.empty(p)
}

// empty holds that nothing is left of a photo.
func (d *darkroom) empty(p photo.Photo) {
	d.t.Helper()
	if n := d.count(`SELECT count(*) FROM photo_blob`); n != 0 {
		d.t.Errorf("%d files have rows", n)
	}
	for _, f := range p.Files {
		if ok, err := d.Store.Has(d.t.Context(), f.Digest); ok || err != nil {
			d.t.Errorf("%s is there: %v", f.Size, err)
		}
	}
}

// What nothing uses goes when its time is over, what is used stays, and a second sweep has nothing to do.
func TestOrphansGo(t *testing.T) {
	d := newDarkroom(t)
	ctx := t.Context()
	num := d.report()
	used, unused := d.upload(picture(6)), d.upload(picture(7))
	d.ok(d.use(photo.Use{Report: num}, d.me, used.ID))
	refused := d.upload([]byte("no photo at all"))
	started, file := newID(), picture(8)
	_, _, err := d.Create(ctx, d.me, photo.Begin{Kind: photo.Picture, ID: started, Length: int64(len(file))})
	d.ok(err)
	_, err = d.Append(ctx, d.me, started, photo.Part{Body: bytes.NewReader(file[:2000])})
	d.ok(err)
	used, unused = d.get(used.ID), d.get(unused.ID)
	left := func(hours int) (out []bool) {
		d.later(time.Duration(hours) * time.Hour)
		for range 2 {
			d.ok(d.Sweep(ctx))
		}
		for _, id := range []photo.ID{used.ID, unused.ID, refused.ID, started} {
			out = append(out, d.count(`SELECT count(*) FROM photo WHERE id = $1`, id) == 1)
		}
		return out
	}
	if got := left(23); !slices.Equal(got, []bool{true, true, true, true}) {
		t.Errorf("after 23 h: %v", got)
	}
	if _, err := d.Find(ctx, d.me, started); err != nil {
		t.Error(err)
	}
	d.later(time.Hour)
	if _, err := d.Find(ctx, d.me, started); code(err) != "not_found" {
		t.Errorf("an upload that has expired is found: %v", err)
	}
	if got := left(1); !slices.Equal(got, []bool{true, true, false, false}) {
		t.Errorf("after 25 h: %v", got)
	}
	if got := left(24); !slices.Equal(got, []bool{true, false, false, false}) {
		t.Errorf("after 49 h: %v", got)
	}
	if ok, _ := d.Store.Has(ctx, unused.Files[0].Digest); ok {
		t.Error("the file of what is gone is there")
	}
	if d.bytes(&used, photo.Original); d.count(`SELECT count(*) FROM photo_blob`) != 3 {
		t.Errorf("%d files have rows", d.count(`SELECT count(*) FROM photo_blob`))
	}
}

// Two photos of one content share files: one goes, the other stays whole.
func TestSharedFilesStay(t *testing.T) {
	d := newDarkroom(t)
	p, q := d.upload(picture(9)), d.upload(picture(9))
	if n := d.count(`SELECT count(*) FROM photo_blob`); n != 3 {
		t.Errorf("%d files for one content", n)
	}
	d.ok(d.Remove(t.Context(), d.me, p.ID))
	d.later(2 * time.Hour)
	d.ok(d.Sweep(t.Context()))
	q = d.get(q.ID)
	for _, size := range photo.Sizes {
		d.bytes(&q, size)
	}
}

// While sweeps of two processes delete a content, others upload it again and again: what is ready has all its files.
func TestSweepBesideTheSameContent(t *testing.T) {
	d := newDarkroom(t)
	files := [][]byte{picture(10), picture(11)}
	stop := make(chan struct{})
	var sweepers, all sync.WaitGroup
	for range 2 {
		other := d.another()
		// Its clock is far ahead: whatever nobody names at this moment is old enough to go.
		other.Now = func() time.Time { return d.now().Add(90 * time.Minute) }
		sweepers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := other.Sweep(context.WithoutCancel(t.Context())); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	var ready, busy atomic.Int32
	for worker := range 3 {
		all.Go(func() {
			for round := range 8 {
				file, id := files[(worker+round)%2], newID()
				if _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))}); err != nil {
					t.Error(err)
					return
				}
				var p photo.Photo
				var err error
				for { // as a client does, with more patience: these sweeps never rest, and take for old whatever is not named yet
					if p, err = d.Append(t.Context(), d.me, id, photo.Part{Body: bytes.NewReader(file)}); fault.Is(err, fault.KindUnavailable) {
						busy.Add(1)
						continue
					}
					break
				}
				// One that met a sweep is read by the next, or by that of another worker, which may be waiting for a file.
				for end := time.Now().Add(30 * time.Second); err == nil && p.State == photo.Uploading && time.Now().Before(end); {
					d.later(time.Second)
					if err = d.Sweep(t.Context()); err == nil {
						p, err = d.Find(t.Context(), d.me, id)
					}
				}
				if err != nil || p.State != photo.Ready {
					t.Errorf("%+v %v", p, err)
					return
				}
				ready.Add(1)
				p = d.get(id)
				for _, size := range photo.Sizes {
					d.bytes(&p, size)
				}
				if err := d.Remove(t.Context(), d.me, id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	sweepers.Wait()
	if ready.Load() != 24 {
		t.Errorf("%d are ready", ready.Load())
	}
	t.Logf("%d met a file that was going", busy.Load())
}

// A file that is marked is waited for, and the mark of a process that was killed lapses.
func TestWhoIsKilledWhileSweeping(t *testing.T) {
	d := newDarkroom(t)
	p := d.get(d.upload(picture(12)).ID)
	d.ok(d.Remove(t.Context(), d.me, p.ID))
	d.later(2 * time.Hour)
	d.exec(`UPDATE photo_blob SET going_until = $1`, d.now().Add(5*time.Minute))
	d.ok(d.Sweep(t.Context()))
	if d.count(`SELECT count(*) FROM photo_blob`) != 3 {
		t.Error("what another process deletes was taken from it")
	}
	d.later(6 * time.Minute)
	d.ok(d.Sweep(t.Context()))
	d.empty(p)
}

// Who marked files and was held up deletes none of them: another may have taken them up, and somebody put the same anew.
func TestWhoIsHeldUpWhileSweeping(t *testing.T) {
	d := newDarkroom(t)
	p := d.get(d.upload(picture(19)).ID)
	d.ok(d.Remove(t.Context(), d.me, p.ID))
	d.later(2 * time.Hour)
	slow := d.another()
	slow.Now = func() time.Time { // so long passes between any two looks at the clock
		d.later(9 * time.Minute)
		return d.now()
	}
	d.ok(slow.Sweep(t.Context()))
	d.bytes(&p, photo.Original)
	if n := d.count(`SELECT count(*) FROM photo_blob WHERE going_until IS NULL`); n != 3 {
		t.Errorf("%d files are let go", n)
	}
	d.ok(d.Sweep(t.Context()))
	d.empty(p)
}

func (d *darkroom) exec(sql string, args ...any) {
	d.t.Helper()
	d.ok(pgx.BeginFunc(d.t.Context(), d.city.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(d.t.Context(), sql, args...)
		return err
	}))
}

// A photo whose reader was killed is read by a sweep, of two at once by one.
func TestUnreadPhotosAreRead(t *testing.T) {
	d := newDarkroom(t)
	file, id := picture(13), newID()
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))})
	d.ok(err)
	d.exec(`UPDATE photo SET settling_until = $2 WHERE id = $1`, id, d.now().Add(time.Hour)) // another process is at it
	p, err := d.Append(t.Context(), d.me, id, photo.Part{Body: bytes.NewReader(file)})
	if err != nil || p.State != photo.Uploading || p.Received != p.Length {
		t.Fatalf("%+v %v", p, err)
	}
	d.later(2 * time.Minute)
	d.ok(d.Sweep(t.Context()))
	if p = d.get(id); p.State != photo.Uploading {
		t.Fatalf("it was taken from who is at it: %+v", p)
	}
	d.later(time.Hour)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := d.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if p = d.get(id); p.State != photo.Ready {
		t.Errorf("%+v", p)
	}
	if n := d.count(`SELECT count(*) FROM audit WHERE act = 'photo.upload'`); n != 1 {
		t.Errorf("%d on record", n)
	}
}

// A file is not taken into memory before there is room for it; what waited too long is read later.
func TestFilesWaitForRoom(t *testing.T) {
	d := newDarkroom(t)
	file, id := picture(18), newID()
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: id, Length: int64(len(file))})
	d.ok(err)
	d.exec(`UPDATE photo SET settling_until = $2 WHERE id = $1`, id, d.now().Add(time.Minute)) // the sweep is to read it
	_, err = d.Append(t.Context(), d.me, id, photo.Part{Body: bytes.NewReader(file)})
	d.ok(err)
	d.later(time.Hour)
	kept := d.dir
	d.dir = t.TempDir() // whoever looks for the file now is told that it is gone
	d.restart()
	done, err := d.Workshop.FillShelf(t.Context())
	d.ok(err)
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := d.Sweep(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing waited: %v", err)
	}
	if p := d.get(id); p.State != photo.Uploading {
		t.Fatalf("it was read without room: %+v", p)
	}
	done()
	d.dir = kept
	d.restart()
	d.ok(d.Sweep(t.Context()))
	if p := d.get(id); p.State != photo.Ready {
		t.Errorf("%+v", p)
	}
}

// A database that came back without its files says so, photo by photo, and works.
func TestFilesThatDidNotComeBack(t *testing.T) {
	d := newDarkroom(t)
	p := d.get(d.upload(picture(14)).ID)
	started, file := newID(), picture(15)
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: started, Length: int64(len(file))})
	d.ok(err)
	_, err = d.Append(t.Context(), d.me, started, photo.Part{Body: bytes.NewReader(file[:2000])})
	d.ok(err)
	d.dir = t.TempDir()
	d.restart()
	if _, _, err := d.Open(t.Context(), &p, photo.Large); !errors.Is(err, photo.ErrFileMissing) {
		t.Errorf("%v", err)
	}
	if missing, err := d.Missing(t.Context(), &p); err != nil || len(missing) != 3 {
		t.Errorf("missing %v, %v", missing, err)
	}
	q, err := d.Append(t.Context(), d.me, started, photo.Part{Offset: 2000, Body: bytes.NewReader(file[2000:])})
	if err != nil || q.State != photo.Refused || q.Refusal != "file_missing" {
		t.Errorf("half of it is gone: %+v %v", q, err)
	}
	d.later(72 * time.Hour)
	d.ok(d.Sweep(t.Context())) // of files that are not there
	if d.count(`SELECT count(*) FROM photo`) != 0 {
		t.Error("rows are left")
	}
}

// Who is erased takes along the photos that came with the report; what others took as evidence stays.
func TestForget(t *testing.T) {
	d := newDarkroom(t)
	num := d.report()
	came, evidence := d.upload(picture(16)), d.upload(picture(17))
	d.ok(d.use(photo.Use{Report: num}, d.me, came.ID))
	d.ok(d.use(photo.Use{Report: num, N: 4}, d.me, evidence.ID))
	d.ok(pgx.BeginFunc(t.Context(), d.city.Pool, func(tx pgx.Tx) error { return photo.Forget(t.Context(), tx, []int64{int64(num)}) }))
	if _, err := d.Get(t.Context(), came.ID); code(err) != "not_found" {
		t.Errorf("%v", err)
	}
	if p := d.get(evidence.ID); len(p.Uses) != 1 {
		t.Errorf("%+v", p)
	}
}

// A service that keeps no photos says so.
func TestWithoutAPlace(t *testing.T) {
	s := &photo.Service{Pool: &pgxpool.Pool{}, Feed: &feed.Writer{}, Now: time.Now, Log: apptest.Quiet()}
	if _, _, err := s.Create(t.Context(), uuid.New(), photo.Begin{Kind: photo.Picture, ID: newID(), Length: 5000}); code(err) != "no_photo_store" {
		t.Errorf("%v", err)
	}
	s.Run(t.Context()) // ends at once
}

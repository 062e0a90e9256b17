package photo_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app/apptest"
	"gridgov/internal/photo"
	"gridgov/internal/report"
	"gridgov/internal/voice"
)

// spoken is two seconds as a browser records them, with a title.
func spoken(t *testing.T) []byte { return recording(t, "tagged.webm") }

func recording(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../voice/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// say sends a file as a voice note, in two parts.
func (d *darkroom) say(file []byte) photo.Photo {
	d.t.Helper()
	id := newID()
	_, _, err := d.Create(d.t.Context(), d.me, photo.Begin{Kind: photo.Spoken, ID: id, Length: int64(len(file))})
	d.ok(err)
	half := min(len(file)/2+1024, len(file))
	_, err = d.Append(d.t.Context(), d.me, id, photo.Part{Body: bytes.NewReader(file[:half])})
	d.ok(err)
	p, err := d.Append(d.t.Context(), d.me, id, photo.Part{Offset: int64(half), Body: bytes.NewReader(file[half:])})
	d.ok(err)
	return d.get(p.ID)
}

func (d *darkroom) useVoice(num report.Num, by uuid.UUID, id photo.ID) error {
	return pgx.BeginFunc(d.t.Context(), d.city.Pool, func(tx pgx.Tx) error { return d.UseVoice(d.t.Context(), tx, by, num, id) })
}

// A voice note comes as a photo does, and is kept without what came along.
func TestVoiceUpload(t *testing.T) {
	d := newDarkroom(t)
	file := spoken(t)
	p := d.say(file)
	if p.State != photo.Ready || p.Kind != photo.Spoken || p.MIME != voice.WebM || p.Duration != 1920*time.Millisecond || len(p.Files) != 1 {
		t.Fatalf("%+v", p)
	}
	kept := d.bytes(&p, photo.Sound)
	want, refused := voice.Read(file)
	if refused != nil || !bytes.Equal(kept, want.Bytes) || !bytes.Contains(file, []byte("家在长安")) || bytes.Contains(kept, []byte("家在长安")) {
		t.Errorf("%d bytes are kept, with what came along", len(kept))
	}
	if n := d.count(`SELECT count(*) FROM audit WHERE act = 'voice.upload' AND subject = 'voice:' || $1::text`, p.ID.String()); n != 1 {
		t.Errorf("it is on record %d times", n)
	}
	// Its bytes have to bear out what it is said to be, both ways.
	if p := d.say(picture(31)); p.State != photo.Refused || p.Refusal != "not_a_voice" {
		t.Errorf("a picture: %+v", p)
	}
	if p := d.upload(file); p.State != photo.Refused || p.Refusal != "not_a_photo" {
		t.Errorf("a voice note as a photo: %+v", p)
	}
	if _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Spoken, ID: newID(), Length: voice.MaxBytes + 1}); code(err) != "too_large" {
		t.Errorf("too long a file: %v", err)
	}
	if _, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Picture, ID: p.ID, Length: p.Length}); code(err) != "id_taken" {
		t.Errorf("a photo under its id: %v", err)
	}
	if n := d.count(`SELECT count(*) FROM photo_file f JOIN photo p ON p.id = f.photo_id WHERE p.state = 'refused'`); n != 0 {
		t.Errorf("%d files of what was refused are kept", n)
	}
}

func TestVoiceUse(t *testing.T) {
	d := newDarkroom(t)
	num, second := d.report(), d.report()
	p, q := d.say(spoken(t)), d.upload(picture(32))
	_, other := apptest.SignIn(t, d.city)
	for name, c := range map[string]struct {
		by   uuid.UUID
		id   photo.ID
		code string
	}{"somebody else's": {other, p.ID, "unknown_voice"}, "none": {d.me, newID(), "unknown_voice"}, "a photo": {d.me, q.ID, "unknown_voice"}} {
		if err := d.useVoice(num, c.by, c.id); code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.use(photo.Use{Report: num, N: 2}, d.me, p.ID); code(err) != "unknown_photo" {
		t.Errorf("as a photo: %v", err)
	}
	unfinished := newID()
	_, _, err := d.Create(t.Context(), d.me, photo.Begin{Kind: photo.Spoken, ID: unfinished, Length: 5000})
	d.ok(err)
	if err := d.useVoice(num, d.me, unfinished); code(err) != "voice_not_ready" {
		t.Errorf("half of one: %v", err)
	}
	for range 2 { // told again
		d.ok(d.useVoice(num, d.me, p.ID))
	}
	if err := d.useVoice(second, d.me, p.ID); code(err) != "voice_used" {
		t.Errorf("of another report: %v", err)
	}
	if err := d.Remove(t.Context(), d.me, p.ID); code(err) != "voice_used" {
		t.Errorf("it was removed: %v", err)
	}
	list, err := d.VoicesOf(t.Context(), []report.Num{num, second})
	if err != nil || len(list) != 1 || list[0] != (photo.Voice{ID: p.ID, Report: num, MIME: voice.WebM, Duration: p.Duration}) {
		t.Errorf("%+v, %v", list, err)
	}
	if shown, err := d.OfReport(t.Context(), num); err != nil || len(shown) != 0 {
		t.Errorf("among photos: %+v, %v", shown, err)
	}
	if ids, err := d.Of(t.Context(), photo.Use{Report: num}); err != nil || len(ids) != 0 {
		t.Errorf("among photos: %v, %v", ids, err)
	}
	// What a report has stays; what none has goes with its file, when its time is over.
	unused := d.say(recording(t, "aac.m4a"))
	d.later(photo.UnusedAge + time.Minute)
	d.ok(d.Sweep(t.Context()))
	if _, err := d.Get(t.Context(), unused.ID); code(err) != "not_found" {
		t.Errorf("unused: %v", err)
	}
	d.later(2 * time.Hour)
	d.ok(d.Sweep(t.Context()))
	if ok, err := d.Store.Has(t.Context(), unused.Files[0].Digest); ok || err != nil {
		t.Errorf("the file of an unused one is there: %v", err)
	}
	d.bytes(&p, photo.Sound)
}

// A voice goes with the words of a report, and with whoever spoke.
func TestVoiceIsForgotten(t *testing.T) {
	for name, forget := range map[string]func(tx pgx.Tx, d *darkroom, num report.Num) error{
		"who told it is erased": func(tx pgx.Tx, d *darkroom, num report.Num) error {
			return photo.Forget(d.t.Context(), tx, []int64{int64(num)})
		},
		"who spoke is erased": func(tx pgx.Tx, d *darkroom, _ report.Num) error { return photo.ForgetSpoken(d.t.Context(), tx, d.me) },
		"it is made anonymous": func(tx pgx.Tx, d *darkroom, num report.Num) error {
			_, err := photo.ForgetAll(d.t.Context(), tx, []int64{int64(num)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDarkroom(t)
			num := d.report()
			p := d.say(spoken(t))
			d.ok(d.useVoice(num, d.me, p.ID))
			d.ok(pgx.BeginFunc(t.Context(), d.city.Pool, func(tx pgx.Tx) error { return forget(tx, d, num) }))
			if _, err := d.Get(t.Context(), p.ID); code(err) != "not_found" {
				t.Errorf("%v", err)
			}
			d.later(2 * time.Hour)
			d.ok(d.Sweep(t.Context()))
			d.empty(p)
		})
	}
}

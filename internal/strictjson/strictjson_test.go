package strictjson_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/strictjson"
)

type report struct {
	ID    string    `json:"id"`
	Lon   float64   `json:"lon"`
	Alt   *float64  `json:"alt,omitempty"`
	N     int       `json:"n"`
	At    time.Time `json:"at"`
	Tags  []string  `json:"tags"`
	Color color     `json:"color"`
}

// color refuses by itself, as the domain's enumerations do.
type color string

func (c *color) UnmarshalText(b []byte) error {
	if string(b) == "red" {
		*c = "red"
		return nil
	}
	return fault.Invalid("", "unknown_color", "%q is no colour", b)
}

type batch struct {
	Reports []report `json:"reports"`
}

func TestAccepts(t *testing.T) {
	var b batch
	f := strictjson.Decode(strings.NewReader(` {"reports":[{"id":"a","lon":120.5,"alt":null,"tags":null,"at":"2026-03-01T08:00:00+08:00","color":"red"}]}`+"\n"), 1000, &b)
	if f != nil {
		t.Fatal(f)
	}
	if got := b.Reports[0]; got.ID != "a" || got.Lon != 120.5 || got.Alt != nil || got.Color != "red" || got.At.UTC().Hour() != 0 {
		t.Errorf("decoded %+v", got)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, body, field, code string }{
		{"empty", " \n", "", "empty"},
		{"duplicate key", `{"reports":[{"id":"a","id":"b"}]}`, "reports[0].id", "duplicate_key"},
		{"duplicate by escape", `{"reports":[{"id":"a","\u0069d":"b"}]}`, "reports[0].id", "duplicate_key"},
		{"unknown field", `{"reports":[{"id":"a"},{"lng":3}]}`, "reports[1].lng", "unknown_field"},
		{"another case", `{"Reports":[]}`, "Reports", "unknown_field"},
		{"trailing value", `{"reports":[]} {}`, "", "trailing_data"},
		{"trailing text", `{"reports":[]}x`, "", "trailing_data"},
		{"text for number", `{"reports":[{"lon":"120"}]}`, "reports[0].lon", "wrong_type"},
		{"null for number", `{"reports":[{"lon":null}]}`, "reports[0].lon", "wrong_type"},
		{"null for text", `{"reports":[{"id":null}]}`, "reports[0].id", "wrong_type"},
		{"null for all", `null`, "", "wrong_type"},
		{"fraction for whole", `{"reports":[{"n":1.5}]}`, "reports[0].n", "wrong_type"},
		{"too large a number", `{"reports":[{"lon":1e999}]}`, "reports[0].lon", "out_of_range"},
		{"bad time", `{"reports":[{"at":"yesterday"}]}`, "reports[0].at", "wrong_type"},
		{"NaN", `{"reports":[{"lon":NaN}]}`, "reports[0].lon", "not_json"},
		{"cut off", `{"reports":[{"id":"a"`, "reports[0]", "not_json"},
		{"bad UTF-8", "{\"reports\":[{\"id\":\"\xff\"}]}", "reports[0].id", "not_json"},
		{"type's own fault", `{"reports":[{"color":"blue"}]}`, "reports[0].color", "unknown_color"},
		{"deep", strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40), "", "too_deep"},
		{"deep in unknown field", `{"x":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 41), "", "too_deep"},
		{"too large", `{"reports":[` + strings.Repeat(" ", 2000) + `]}`, "", "too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b batch
			f := strictjson.Decode(strings.NewReader(c.body), 1000, &b)
			if f == nil {
				t.Fatalf("accepted as %+v", b)
			}
			if f.Field != c.field || f.Code != c.code || f.Message == "" {
				t.Errorf("got field %q, code %q: %s; want field %q, code %q", f.Field, f.Code, f.Message, c.field, c.code)
			}
		})
	}
}

// Brackets inside texts are text.
func TestDepthCountsBracketsOutsideTextsOnly(t *testing.T) {
	var s []string
	body, _ := json.Marshal([]string{strings.Repeat(`[{"\"`, 100)})
	if f := strictjson.Decode(strings.NewReader(string(body)), 10_000, &s); f != nil {
		t.Fatal(f)
	}
}

func TestBrokenBody(t *testing.T) {
	var b batch
	r := io.MultiReader(strings.NewReader(`{"reports":[]`), failing{})
	if f := strictjson.Decode(r, 1000, &b); f == nil || f.Code != "unreadable" {
		t.Errorf("broken connection: %v", f)
	}
	limited := http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader(strings.Repeat(" ", 100))), 10)
	if f := strictjson.Decode(limited, 1000, &b); f == nil || f.Kind != fault.KindTooLarge {
		t.Errorf("body over the server's limit: %v", f)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// Whatever is accepted, encoding/json reads the same from; whatever it refuses is refused here too.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"reports":[{"id":"a","lon":120.5,"tags":["x"],"at":"2026-03-01T08:00:00Z","color":"red"}]}`,
		`{"reports":[{"id":"a","id":"b"}]}`, `{"reports":null}`, `[[[[`, `{"reports":[]}]`, "{\"\xff\":1}", `{"reports":[{"n":1e3}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want batch
		bad := strictjson.Decode(strings.NewReader(string(body)), 1<<16, &got)
		err := json.Unmarshal(body, &want)
		if bad != nil {
			if bad.Message == "" || bad.Code == "" {
				t.Fatalf("%q: a fault without words: %+v", body, bad)
			}
			return
		}
		if err != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", body, err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Fatalf("%q read as %s, by encoding/json as %s", body, a, b)
		}
	})
}

func TestCheckText(t *testing.T) {
	for body, field := range map[string]string{
		`{"a": [{"b": "x\u0000"}]}`:     "a[0].b",
		`{"a": {"\u0000": 1}}`:          "a.\x00",
		`"\u0000"`:                      "",
		`{"a": "\\u0000"}`:              "-", // a backslash and some letters
		`{"a": "\u0001\u2028", "b": 1}`: "-",
		`{"a": "\u0000`:                 "-", // no JSON
	} {
		switch f := strictjson.CheckText([]byte(body)); {
		case (f == nil) != (field == "-"):
			t.Errorf("%s: %v", body, f)
		case f != nil && (f.Code != "bad_text" || f.Field != field):
			t.Errorf("%s: %s at %q", body, f.Code, f.Field)
		}
	}
}

// Package strictjson decodes the JSON of requests and refuses everything that two readers could understand differently:
// repeated keys, unknown fields, text after the value, names in another case, invalid UTF-8, and nesting beyond any use.
// Each refusal is a fault that names the field by its path, such as "reports[3].lon".
package strictjson

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"gridgov/internal/fault"
)

// MaxDepth is how deep objects and arrays may nest: GeoJSON inside a batch needs eight.
const MaxDepth = 32

// Decode reads one JSON value of at most limit bytes into v and returns nil when all of it was understood. The faults'
// codes are too_large, empty, not_json, duplicate_key, trailing_data, too_deep, unknown_field and wrong_type; a fault
// that a type's own UnmarshalJSON returns is kept. Fields that are absent keep the values v came with: which ones are
// required is the caller's matter. null is accepted only where a pointer, a slice, a map or an interface can hold it.
//
// A reading error (a broken connection, http.MaxBytesReader) is reported as code unreadable, or too_large.
func Decode(r io.Reader, limit int64, v any) *fault.Error {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case int64(len(body)) > limit:
		return fault.TooLarge("", "the body is larger than %s; send it in parts", size(limit))
	case errors.As(err, new(*http.MaxBytesError)):
		return fault.TooLarge("", "the body is too large; send it in parts")
	case err != nil:
		return fault.Invalid("", "unreadable", "the body could not be read to its end")
	case len(bytes.Trim(body, " \t\r\n")) == 0:
		return fault.Invalid("", "empty", "the body is empty; a JSON value is expected")
	}
	if at := tooDeep(body); at >= 0 {
		return fault.Invalid("", "too_deep", "objects and arrays nest deeper than %d at %s", MaxDepth, place(body, int64(at)))
	}
	err = json.Unmarshal(body, v, json.RejectUnknownMembers(true), json.WithUnmarshalers(refuseNulls()))
	if err == nil {
		return nil
	}
	return explain(err, body)
}

// CheckText refuses the character U+0000 in any name or text of a JSON value, as PostgreSQL keeps none: bad_text. What is no
// JSON passes, for Decode to tell.
func CheckText(body []byte) *fault.Error {
	if !bytes.Contains(body, []byte(`\u0000`)) { // most have none
		return nil
	}
	for dec := jsontext.NewDecoder(bytes.NewReader(body)); ; {
		token, err := dec.ReadToken()
		switch {
		case err != nil:
			return nil
		case token.Kind() == '"' && strings.Contains(token.String(), "\x00"):
			return fault.Invalid(path(dec.StackPointer()), "bad_text", "has the character U+0000, which cannot be kept: take it out")
		}
	}
}

// refuseNulls makes null an error where a plain value stands, which would silently become 0, "" or false.
func refuseNulls() *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v any) error {
		// v is a pointer to the value that is decoded next.
		if dec.PeekKind() != 'n' {
			return errors.ErrUnsupported // the ordinary way
		}
		switch reflect.TypeOf(v).Elem().Kind() {
		case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
			reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Struct, reflect.Array:
			return errNull
		}
		return errors.ErrUnsupported
	})
}

var errNull = errors.New("must not be null")

// explain turns the library's error into a fault with the field's path.
func explain(err error, body []byte) *fault.Error {
	if f, ok := fault.As(err); ok {
		if sem := (*json.SemanticError)(nil); f.Field == "" && errors.As(err, &sem) {
			named := *f
			named.Field = path(sem.JSONPointer)
			return &named
		}
		return f
	}
	if sem := (*json.SemanticError)(nil); errors.As(err, &sem) {
		field := path(sem.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return fault.Invalid(field, "unknown_field", "is not a field of this request; check its spelling and case")
		case errors.Is(err, errNull):
			return fault.Invalid(field, "wrong_type", "must not be null; leave it out when there is no value")
		case sem.JSONKind == '0' && typeName(sem.GoType) == "a number":
			return fault.Invalid(field, "out_of_range", "is larger than any number can be here")
		case sem.JSONKind == '"' && sem.GoType == reflect.TypeFor[uuid.UUID]():
			return fault.Invalid(field, "bad_uuid", "is no UUID")
		}
		return fault.Invalid(field, "wrong_type", "%s is given where %s is expected", kindName(sem.JSONKind), typeName(sem.GoType))
	}
	if syn := (*jsontext.SyntacticError)(nil); errors.As(err, &syn) {
		at := place(body, syn.ByteOffset)
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return fault.Invalid(path(syn.JSONPointer), "duplicate_key", "is given twice, again at %s", at)
		case syn.JSONPointer == "" && complete(body, syn.ByteOffset):
			return fault.Invalid("", "trailing_data", "there is text after the JSON value at %s", at)
		}
		return fault.Invalid(path(syn.JSONPointer), "not_json", "the body is not valid JSON at %s: %s", at, syn.Err)
	}
	return fault.Invalid("", "not_json", "the body is not valid JSON")
}

// complete reports whether the text before the offset is one whole JSON value by itself.
func complete(body []byte, offset int64) bool {
	return jsontext.Value(body[:min(max(offset, 0), int64(len(body)))]).IsValid()
}

// tooDeep finds the first bracket that passes MaxDepth, -1 if there is none. It looks before the decoder does, so that
// no decoder recurses on hostile input.
func tooDeep(body []byte) int {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > MaxDepth {
				return i
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return -1
}

// path writes a JSON pointer as programmers say it: /reports/3/lon is reports[3].lon.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil && b.Len() > 0 {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if len(token) > 60 {
			token = strings.ToValidUTF8(token[:60], "") + "…"
		}
		b.WriteString(token)
	}
	return b.String()
}

// place is a position for people: line and column from 1, in bytes.
func place(body []byte, offset int64) string {
	before := body[:min(max(offset, 0), int64(len(body)))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	return "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(len(before)-bytes.LastIndexByte(before, '\n'))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "something"
}

// typeName says what a Go type looks like in JSON.
func typeName(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return "something else"
	case t == reflect.TypeFor[time.Time]():
		return "a time such as 2026-03-01T08:00:00+08:00"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		return "a whole number"
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		return "a whole number from 0"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "something else"
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 1<<10:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

package geofile

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"gridgov/internal/fault"
)

// maxToken bounds one text or number, and maxNames the members of one feature with all inside it: what the decoder has
// to hold at once.
const (
	maxToken = 64 << 20
	maxNames = 1 << 20
	maxBlank = 1 << 20 // newlines between two tokens
)

// stream reads JSON token by token out of a window that cannot grow without bound, and knows the line it is at.
// Its errors are final faults that name the line.
type stream struct {
	dec    *jsontext.Decoder
	window *window
	names  int
}

func newStream(r io.Reader) *stream {
	w := &window{r: r, line: 1}
	// Repeated keys and invalid UTF-8 are refused by default.
	return &stream{dec: jsontext.NewDecoder(w), window: w}
}

// peek is the kind of the next token, 0 at the end and at an error, which the next read returns.
func (s *stream) peek() jsontext.Kind {
	s.window.used = s.dec.InputOffset()
	return s.dec.PeekKind()
}

// token reads one token. It is valid until the next call.
func (s *stream) token() (jsontext.Token, error) {
	s.window.used = s.dec.InputOffset()
	t, err := s.dec.ReadToken()
	if err != nil {
		return t, s.explain(err)
	}
	return t, nil
}

// name reads the next member's name of the object that is open; ok is false at its end.
func (s *stream) name() (name string, ok bool, err error) {
	t, err := s.token()
	if err != nil || t.Kind() == '}' {
		return "", false, err
	}
	if s.names++; s.names > maxNames {
		return "", false, fault.TooLarge("", "a record has more than %d members", maxNames).AtLine(s.lineNow())
	}
	return t.String(), true, nil
}

// value reads a whole value as text, at most maxToken of it.
func (s *stream) value() (jsontext.Value, error) {
	s.window.used = s.dec.InputOffset()
	v, err := s.dec.ReadValue()
	if err != nil {
		return nil, s.explain(err)
	}
	return v, nil
}

// skip passes over the next value, however long, without holding it.
func (s *stream) skip() error {
	depth := s.dec.StackDepth()
	for {
		t, err := s.token()
		if err != nil {
			return err
		}
		if t.Kind() == '"' {
			if kind, n := s.dec.StackIndex(s.dec.StackDepth()); kind == '{' && n%2 == 1 {
				if s.names++; s.names > maxNames {
					return fault.TooLarge("", "a record has more than %d members", maxNames).AtLine(s.lineNow())
				}
			}
		}
		if s.dec.StackDepth() <= depth {
			return nil
		}
	}
}

// lineNow is the line on which the last token ended.
func (s *stream) lineNow() int { return s.window.lineAt(s.dec.InputOffset()) }

// explain names the line and says in words what the decoder means.
func (s *stream) explain(err error) error {
	if _, ok := fault.As(err); ok {
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			if f.Line == 0 {
				return f.AtLine(s.lineNow())
			}
			return f
		}
	}
	syntax := (*jsontext.SyntacticError)(nil)
	if !errors.As(err, &syntax) {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fault.Invalid("", "not_json", "the file ends in the middle of a value; it is cut off").AtLine(s.lineNow())
		}
		return err
	}
	line := s.window.lineAt(syntax.ByteOffset)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fault.Invalid(clip(syntax.JSONPointer.LastToken(), 60), "duplicate_key", "is given twice in one object").AtLine(line)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Invalid("", "not_json", "the file ends in the middle of a value; it is cut off").AtLine(line)
	}
	return fault.Invalid("", "not_json", "this is not valid JSON: %s", syntax.Err).AtLine(line)
}

// window feeds the decoder, counts lines and refuses to run far ahead of what was used.
type window struct {
	r        io.Reader
	given    int64   // bytes handed to the decoder
	used     int64   // bytes that the decoder is done with
	newlines []int64 // offsets of newlines from the last lineAt on
	line     int     // of the place of the last lineAt
}

func (w *window) Read(p []byte) (int, error) {
	if w.given-w.used > maxToken {
		return 0, fault.TooLarge("", "a single value has more than %d MiB", maxToken>>20)
	}
	n, err := w.r.Read(p)
	for rest, at := p[:n], w.given; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		w.newlines = append(w.newlines, at+int64(i))
		rest, at = rest[i+1:], at+int64(i)+1
	}
	w.given += int64(n)
	if len(w.newlines) > maxBlank {
		if w.lineAt(w.used); len(w.newlines) > maxBlank {
			return 0, fault.TooLarge("", "more than %d lines are blank or inside one value", maxBlank)
		}
	}
	return n, err
}

// lineAt is the line of an offset, which must not be before that of an earlier call.
func (w *window) lineAt(offset int64) int {
	passed := 0
	for passed < len(w.newlines) && w.newlines[passed] < offset {
		passed++
	}
	w.line += passed
	w.newlines = w.newlines[passed:]
	return w.line
}

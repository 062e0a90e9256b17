package geofile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"gridgov/internal/fault"
)

// records is what both kinds of JSON files give.
type records interface {
	// nextObject is the next record and its number; a *RowError as Reader.Next.
	nextObject() (*object, int, error)
	crs() string
	format() string
}

// startJSON chooses between one JSON text and a sequence of them.
func (r *Reader) startJSON(t *text, opts Options) error {
	src, err := newRecords(t, opts, r.notes)
	if err != nil {
		return err
	}
	r.format, r.crs, r.encoding = src.format(), src.crs, t.encoding
	if opts.Layer != "" && r.format != "TopoJSON" {
		return fault.Invalid("layer", "unknown_layer", "GeoJSON has no layers, so none is called “%s”: leave it out", clip(opts.Layer, 60))
	}
	r.next = func() (Feature, error) {
		o, record, err := src.nextObject()
		r.format = src.format()
		if err != nil {
			return Feature{}, err
		}
		return o.feature(record)
	}
	return nil
}

func newRecords(t *text, opts Options, n *notes) (records, error) {
	br := bufio.NewReaderSize(t, headBytes)
	head, err := br.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if start := bytes.TrimLeft(head, " \t\r\n"); len(start) > 0 && start[0] == recordSeparator {
		return newSequence(br, recordSeparator, opts, n), nil
	}
	if featureALine(head) {
		return newSequence(br, '\n', opts, n), nil
	}
	d := newDocument(br, opts, n)
	return d, d.prefetch()
}

// featureALine reports whether the text begins like newline-delimited GeoJSON: a Feature or a geometry whole on its line.
// Read line by line, a broken line costs one record, where a broken document is lost from there on.
func featureALine(head []byte) bool {
	switch topType(head) {
	case "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
	default:
		return false
	}
	line, _, more := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte{'\n'})
	return !more || jsontext.Value(line).IsValid()
}

// topType is the value of "type" in the outermost object, "" if the head does not show it.
func topType(head []byte) string {
	dec := jsontext.NewDecoder(bytes.NewReader(head))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		if name.String() == "type" && dec.PeekKind() == '"' {
			t, err := dec.ReadToken()
			if err != nil {
				return ""
			}
			return t.String()
		}
		if dec.SkipValue() != nil {
			return ""
		}
	}
	return ""
}

// sequence reads one JSON text after another, each ended by a separator. A text that cannot be read is one row error.
type sequence struct {
	jsonReader
	br     *bufio.Reader
	sep    byte
	line   int // on which the next segment starts
	record int
}

func newSequence(br *bufio.Reader, sep byte, opts Options, n *notes) *sequence {
	return &sequence{br: br, sep: sep, line: 1,
		jsonReader: jsonReader{stream: newStream(bytes.NewReader(nil)), opts: opts, notes: n}}
}

func (s *sequence) crs() string { return "" }

func (s *sequence) format() string { return "GeoJSONSeq" }

func (s *sequence) nextObject() (*object, int, error) {
	for {
		seg := &segment{br: s.br, sep: s.sep}
		w := &window{r: seg, line: s.line}
		s.window = w
		s.dec.Reset(w)
		s.perRecord, s.names = perRecord{}, 0
		o, err := s.read()
		if drained := seg.drain(); drained != nil {
			return nil, s.record, drained
		}
		last := s.line
		s.line += seg.newlines
		switch {
		case errors.Is(err, errBlank):
			if !seg.ended { // the end of the file
				if s.record == 0 {
					return nil, 0, fault.Invalid("", "empty", "the file holds no feature")
				}
				return nil, s.record, io.EOF
			}
			continue
		case err == nil:
			s.record++
			return o, s.record, nil
		}
		s.record++
		f, ok := fault.As(err)
		if !ok {
			return nil, s.record, err
		}
		if f.Line == 0 {
			f = f.AtLine(last)
		}
		return nil, s.record, &RowError{Line: f.Line, Record: s.record, Code: f.Code, Field: f.Field, Reason: f.Message}
	}
}

var errBlank = errors.New("geofile: blank segment")

// read reads the one value of a segment.
func (s *sequence) read() (*object, error) {
	switch s.peek() {
	case '{':
	case 0:
		if _, err := s.dec.ReadToken(); !errors.Is(err, io.EOF) {
			return nil, s.explain(err)
		}
		return nil, errBlank
	default:
		return nil, fault.Invalid("", "not_a_feature", "the line holds no JSON object").AtLine(s.lineNow())
	}
	if _, err := s.token(); err != nil {
		return nil, err
	}
	o, err := s.object(nil)
	if err != nil {
		return nil, err
	}
	if s.peek() != 0 {
		return nil, fault.Invalid("", "trailing_data", "there is text after the feature").AtLine(s.lineNow())
	}
	if _, err := s.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, s.explain(err)
	}
	return o, nil
}

// segment gives the bytes up to a separator, which it consumes.
type segment struct {
	br       *bufio.Reader
	sep      byte
	ended    bool // the separator was met
	newlines int
	err      error // of the reader below, io.EOF aside
}

func (g *segment) Read(p []byte) (int, error) {
	if g.ended {
		return 0, io.EOF
	}
	if _, err := g.br.Peek(1); err != nil {
		if !errors.Is(err, io.EOF) {
			g.err = err
		}
		return 0, err
	}
	chunk, _ := g.br.Peek(min(g.br.Buffered(), len(p)))
	n := len(chunk)
	if i := bytes.IndexByte(chunk, g.sep); i >= 0 {
		n, g.ended = i, true
	}
	copy(p, chunk[:n])
	used := n
	if g.ended {
		used++
	}
	g.newlines += bytes.Count(chunk[:used], []byte{'\n'})
	g.br.Discard(used) //nolint:errcheck // it was peeked
	if n == 0 && g.ended {
		return 0, io.EOF
	}
	return n, nil
}

// drain passes over what is left; its error ends the whole file.
func (g *segment) drain() error {
	if g.err != nil {
		return g.err
	}
	if _, err := io.Copy(io.Discard, g); err != nil {
		return err
	}
	return g.err
}

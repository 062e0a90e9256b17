package tiles

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The tests' own decoder refuses whatever MVT 2.1 does not allow. decodes_test.go holds it against its publisher's fixtures.

type tileLayer struct {
	name     string
	extent   uint64
	features []tileFeature
}

type tileFeature struct {
	id         uint64
	hasID      bool
	kind       uint64
	properties map[string]any
	lines      [][]pixel // points and lines as they come; rings without the repeated corner
}

func (l *tileLayer) areas(f *tileFeature) (outer, inner int64) {
	for _, r := range f.lines {
		if a := ringArea2(r); a > 0 {
			outer += a
		} else {
			inner -= a
		}
	}
	return outer, inner
}

func ringArea2(r []pixel) (area2 int64) {
	for i, p := range r {
		q := r[(i+1)%len(r)]
		area2 += int64(p.x)*int64(q.y) - int64(q.x)*int64(p.y)
	}
	return area2
}

// fields calls visit for each field of a message.
func fields(b []byte, visit func(number protowire.Number, wire protowire.Type, varint uint64, bytes []byte) error) error {
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v uint64
		var raw []byte
		switch wire {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			raw, n = protowire.ConsumeBytes(b)
		case protowire.Fixed32Type:
			var w uint32
			w, n = protowire.ConsumeFixed32(b)
			v = uint64(w)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			return fmt.Errorf("wire type %d", wire)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := visit(number, wire, v, raw); err != nil {
			return err
		}
	}
	return nil
}

func decodeTile(b []byte) (layers []tileLayer, err error) {
	names := map[string]bool{}
	err = fields(b, func(number protowire.Number, wire protowire.Type, _ uint64, raw []byte) error {
		if number != 3 || wire != protowire.BytesType {
			return fmt.Errorf("tile field %d, wire type %d", number, wire)
		}
		l, err := decodeLayer(raw)
		if err == nil && names[l.name] {
			err = errors.New("two layers of one name")
		}
		names[l.name] = true
		layers = append(layers, l)
		return err
	})
	return layers, err
}

func decodeLayer(b []byte) (l tileLayer, err error) {
	var keys []string
	var values []any
	var features [][]byte
	seen := map[string]bool{}
	version := uint64(0)
	l.extent = 4096
	err = fields(b, func(number protowire.Number, wire protowire.Type, v uint64, raw []byte) error {
		want := protowire.BytesType
		if number == 15 || number == 5 {
			want = protowire.VarintType
		}
		if wire != want {
			return fmt.Errorf("layer field %d, wire type %d", number, wire)
		}
		switch number {
		case 15:
			version = v
		case 1:
			l.name = string(raw)
		case 2:
			features = append(features, raw)
		case 3:
			if seen[string(raw)] {
				return errors.New("two keys of one name")
			}
			seen[string(raw)] = true
			keys = append(keys, string(raw))
		case 4:
			value, err := decodeValue(raw)
			if err != nil {
				return err
			}
			values = append(values, value)
		case 5:
			l.extent = v
		default:
			return fmt.Errorf("layer field %d", number)
		}
		return nil
	})
	switch {
	case err != nil:
		return l, err
	case version != 2:
		return l, fmt.Errorf("layer version %d", version)
	case l.name == "":
		return l, errors.New("layer without a name")
	case len(features) == 0:
		return l, errors.New("layer without features")
	}
	for _, raw := range features {
		f, err := decodeFeature(raw, keys, values)
		if err != nil {
			return l, fmt.Errorf("feature %d: %w", len(l.features), err)
		}
		l.features = append(l.features, f)
	}
	return l, nil
}

func decodeValue(b []byte) (value any, err error) {
	wires := map[protowire.Number]protowire.Type{
		1: protowire.BytesType, 2: protowire.Fixed32Type, 3: protowire.Fixed64Type, 4: protowire.VarintType,
		5: protowire.VarintType, 6: protowire.VarintType, 7: protowire.VarintType,
	}
	err = fields(b, func(number protowire.Number, wire protowire.Type, v uint64, raw []byte) error {
		if want, known := wires[number]; !known || want != wire || value != nil {
			return fmt.Errorf("value field %d, wire type %d", number, wire)
		}
		switch number {
		case 1:
			value = string(raw)
		case 2:
			value = math.Float32frombits(uint32(v))
		case 3:
			value = math.Float64frombits(v)
		case 4:
			value = int64(v)
		case 5:
			value = v
		case 6:
			value = protowire.DecodeZigZag(v)
		case 7:
			value = v != 0
		}
		return nil
	})
	if err == nil && value == nil {
		err = errors.New("value without content")
	}
	return value, err
}

func packed(b []byte) (list []uint64, err error) {
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		list, b = append(list, v), b[n:]
	}
	return list, nil
}

func decodeFeature(b []byte, keys []string, values []any) (f tileFeature, err error) {
	f.properties = map[string]any{}
	var tags, geometry []uint64
	count := map[protowire.Number]int{}
	err = fields(b, func(number protowire.Number, wire protowire.Type, v uint64, raw []byte) error {
		count[number]++
		switch number {
		case 1:
			f.id, f.hasID = v, true
		case 2:
			tags, err = packed(raw)
		case 3:
			f.kind = v
		case 4:
			geometry, err = packed(raw)
		default:
			return fmt.Errorf("feature field %d", number)
		}
		if want := number == 2 || number == 4; want != (wire == protowire.BytesType) || count[number] > 1 {
			return fmt.Errorf("feature field %d, wire type %d, %d times", number, wire, count[number])
		}
		return err
	})
	if err != nil {
		return f, err
	}
	if len(tags)%2 != 0 {
		return f, errors.New("odd number of tags")
	}
	for i := 0; i < len(tags); i += 2 {
		if tags[i] >= uint64(len(keys)) || tags[i+1] >= uint64(len(values)) {
			return f, fmt.Errorf("tags %d, %d of %d keys and %d values", tags[i], tags[i+1], len(keys), len(values))
		}
		if _, twice := f.properties[keys[tags[i]]]; twice {
			return f, fmt.Errorf("key %s twice", keys[tags[i]])
		}
		f.properties[keys[tags[i]]] = values[tags[i+1]]
	}
	f.lines, err = decodeGeometry(f.kind, geometry)
	return f, err
}

func decodeGeometry(kind uint64, g []uint64) (lines [][]pixel, err error) {
	if kind < 1 || kind > 3 || len(g) == 0 {
		return nil, fmt.Errorf("geometry type %d with %d integers", kind, len(g))
	}
	var at pixel
	take := func(n int) (out []pixel, err error) {
		if n < 1 || n > (len(g)-1)/2 {
			return nil, fmt.Errorf("%d coordinates announced, %d integers there", n, len(g)-1)
		}
		for i := range n {
			dx, dy := int32(protowire.DecodeZigZag(g[1+2*i])), int32(protowire.DecodeZigZag(g[2+2*i]))
			if i+1 < n && kind != 1 && g[0]&7 == 2 && dx == 0 && dy == 0 {
				return nil, errors.New("the same place twice")
			}
			at = pixel{at.x + dx, at.y + dy}
			out = append(out, at)
		}
		g = g[1+2*n:]
		return out, nil
	}
	for len(g) > 0 {
		if g[0]&7 != 1 || kind != 1 && g[0]>>3 != 1 || kind == 1 && lines != nil {
			return nil, fmt.Errorf("command %d where MoveTo belongs", g[0])
		}
		line, err := take(int(g[0] >> 3))
		if err != nil {
			return nil, err
		}
		if kind == 1 {
			lines = append(lines, line)
			continue
		}
		if len(g) == 0 || g[0]&7 != 2 {
			return nil, errors.New("no LineTo after MoveTo")
		}
		rest, err := take(int(g[0] >> 3))
		if err != nil {
			return nil, err
		}
		if rest[0] == line[0] || len(rest) > 1 && rest[len(rest)-1] == rest[len(rest)-2] {
			return nil, errors.New("the same place twice")
		}
		line = append(line, rest...)
		if kind == 3 {
			if len(g) == 0 || g[0] != 1<<3|7 {
				return nil, errors.New("no ClosePath after LineTo")
			}
			g = g[1:]
			area2 := ringArea2(line)
			if len(line) < 3 || area2 == 0 || line[0] == line[len(line)-1] {
				return nil, errors.New("degenerate ring")
			}
			if len(lines) == 0 && area2 < 0 {
				return nil, errors.New("a polygon begins with a hole")
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

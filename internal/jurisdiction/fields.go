package jurisdiction

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// Fields say which property of a feature holds what. Code and Name are needed.
type Fields struct {
	Code, Name, NameLatin, Parent, Households, Population string
}

// Face makes a face of a feature's properties and shape.
func (f Fields) Face(line int, properties map[string]string, shape orb.MultiPolygon) (Face, *fault.Error) {
	face := Face{Line: line, Shape: shape}
	for _, p := range []struct {
		to       *string
		property string
		required bool
	}{{&face.Code, f.Code, true}, {&face.Name, f.Name, true}, {&face.NameLatin, f.NameLatin, false}, {&face.Parent, f.Parent, false}} {
		if p.property == "" {
			continue
		}
		v, ok := properties[p.property]
		if v = strings.TrimSpace(v); p.required && v == "" {
			if !ok {
				return face, fault.Invalid(p.property, "missing_field", "the feature has no property %q; it has %s", p.property, some(properties)).AtLine(line)
			}
			return face, fault.Invalid(p.property, "required", "is empty: each face needs one").AtLine(line)
		}
		*p.to = v
	}
	for _, p := range []struct {
		to       **int
		property string
	}{{&face.Households, f.Households}, {&face.Population, f.Population}} {
		v := strings.TrimSpace(properties[p.property])
		if p.property == "" || v == "" {
			continue
		}
		x, err := strconv.ParseFloat(v, 64)
		if err != nil || x < 0 || x > 1e9 || x != math.Trunc(x) {
			return face, fault.Invalid(p.property, "not_a_number", "%.40q is not a whole number", v).AtLine(line)
		}
		*p.to = new(int(x))
	}
	if f.Parent != "" && face.Parent == "" {
		return face, fault.Invalid(f.Parent, "required", "is empty: with --parent each face names its parent").AtLine(line)
	}
	return face, nil
}

// some names a few properties for a message, in order.
func some(properties map[string]string) string {
	names := make([]string, 0, len(properties))
	for n := range properties {
		names = append(names, n)
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return strings.Join(names, ", ")
}

package postgres

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gridgov/internal/fault"
)

// City is one row of the registry. Its schema is named by its code.
type City struct {
	Code      string // ^[a-z][a-z0-9]{1,30}$, also the first segment of its URLs
	Name      string
	Timezone  string // of the tz database: Asia/Shanghai
	SRID      int    // projected system in metres, for distances and areas
	Levels    Levels
	Generated bool // its reports and lines are made up: every view says so
	Demo      bool // it is there to be looked at: anybody may sign in as anybody
	// Role is the serving role's name. CreateCity chooses it.
	Role string
	// Conn is the owner's URL of the server that holds the city; empty: the registry's own database.
	Conn      string
	CreatedAt time.Time
}

// reservedCodes are the words that cannot name a city: schemas with a meaning of their own and, as each city's URLs start
// with its code, first segments of the service's other routes. A new such route is added here.
var reservedCodes = []string{
	"public", "registry", "river",
	"about", "api", "assets", "cities", "docs", "favicon", "fonts", "healthz", "login", "metrics", "readyz", "static", "v1",
}

// ReservedCodes returns the words that cannot be a city's code, sorted.
func ReservedCodes() []string {
	return slices.Sorted(slices.Values(reservedCodes))
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9]{1,30}$`)

// CheckCode refuses codes that are malformed or reserved. The pattern has no underscore, so it also keeps out pg_* and
// information_schema.
func CheckCode(code string) error {
	if !codePattern.MatchString(code) {
		return fault.Invalid("code", "bad_city_code",
			"%.60q cannot be a city's code: use 2 to 31 lower-case letters and digits, a letter first", code)
	}
	if slices.Contains(reservedCodes, code) {
		return fault.Invalid("code", "reserved_city_code", "%q cannot be a city's code: the service uses it itself; choose another", code)
	}
	return nil
}

// The roles of levels, top first.
const (
	RoleCity      = "city"
	RoleTown      = "town"
	RoleVillage   = "village"
	RoleGrid      = "grid"
	RoleMicrogrid = "microgrid"
)

// Roles returns the roles of levels, top first.
func Roles() []string {
	return []string{RoleCity, RoleTown, RoleVillage, RoleGrid, RoleMicrogrid}
}

// Level is one level of a city: what it is to the product and what the city calls it (Washington's grid is the SMD).
type Level struct {
	Role string `json:"role"`
	Name string `json:"name"`
}

// Levels are a city's levels, top first. They hold a grid, and below it at most the microgrid.
type Levels []Level

// DefaultLevels are those of a Chinese county-level city.
const DefaultLevels = "city,town,village,grid,microgrid"

var levelNamePattern = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} _-]{0,39}$`)

// ParseLevels reads "city,town:ward,village:anc,grid:smd": roles top first, each with the city's own name if it has one.
func ParseLevels(s string) (Levels, error) {
	var levels Levels
	for part := range strings.SplitSeq(s, ",") {
		role, name, named := strings.Cut(strings.TrimSpace(part), ":")
		role, name = strings.TrimSpace(role), strings.TrimSpace(name)
		if !named {
			name = role
		}
		levels = append(levels, Level{Role: role, Name: name})
	}
	return levels, levels.check()
}

func (ls Levels) check() error {
	bad := func(format string, args ...any) error {
		return fault.Invalid("levels", "bad_levels", format+"; an example is city,town:ward,village:anc,grid:smd", args...)
	}
	roles := Roles()
	last := -1
	for i, l := range ls {
		at := slices.Index(roles, l.Role)
		switch {
		case at < 0:
			return bad("%.60q is no level: use %s", l.Role, strings.Join(roles, ", "))
		case at <= last:
			return bad("%s stands after %s: name each level once, top first", l.Role, roles[last])
		case !utf8.ValidString(l.Name) || !levelNamePattern.MatchString(l.Name):
			return bad("%.60q cannot be the name of level %s: use 1 to 40 letters, digits, spaces, - and _", l.Name, l.Role)
		}
		last = at
		for j, other := range ls {
			if i != j && (strings.EqualFold(l.Name, other.Name) || strings.EqualFold(l.Name, other.Role)) {
				return bad("the name %q means two levels, %s and %s", l.Name, l.Role, other.Role)
			}
		}
		if slices.ContainsFunc(roles, func(r string) bool { return r != l.Role && strings.EqualFold(l.Name, r) }) {
			return bad("level %s cannot be called %q: that is the role of another level", l.Role, l.Name)
		}
	}
	if !ls.Has(RoleGrid) {
		return bad("the levels must hold grid, the smallest staffed area")
	}
	return nil
}

// Has reports whether the city has a level of the role.
func (ls Levels) Has(role string) bool {
	return slices.ContainsFunc(ls, func(l Level) bool { return l.Role == role })
}

// Find returns the level that a user names by its role or by the city's own name, whatever the case.
func (ls Levels) Find(s string) (Level, error) {
	for _, l := range ls {
		if strings.EqualFold(s, l.Role) || strings.EqualFold(s, l.Name) {
			return l, nil
		}
	}
	return Level{}, fault.Invalid("level", "unknown_level", "the city has no level %.60q: its levels are %s", s, ls)
}

// String gives the form that ParseLevels reads.
func (ls Levels) String() string {
	var b strings.Builder
	for i, l := range ls {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.Role)
		if l.Name != l.Role {
			b.WriteString(":" + l.Name)
		}
	}
	return b.String()
}

package haining

import "github.com/paulmach/orb"

// Place is an entry of the gazetteer.
type Place struct {
	Code    string
	Name    string   // 褚石村
	Latin   string   // Chushi Village
	Aliases []string // as published, where it differs
	At      orb.Point
}

// Places is the city, its towns and its villages with their label points. The names are real; where a village lies within
// its town is generated.
func (p *Plan) Places() []Place {
	var out []Place
	for _, role := range []string{"city", "town", "village"} {
		for _, d := range p.Level(role) {
			place := Place{Code: d.Code, Name: d.Name, Latin: d.Latin, At: d.Label}
			if d.Official != d.Name {
				place.Aliases = append(place.Aliases, d.Official)
			}
			out = append(out, place)
		}
	}
	return out
}

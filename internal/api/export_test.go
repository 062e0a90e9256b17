package api

import "gridgov/internal/policy"

// Route is a line of the table of routes, for tests.
type Route struct {
	Method, Path string
	Action       policy.Action
	Unending     bool
}

// RouteTable lists the city's routes.
func RouteTable() []Route {
	var out []Route
	for _, r := range (&api{}).routes() {
		out = append(out, Route{r.method, r.path, r.action, r.kind == unending})
	}
	return out
}

// Routes lists "METHOD /path" of the city's routes.
func Routes() []string {
	var out []string
	for _, r := range RouteTable() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

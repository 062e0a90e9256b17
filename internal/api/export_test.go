package api

// Routes lists "METHOD /path" of the city's routes.
func Routes() []string {
	var out []string
	for _, r := range (&api{}).routes() {
		out = append(out, r.method+" "+r.path)
	}
	return out
}

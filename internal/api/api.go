// Package api is the service's HTTP face: routes, problem details, and the handlers that decode, call one use case and
// encode. openapi.yaml comes first; the types in types.gen.go are generated from it.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml

import (
	_ "embed" // openapi.yaml
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/basemap"
)

//go:embed openapi.yaml
var openAPI []byte

// Config is what the API serves from.
type Config struct {
	Server  *app.Server
	Page    fs.FS            // the built page; nil when the binary was built without
	Basemap *basemap.Archive // what the map draws under the cities; nil where none is configured
	Log     *slog.Logger
	Now     func() time.Time
	Observe func(route, method string, status int, took time.Duration)
	Stop    <-chan struct{} // closed when the server is about to stop: streams end

	FixedBody []byte // for measurements: served at /{city}/v1/fixed like a tile, where it is set
}

// handler is one route's work; an error becomes a problem document.
type handler func(w http.ResponseWriter, r *http.Request, c *app.Live) error

type api struct{ Config }

// route is one line of the table below; tests hold it against openapi.yaml.
type route struct {
	method, path string
	handle       handler
	level        slog.Level // of the log line of an answer without fault
}

// inMasses is for what a map asks for by the hundred: the metrics tell of it, the log only at debug level.
const inMasses = slog.LevelDebug

// routes is the whole API of one city, under /{city}/v1.
func (a *api) routes() []route {
	routes := []route{
		{"GET", "/", a.getCity, slog.LevelInfo},
		{"GET", "/plans", a.listPlans, slog.LevelInfo},
		{"GET", "/jurisdictions/{level}/{code}", a.getJurisdiction, slog.LevelInfo},
		{"GET", "/reports", a.listReports, slog.LevelInfo},
		{"POST", "/reports", a.fileReport, slog.LevelInfo},
		{"POST", "/reports/batch", a.fileReports, slog.LevelInfo},
		{"GET", "/reports/{id}", a.getReport, slog.LevelInfo},
		{"PUT", "/reports/{id}/position", a.setPosition, slog.LevelInfo},
		{"GET", "/counts", a.countReports, slog.LevelInfo},
		{"GET", "/locate", a.locate, slog.LevelInfo},
		{"GET", "/search", a.search, slog.LevelInfo},
		{"GET", "/events", a.streamEvents, slog.LevelInfo},
		{"GET", "/tiles/{layer}", a.getTileJSON, slog.LevelInfo},
		{"GET", "/tiles/{layer}/{z}/{x}/{y}", a.getTile, inMasses},
		{"GET", "/basemap.pmtiles", a.getBasemap, inMasses},
		{"GET", "/openapi.yaml", a.getOpenAPI, slog.LevelInfo},
		{"GET", "/docs", a.getDocs, slog.LevelInfo},
	}
	if a.FixedBody != nil {
		routes = append(routes, route{"GET", "/fixed", a.getFixed, inMasses})
	}
	return routes
}

// New makes the handler of everything on the service's public address.
func New(cfg Config) http.Handler {
	a := &api{Config: cfg}
	city := http.NewServeMux()
	for _, rt := range a.routes() {
		pattern := rt.method + " /{city}/v1" + rt.path
		if rt.path == "/" {
			pattern += "{$}"
		}
		city.Handle(pattern, a.wrap(rt.method+" "+rt.path, rt.level, a.inCity(rt.handle)))
	}
	city.Handle("GET /{city}/v1", http.RedirectHandler("v1/", http.StatusPermanentRedirect))
	city.Handle("GET /{city}/{rest...}", a.wrap("GET page", slog.LevelInfo, a.page))
	city.Handle("/", a.wrap("unknown", slog.LevelInfo, a.unknown))

	root := http.NewServeMux()
	root.Handle("GET /{$}", a.wrap("GET /", slog.LevelInfo, a.page))
	root.Handle("GET /cities", a.wrap("GET /cities", slog.LevelInfo, a.listCities))
	root.Handle("GET /assets/", a.wrap("GET /assets", inMasses, a.asset))
	root.Handle("/", a.wrap("unknown", slog.LevelInfo, a.unknown))

	// Two muxes, as /assets/… and /{city}/… would stand in each other's way in one.
	dispatch := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if first == "" || first == "assets" || first == "cities" {
			root.ServeHTTP(w, r)
			return
		}
		city.ServeHTTP(w, r)
	})
	return a.guard(dispatch)
}

func (a *api) unknown(w http.ResponseWriter, r *http.Request) error {
	return methodOrPath(w, r)
}

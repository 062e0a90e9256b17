package api

import (
	"compress/gzip"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"unicode"

	"gridgov/internal/fault"
)

// pagePolicy: the page may use what this service serves and nothing else, and no script or style that stands in the page
// itself. Pictures may be made in the page: the map does; and sound, where somebody speaks.
const pagePolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// scriptPolicy is what a script of the page may do where it runs by itself: the map's worker asks for tiles. A worker takes
// no rule from the page that made it.
const scriptPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"

const noPage = `<!doctype html><html lang="zh"><meta charset="utf-8"><title>gridgov</title>
<body>
<h1>gridgov</h1><p>此程序未包含网页。请运行 <code>make build</code>，再启动 <code>bin/gridgov serve</code>。接口已可使用。</p>
<p>This binary was built without the page. Run <code>make build</code>, then start <code>bin/gridgov serve</code>. The API works.</p>`

// page serves the one page for / and every path of a city; the page's own router reads the rest, and says to who reads
// pages that there is no such city.
func (a *api) page(w http.ResponseWriter, r *http.Request) error {
	status := http.StatusOK
	code := r.PathValue("city")
	if code != "" {
		if strings.HasPrefix(r.PathValue("rest"), "v1/") || r.PathValue("rest") == "v1" {
			return a.methodOrPath(r)
		}
		if c, starting := a.Server.City(code); c == nil && !starting {
			status = http.StatusNotFound
		}
		if status == http.StatusNotFound && (a.Page == nil || !strings.Contains(r.Header.Get("Accept"), "text/html")) {
			return fault.NotFound("there is no city %.40q here", code)
		}
	}
	h := w.Header()
	document(h, pagePolicy)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Type", "text/html; charset=utf-8")
	if a.Page == nil {
		_, _ = w.Write([]byte(noPage))
		return nil
	}
	name := "index.html"
	switch r.PathValue("rest") {
	case "field/":
		name = "field.html"
		h["Permissions-Policy"] = headerHears
	case "report":
		name = "report.html"
	}
	b, err := fs.ReadFile(a.Page, name)
	if err != nil {
		return err
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}

// worker serves a page's service worker, in which its name is: field-worker.js, report-worker.js. The first lies in the app's folder, the
// second beside its page, and answers for no other address. It is asked for anew each time, as it names the page's files.
func (a *api) worker(name string) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if a.Page == nil {
			return fault.NotFound("this binary was built without the page")
		}
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Content-Security-Policy", scriptPolicy)
		return a.compressed(w, r, name)
	}
}

// fieldManifest says how the phone app is called and looks once it is installed.
func (a *api) fieldManifest(w http.ResponseWriter, r *http.Request) error {
	c, _ := a.Server.City(r.PathValue("city"))
	if c == nil {
		return fault.NotFound("there is no city %.40q here", r.PathValue("city"))
	}
	name := c.Name
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		name += "网格"
	}
	icon := func(size, purpose string) map[string]string {
		return map[string]string{"src": "/assets/icon-" + purpose + "-" + size + ".png", "sizes": size + "x" + size, "type": "image/png", "purpose": purpose}
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSONAs(w, "application/manifest+json", http.StatusOK, map[string]any{
		"id": "/" + c.Code + "/field/", "start_url": "/" + c.Code + "/field/", "scope": "/" + c.Code + "/field/",
		"name": name, "short_name": name, "lang": "zh-CN", "display": "standalone", "orientation": "portrait",
		"background_color": "#F6F7F9", "theme_color": "#1E5AA8",
		"icons": []any{icon("192", "any"), icon("512", "any"), icon("512", "maskable")},
	})
}

// asset serves the page's parts; their names hold a digest of their content.
func (a *api) asset(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if a.Page == nil {
		return fault.NotFound("this binary was built without the page")
	}
	if info, err := fs.Stat(a.Page, name); err != nil || info.IsDir() {
		return fault.NotFound("there is nothing at %.100q", r.URL.Path)
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if strings.HasSuffix(name, ".mjs") || strings.HasSuffix(name, ".js") {
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Content-Security-Policy", scriptPolicy)
	}
	return a.compressed(w, r, name)
}

// compressed sends a file, gzipped where it is text and the client takes it.
func (a *api) compressed(w http.ResponseWriter, r *http.Request, name string) error {
	switch path.Ext(name) {
	case ".js", ".mjs", ".css", ".svg", ".json":
	default:
		http.ServeFileFS(w, r, a.Page, name) //nolint:gosec // the name is looked up in the binary, which has no other folder
		return nil
	}
	if !acceptsGzip(r) || r.Header.Get("Range") != "" {
		http.ServeFileFS(w, r, a.Page, name) //nolint:gosec // likewise
		return nil
	}
	raw, err := fs.ReadFile(a.Page, name)
	if err != nil {
		return err
	}
	if h := w.Header(); h.Get("Content-Type") == "" {
		h.Set("Content-Type", map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json"}[path.Ext(name)])
	}
	gzipped(w, raw)
	return nil
}

// gzipped sends a whole answer to a client that takes gzip.
func gzipped(w http.ResponseWriter, raw []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(raw) // the client may be gone
	_ = z.Close()
}

// getBasemap is the same for all cities; it stands under each so that a city's page asks for nothing outside its own path.
func (a *api) getBasemap(w http.ResponseWriter, r *http.Request, _ *call) error {
	if a.Basemap == nil {
		return fault.NotFound("no basemap is configured")
	}
	return a.Basemap.Serve(w, r)
}

func (a *api) getOpenAPI(w http.ResponseWriter, _ *http.Request, _ *call) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(openAPI)
	return nil
}

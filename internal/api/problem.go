package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

// statusOf is the one place that maps kinds of faults to HTTP.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.KindInvalid:
		return http.StatusBadRequest
	case fault.KindNotFound:
		return http.StatusNotFound
	case fault.KindConflict:
		return http.StatusConflict
	case fault.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.KindUnsupported:
		return http.StatusUnsupportedMediaType
	case fault.KindForbidden:
		return http.StatusForbidden
	case fault.KindUnauthenticated:
		return http.StatusUnauthorized
	case fault.KindTooMany:
		return http.StatusTooManyRequests
	case fault.KindUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problemOf turns any error into what the client may see. Internals stay in the log.
func problemOf(err error, requestID string) Problem {
	f, ok := fault.As(err)
	switch {
	case ok:
	case postgres.Disconnected(err), errors.Is(err, context.DeadlineExceeded):
		f = fault.Unavailable("database_unavailable", "the database does not answer; try again in a moment")
	default:
		f = &fault.Error{Code: "internal", Message: "something went wrong here; the log has it under this request id"}
	}
	status := statusOf(f.Kind)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: &f.Message, RequestId: optional(requestID)}
	if f.Field != "" {
		p.Field = &f.Field
	}
	if f.RetryAfter > 0 {
		p.RetryAfter = new(int(math.Ceil(f.RetryAfter.Seconds())))
	}
	return p
}

func writeProblem(w http.ResponseWriter, p Problem) {
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers only
		panic(err)
	}
	h := w.Header()
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	switch {
	case p.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case p.RetryAfter != nil:
		h.Set("Retry-After", strconv.Itoa(*p.RetryAfter))
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="gridgov"`)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the client may be gone
}

// methodError is answered 405 with the methods that the path has.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "method not allowed" }

// methodOrPath says of a request that no route takes whether another method would be taken there.
func (a *api) methodOrPath(r *http.Request) error {
	var allow []string
	if _, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); rest != "v1" && !strings.HasPrefix(rest, "v1/") {
		if r.Method != http.MethodGet && r.Method != http.MethodHead { // the page is read
			allow = []string{http.MethodGet, http.MethodHead}
		}
	} else {
		for _, rt := range a.table {
			if !covers("{city}/v1"+rt.path, strings.TrimPrefix(r.URL.Path, "/")) {
				continue
			}
			if allow = append(allow, rt.method); rt.method == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if len(allow) > 0 {
		return &methodError{strings.Join(allow, ", ")}
	}
	return fault.NotFound("there is nothing at %.100q", r.URL.Path)
}

// covers tells whether a route's pattern has the path: the same parts, and any where the pattern has {name}.
func covers(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") && g != "" })
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	return writeJSONAs(w, "application/json", status, v)
}

func writeJSONAs(w http.ResponseWriter, mediaType string, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
	return nil
}

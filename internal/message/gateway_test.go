package message_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gridgov/internal/message"
)

// gateway is an HTTP service that takes what it is given.
type gateway struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  []string
	headers []http.Header
	status  int
	answer  string
	target  string // where to point to
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{status: http.StatusOK, answer: `{"code":0}`}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.bodies, g.headers = append(g.bodies, string(body)), append(g.headers, r.Header)
		if g.target != "" {
			http.Redirect(w, r, g.target, http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(g.status)
		_, _ = io.WriteString(w, g.answer)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) say(status int, answer string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status, g.answer = status, answer
}

const jsonBody = `{"to": {{json .To}}, "text": {{json .Text}}}`

func TestGateway(t *testing.T) {
	g := startGateway(t)
	s := message.Gateway{URL: g.URL + "/send", Method: "POST", Headers: []message.Header{{Name: "Authorization", Value: "Bearer secret"}}, Body: jsonBody, Expect: `"code":0`}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	text := "\"}, {\"to\": \"all\" \\ 验证码 123456\n{{.To}}"
	m := message.Message{Channel: message.SMS, To: "13800138000", Text: text}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(g.bodies[0]), &got); err != nil || len(got) != 2 || got["to"] != m.To || got["text"] != text {
		t.Errorf("%v %s", err, g.bodies[0])
	}
	if h := g.headers[0]; h.Get("Authorization") != "Bearer secret" || h.Get("Content-Type") != "application/json" {
		t.Errorf("%v", h)
	}
	for _, c := range []struct {
		status int
		answer string
		good   bool
	}{{201, `{"code":0}`, true}, {200, `{"code":1, "text":"123456"}`, false}, {200, "", false}, {500, `{"code":0}`, false}, {404, "", false}, {200, strings.Repeat("x", 1<<20) + `"code":0`, false}} {
		g.say(c.status, c.answer)
		err := s.Send(t.Context(), m)
		if (err == nil) != c.good || err != nil && strings.Contains(err.Error(), "123456") {
			t.Errorf("%d %.30s: %v", c.status, c.answer, err)
		}
	}
}

// A gateway that points to another host is not followed there: neither number nor key are shown to it.
func TestGatewayPointsElsewhere(t *testing.T) {
	other, g := startGateway(t), startGateway(t)
	g.target = other.URL
	s := message.Gateway{URL: g.URL, Method: "POST", Headers: []message.Header{{Name: "X-Key", Value: "secret"}}, Body: jsonBody}
	var f *message.Failure
	if err := s.Send(t.Context(), message.Message{To: "13800138000", Text: "a"}); !errors.As(err, &f) {
		t.Errorf("%v", err)
	}
	if len(other.bodies) != 0 {
		t.Errorf("the other host was told %q", other.bodies)
	}
}

func TestGatewaySettings(t *testing.T) {
	good := message.Gateway{URL: "https://sms.example.com/send", Method: "POST", Body: jsonBody}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(g *message.Gateway){
		"plain http":     func(g *message.Gateway) { g.URL = "http://sms.example.com/send" },
		"no host":        func(g *message.Gateway) { g.URL = "https:///send" },
		"another scheme": func(g *message.Gateway) { g.URL = "file:///etc/passwd" },
		"user in it":     func(g *message.Gateway) { g.URL = "https://a:b@sms.example.com" },
		"GET":            func(g *message.Gateway) { g.Method = "GET" },
		"header lines":   func(g *message.Gateway) { g.Headers = []message.Header{{Name: "X", Value: "a\r\nY: b"}} },
		"header name":    func(g *message.Gateway) { g.Headers = []message.Header{{Name: "X: y", Value: "a"}} },
		"host header":    func(g *message.Gateway) { g.Headers = []message.Header{{Name: "host", Value: "a"}} },
		"raw text":       func(g *message.Gateway) { g.Body = `{"to": "{{.To}}", "text": "{{.Text}}"}` },
		"no number":      func(g *message.Gateway) { g.Body = `{"text": {{json .Text}}}` },
		"a loop":         func(g *message.Gateway) { g.Body = jsonBody + `{{range 1000000000}}{{end}}` },
		"a definition":   func(g *message.Gateway) { g.Body = jsonBody + `{{define "x"}}{{end}}` },
		"another field":  func(g *message.Gateway) { g.Body = `{"to": {{json .To}}, "text": {{json .Password}}}` },
		"a variable":     func(g *message.Gateway) { g.Body = jsonBody + `{{$a := .Text}}` },
		"a wide format":  func(g *message.Gateway) { g.Body = jsonBody + `{{printf "%99d" 1}}` },
		"a format of it": func(g *message.Gateway) { g.Body = jsonBody + `{{json (print .Text .Text)}}` },
		"a long pipe":    func(g *message.Gateway) { g.Body = jsonBody + ` {{.Text | json | json | json}}` },
		"broken":         func(g *message.Gateway) { g.Body = `{{` },
		"nothing":        func(g *message.Gateway) { g.Body = "" },
		"raw form": func(g *message.Gateway) {
			g.Headers, g.Body = []message.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}, "to={{.To}}&text={{.Text}}"
		},
	} {
		g := good
		change(&g)
		if g.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	form := message.Gateway{URL: "http://localhost:9/", Method: "PUT", Headers: []message.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}, Body: "to={{query .To}}&text={{query .Text}}"}
	if err := form.Check(); err != nil {
		t.Error(err)
	}
	xml := message.Gateway{URL: "https://localhost:9/", Method: "POST", Headers: []message.Header{{Name: "Content-Type", Value: "text/xml"}}, Body: "<to>{{xml .To}}</to><t>{{xml .Text}}</t>"}
	if err := xml.Check(); err != nil {
		t.Error(err)
	}
}

package message

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"gridgov/internal/fault"
)

// Gateway is an HTTP service that sends SMS. Body is a template (text/template) with {{.To}} and {{.Text}} and nothing else;
// json, query and xml write a value so that it stays one: {"to": {{json .To}}}.
type Gateway struct {
	URL     string   `json:"url"`
	Method  string   `json:"method"` // POST or PUT: numbers and codes do not stand in addresses
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body"`
	Expect  string   `json:"expect,omitempty"` // what the answer holds when the message was taken; "": any 2xx
}

// Header is a header of the gateway's requests. Its value is a secret.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Limits of a gateway's settings and answers, in bytes.
const (
	maxSetting = 4 << 10
	maxHeaders = 20
	maxBody    = 16 << 10
	maxAnswer  = 64 << 10
)

// words are what a template may write.
type words struct{ To, Text string }

var functions = template.FuncMap{
	"json": func(s string) (string, error) {
		b, err := json.Marshal(s)
		return string(b), err
	},
	"query": url.QueryEscape,
	"xml":   html.EscapeString,
}

// Check refuses what cannot work, sends in the clear, or lets a text break out of its place.
func (g *Gateway) Check() *fault.Error {
	u, err := url.Parse(g.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(g.URL) > maxSetting || !oneLine(g.URL):
		return fault.Invalid("sms.url", "bad_url", "is no address of a gateway, such as https://sms.example.com/send")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fault.Invalid("sms.url", "not_encrypted", "has to begin with https: without it a gateway may be on this machine only")
	case g.Method != http.MethodPost && g.Method != http.MethodPut:
		return fault.Invalid("sms.method", "unknown_value", "is neither POST nor PUT")
	case len(g.Expect) > maxSetting:
		return fault.Invalid("sms.expect", "too_long", "is longer than 4 KiB")
	case len(g.Headers) > maxHeaders:
		return fault.Invalid("sms.headers", "too_many", "holds %d headers; %d are allowed", len(g.Headers), maxHeaders)
	}
	for _, h := range g.Headers {
		if !headerName.MatchString(h.Name) || !oneLine(h.Value) || len(h.Name)+len(h.Value) > maxSetting ||
			forbidden[http.CanonicalHeaderKey(h.Name)] {
			return fault.Invalid("sms.headers", "bad_header", "%.40q is no header that can be set, or its value cannot be sent", h.Name)
		}
	}
	return g.checkBody()
}

// headerName is a token of RFC 9110.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// forbidden are headers that belong to the connection.
var forbidden = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Upgrade": true, "Te": true, "Trailer": true}

// checkBody tries the template with a text that would break out where it is not escaped.
func (g *Gateway) checkBody() *fault.Error {
	bad := func(why string) *fault.Error {
		return fault.Invalid("sms.body", "bad_template", "%s: write a template such as {\"to\": {{json .To}}, \"text\": {{json .Text}}}", why)
	}
	if len(g.Body) > maxSetting {
		return bad("is longer than 4 KiB")
	}
	probe := words{"+8613800138000", "\"quoted\" \\ & <b> 验证码\n%"}
	body, err := g.body(probe)
	if err != nil {
		return bad("cannot be filled in")
	}
	if !bytes.Contains(body, []byte("13800138000")) {
		return bad("does not hold the number, {{.To}}")
	}
	if len(body) == 0 || !json.Valid(body) && strings.Contains(g.contentType(), "json") {
		return bad("gives no valid JSON when a text holds quotes: write {{json .Text}}, without quotes around it")
	}
	if !strings.Contains(g.contentType(), "json") && bytes.Contains(body, []byte(probe.Text)) && !strings.HasPrefix(g.contentType(), "text/plain") {
		return bad("puts a text in as it is: write {{query .Text}} or {{xml .Text}}")
	}
	return nil
}

func (g *Gateway) contentType() string {
	for _, h := range g.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			return strings.ToLower(h.Value)
		}
	}
	return "application/json"
}

// fillsIn tells whether a part of a template is text, or one of the two values, through functions of ours. Whatever else the language
// of templates has, as printf and variables, can grow a text without a bound.
func fillsIn(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.TextNode:
		return true
	case *parse.ActionNode:
		return len(n.Pipe.Decl) == 0 && len(n.Pipe.Cmds) <= 2 && !slices.ContainsFunc(n.Pipe.Cmds, func(c *parse.CommandNode) bool { return slices.ContainsFunc(c.Args, strange) })
	}
	return false
}

func strange(arg parse.Node) bool {
	switch a := arg.(type) {
	case *parse.FieldNode:
		return len(a.Ident) != 1
	case *parse.IdentifierNode:
		return functions[a.Ident] == nil
	}
	return true
}

// body fills in the template. Only values and what stands between them are allowed: no loops, no definitions.
func (g *Gateway) body(w words) ([]byte, error) {
	t, err := template.New("body").Funcs(functions).Option("missingkey=error").Parse(g.Body)
	if err != nil {
		return nil, err
	}
	if t.Tree == nil || len(t.Templates()) > 1 {
		return nil, errors.New("no text, or more than one template")
	}
	for _, n := range t.Root.Nodes {
		if !fillsIn(n) {
			return nil, errors.New("only {{.To}} and {{.Text}} may be filled in, through json, query or xml")
		}
	}
	var out bytes.Buffer
	if err := t.Execute(&out, w); err != nil {
		return nil, err
	}
	if out.Len() > maxBody {
		return nil, errors.New("too long")
	}
	return out.Bytes(), nil
}

// Send implements [Sender].
func (g *Gateway) Send(ctx context.Context, m Message) error {
	body, err := g.body(words{m.To, m.Text})
	if err != nil {
		return &Failure{What: "the gateway's template cannot be filled in", Final: true, cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, g.Method, g.URL, bytes.NewReader(body))
	if err != nil {
		return &Failure{What: "the gateway's address", Final: true, cause: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "gridgov")
	for _, h := range g.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes, transport.DisableKeepAlives = maxAnswer, true
	client := http.Client{Transport: transport, CheckRedirect: sameHost}
	resp, err := client.Do(req)
	if err != nil {
		return &Failure{What: "the gateway was not reached", cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return &Failure{What: "the gateway's answer broke off", Code: resp.StatusCode, cause: err}
	case resp.StatusCode/100 != 2:
		return &Failure{What: "the gateway's answer", Code: resp.StatusCode}
	case g.Expect != "" && !bytes.Contains(answer, []byte(g.Expect)):
		return &Failure{What: "the gateway's answer is not the one that is expected", Code: resp.StatusCode}
	}
	return nil
}

// sameHost follows a gateway within itself: no other host is shown numbers and codes, nor the same one unencrypted.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme || req.Method != first.Method {
		return errors.New("the gateway points elsewhere")
	}
	return nil
}

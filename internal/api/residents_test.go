package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/contact"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// post is what came to a receiver.
type post struct{ to, text string }

// receivers are a gateway for SMS and a mail server, both real, on this machine.
type receivers struct {
	t        *testing.T
	gateway  string
	mailPort int

	mu      sync.Mutex
	got     []post
	refuses bool // whatever comes
}

func startReceivers(t *testing.T) *receivers {
	t.Helper()
	r := &receivers{t: t}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var in struct{ To, Text string }
		if err := json.NewDecoder(req.Body).Decode(&in); err != nil || req.Header.Get("X-Key") != "gateway-secret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if !r.take(post{in.To, in.Text}) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(h.Close)
	r.gateway = h.URL
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.mailPort = l.Addr().(*net.TCPAddr).Port
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { r.mail(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return r
}

func (r *receivers) mail(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	text := textproto.NewConn(c)
	_ = text.PrintfLine("220 ready")
	to := ""
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(line, " ")
		answer := "250 ok"
		switch word {
		case "RCPT":
			to += strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>")
		case "DATA":
			_ = text.PrintfLine("354 go on")
			m, err := mail.ReadMessage(bufio.NewReader(text.DotReader()))
			if err != nil {
				return
			}
			b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil || !r.take(post{to, string(b)}) {
				answer = "451 later"
			}
		case "QUIT":
			answer = "221 bye"
		}
		if text.PrintfLine("%s", answer) != nil || word == "QUIT" {
			return
		}
	}
}

func (r *receivers) take(p post) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.refuses {
		r.got = append(r.got, p)
	}
	return !r.refuses
}

func (r *receivers) refuse(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses = yes
}

func (r *receivers) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// next waits for what comes after the first n.
func (r *receivers) next(n int) post {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // polls a condition
		r.mu.Lock()
		if len(r.got) > n {
			defer r.mu.Unlock()
			return r.got[n]
		}
		r.mu.Unlock()
	}
	r.t.Fatalf("nothing came after the first %d", n)
	return post{}
}

func (r *receivers) settings() map[string]any {
	return map[string]any{"resident_reports": true,
		"smtp": map[string]any{"host": "127.0.0.1", "port": r.mailPort, "tls": "none", "from": "grid@example.com"},
		"sms": map[string]any{"url": r.gateway, "method": "POST", "headers": []any{map[string]any{"name": "X-Key", "value": "gateway-secret"}},
			"body": `{"to": {{json .To}}, "text": {{json .Text}}}`}}
}

// village is a city that takes residents' reports, and a resident.
type village struct {
	*site
	admin *site
	post  *receivers

	mu sync.Mutex
	at time.Time
}

func newVillage(t *testing.T) *village {
	v := &village{post: startReceivers(t), at: apptest.Now}
	s := newSiteAt(t, v.now)
	v.admin, v.site = s, s.as("")
	s.do("PUT", "/settings/messages", v.post.settings()).want(200)
	return v
}

func (v *village) now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.at
}

func (v *village) pass(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.at = v.at.Add(d)
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code asks for a code and reads it where it arrives.
func (v *village) code(channel, to string) string {
	v.t.Helper()
	v.pass(time.Minute)
	n := v.post.count()
	v.do("POST", "/public/codes", filing{"channel": channel, "to": to, "language": "en"}).want(202)
	for ; ; n++ { // the link of a report before may come meanwhile
		if got := v.post.next(n); !strings.Contains(got.text, "/r#") {
			return sixDigits.FindString(got.text)
		}
	}
}

func telling(channel, to, code string, more ...filing) filing {
	f := aReport(1, 1, append([]filing{{"source": nil, "captured_at": nil, "channel": channel, "to": to, "code": code, "text": "路灯不亮"}}, more...)...)
	return f
}

const (
	phone = "13800138000"
	inbox = "li@example.org"
)

// The whole way: a code arrives, the report is filed in the resident's name, the link arrives, and tells what became of it.
func TestResidentReports(t *testing.T) {
	v := newVillage(t)
	var options api.ReportOptions
	v.do("GET", "/public/reports/options", nil).want(200).into(&options)
	if len(options.Channels) != 2 || len(options.Items) != 2 || options.Map || options.Bbox != nil {
		t.Errorf("%+v", options)
	}
	for channel, to := range map[string]string{"sms": "+86 138 0013 8000", "email": " Li@Example.org "} {
		code := v.code(channel, to)
		n := v.post.count()
		f := telling(channel, to, code, filing{"accuracy_m": 12.5, "position_source": "gps", "address": "许村镇人民路 1 号", "name": "李四", "text": "<b>路灯</b>不亮 " + channel})
		var told api.ToldReport
		v.do("POST", "/public/reports", f).want(201).into(&told)
		if len(told.Secret) != 43 || !strings.HasSuffix(told.Url, "/"+v.live.Code+"/r#"+told.Secret) || told.Report.State != api.FollowedReportStateReceived || *told.Report.Text != f["text"] || told.Report.Item.Name != "露天焚烧" {
			t.Errorf("%+v", told)
		}
		link := v.post.next(n)
		if !strings.Contains(strings.ReplaceAll(link.text, "=\n", ""), told.Url) || link.to != map[string]string{"sms": phone, "email": inbox}[channel] {
			t.Errorf("%+v, want %s", link, told.Url)
		}
		var followed api.FollowedReport
		a := v.do("POST", "/public/follow", filing{"secret": told.Secret}).want(200)
		a.into(&followed)
		if a.header.Get("Cache-Control") != "no-store" || followed.Num != told.Report.Num || *followed.Address != f["address"] || followed.Village == nil || followed.Town.Code != "330481101" {
			t.Errorf("%s", a.body)
		}
		for _, private := range []string{phone, "李四", "example", "lon", fmt.Sprint(f["id"])} {
			if strings.Contains(string(a.body), private) {
				t.Errorf("the follow answer tells %s: %s", private, a.body)
			}
		}
		// Sent again, it is the same report, by another link; the first goes on, and is not sent again.
		var again api.ToldReport
		v.pass(3 * time.Second)
		v.do("POST", "/public/reports", f).want(200).into(&again)
		if again.Report.Num != told.Report.Num || again.Secret == told.Secret || !again.Report.CapturedAt.Equal(told.Report.CapturedAt) {
			t.Errorf("%+v, before %+v", again, told)
		}
		for _, secret := range []string{told.Secret, again.Secret} {
			v.do("POST", "/public/follow", filing{"secret": secret}).want(200)
		}
		if got := v.post.count(); got != n+1 {
			t.Errorf("%d messages, want %d", got, n+1)
		}
		// Staff see it as any other, and who told it only masked.
		rep, err := v.live.Reports.Get(t.Context(), report.Num(told.Report.Num))
		if err != nil {
			t.Fatal(err)
		}
		masked, err := v.live.Contacts.Masked(t.Context(), []report.Num{rep.Num})
		if err != nil || !masked[rep.Num].Known || masked[rep.Num].Name != "李**" || rep.Source != "web" || rep.FiledBy != nil || rep.Placement.Grid != apptest.GridCode(1, 1) || *rep.AccuracyM != 12.5 {
			t.Errorf("%+v %+v %v", rep, masked, err)
		}
	}
}

// A link that is sent to somebody never has a name that whoever asked has chosen. Where the service knows no name of its own it
// takes no reports, and says so before anybody writes one.
func TestLinksHaveTheServicesOwnName(t *testing.T) {
	v := newVillage(t)
	behind := func(e api.Edge) *site {
		e.Limits = api.NoLimits
		h := httptest.NewServer(newHandler(t, api.Config{Server: v.server, Log: apptest.Quiet(), Now: v.now, Edge: e}))
		t.Cleanup(h.Close)
		s := *v.site
		s.url = h.URL
		return &s
	}
	ask := func(s *site, host, path string, f filing) answer {
		t.Helper()
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		method := http.MethodPost
		if f == nil {
			method = http.MethodGet
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/"+v.live.Code+"/v1"+path, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-Host", "evil.example")
		return s.send(r)
	}
	const evil = "evil.example"
	anyName, named, public := behind(api.Edge{}), behind(api.Edge{Hosts: []string{"grid.example"}}), behind(api.Edge{PublicURL: "https://grid.example"})

	var options api.ReportOptions
	ask(anyName, evil, "/public/reports/options", nil).want(200).into(&options)
	if len(options.Channels) != 0 {
		t.Errorf("a service without a name offers %v", options.Channels)
	}
	sent := v.post.count()
	ask(anyName, evil, "/public/codes", filing{"channel": "sms", "to": phone}).problem(503, "no_public_url", "")
	if v.post.count() != sent {
		t.Error("a code was sent")
	}
	f := telling("sms", phone, v.code("sms", phone))
	ask(anyName, evil, "/public/reports", f).problem(503, "no_public_url", "")
	for _, host := range []string{evil, "grid.example:80@evil.example", "grid.example:@evil.example", "grid.example@evil.example", "evil.example/grid.example"} {
		ask(named, host, "/public/reports", f).want(403)
	}
	for what, c := range map[string]struct {
		s          *site
		host, link string
	}{
		"a name of its own": {named, "grid.example:8443", "http://grid.example:8443/"},
		"a public address":  {public, evil, "https://grid.example/"},
	} {
		n := v.post.count()
		f := telling("sms", phone, v.code("sms", phone))
		var told api.ToldReport
		ask(c.s, c.host, "/public/reports", f).want(201).into(&told)
		if want := c.link + v.live.Code + "/r#" + told.Secret; told.Url != want || !strings.Contains(v.post.next(n+1).text, want) {
			t.Errorf("%s: the link is %s, want %s", what, told.Url, want)
		}
	}
}

// What is wrong with a code is one answer, and a code is one recipient's, for one report, of ten minutes and five tries.
func TestResidentCodes(t *testing.T) {
	v := newVillage(t)
	wrong := func(what string, f filing) {
		t.Helper()
		a := v.do("POST", "/public/reports", f)
		if a.status != 400 || !strings.Contains(string(a.body), `"wrong_code"`) {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	other := func(code string) string { return fmt.Sprintf("%06d", (int(code[0]-'0')*100000+1)%1000000) }
	wrong("no code was asked for", telling("sms", phone, "123456"))

	code := v.code("sms", phone)
	wrong("another code", telling("sms", phone, other(code)))
	wrong("another number", telling("sms", "13900139000", code))
	wrong("another channel", telling("email", inbox, code))
	wrong("nothing", telling("sms", phone, ""))
	wrong("longer", telling("sms", phone, code+"0"))
	f := telling("sms", phone, code)
	v.do("POST", "/public/reports", f).want(201)
	wrong("replayed for another report", telling("sms", phone, code))
	wrong("replayed by another", telling("sms", "13900139000", code, filing{"id": f["id"]}))
	f["text"] = "另一件事"
	v.do("POST", "/public/reports", f).problem(409, "id_taken", "id")

	code = v.code("sms", phone)
	for range 5 {
		wrong("guessed", telling("sms", phone, other(code)))
	}
	wrong("right, after five guesses", telling("sms", phone, code))

	code = v.code("sms", phone)
	v.pass(10 * time.Minute)
	wrong("too old", telling("sms", phone, code))

	first := v.code("email", inbox)
	second := v.code("email", inbox)
	if first != second {
		wrong("the one before", telling("email", inbox, first))
	}
	v.do("POST", "/public/reports", telling("email", inbox, second)).want(201)

	// Another's id, by who has a code of their own: nothing of that report, and no link to it.
	theirs := v.admin.file(aReport(0, 0, filing{"text": "canary"}))
	code = v.code("email", inbox)
	a := v.do("POST", "/public/reports", telling("email", inbox, code, filing{"id": theirs.Id}))
	a.problem(409, "id_taken", "id")
	if strings.Contains(string(a.body), "canary") {
		t.Errorf("%s", a.body)
	}
}

// A recipient gets a code a minute and five an hour; the answer is the same. An address asks for twenty an hour.
func TestResidentCodesAreFew(t *testing.T) {
	v := newVillage(t)
	ask := func(to string) answer { return v.do("POST", "/public/codes", filing{"channel": "sms", "to": to}) }
	began := time.Now()
	one := ask(phone).want(202)
	if took := time.Since(began); took < 250*time.Millisecond {
		t.Errorf("an answer came after %s", took)
	}
	v.post.next(0)
	two := ask("+86 " + phone).want(202)
	if !bytes.Equal(one.body, two.body) {
		t.Errorf("%s, then %s", one.body, two.body)
	}
	for range 6 {
		v.pass(time.Minute)
		ask(phone).want(202)
	}
	v.post.next(4)
	ask("13900139000").want(202)
	if last := v.post.next(5); last.to != "13900139000" {
		t.Errorf("a sixth code within the hour went to %s", last.to)
	}
	for i := range 40 {
		a := ask(fmt.Sprint(13800000000 + i))
		if a.status == http.StatusTooManyRequests {
			a.problem(429, "too_many_codes", "")
			if i > 14 {
				t.Errorf("%d codes were asked for", i)
			}
			return
		}
		a.want(202)
	}
	t.Error("an address may ask for ever")
}

func TestHostileResidents(t *testing.T) {
	v := newVillage(t)
	for name, c := range map[string]struct {
		path        string
		body        any
		code, field string
	}{
		"header in an address":   {"codes", filing{"channel": "email", "to": "li@example.org\r\nBcc: all@example.org"}, "bad_email", "to"},
		"two addresses":          {"codes", filing{"channel": "email", "to": "li@example.org,all@example.org"}, "bad_email", "to"},
		"name and address":       {"codes", filing{"channel": "email", "to": "Li <li@example.org>"}, "bad_email", "to"},
		"quoted":                 {"codes", filing{"channel": "email", "to": `"a,b"@example.org`}, "bad_email", "to"},
		"no domain":              {"codes", filing{"channel": "email", "to": "root@localhost"}, "bad_email", "to"},
		"no address":             {"codes", filing{"channel": "email", "to": ""}, "required", "to"},
		"template in a number":   {"codes", filing{"channel": "sms", "to": "{{.Text}}"}, "bad_phone", "to"},
		"JSON in a number":       {"codes", filing{"channel": "sms", "to": `138","to":"139`}, "bad_phone", "to"},
		"emergency call":         {"codes", filing{"channel": "sms", "to": "110"}, "bad_phone", "to"},
		"line with an extension": {"codes", filing{"channel": "sms", "to": "0573-87001234#5"}, "bad_phone", "to"},
		"another channel":        {"codes", filing{"channel": "pigeon", "to": phone}, "channel_not_offered", "channel"},
		"another language":       {"codes", filing{"channel": "sms", "to": phone, "language": "tlh"}, "unknown_value", "language"},
		"own words":              {"codes", filing{"channel": "sms", "to": phone, "text": "buy"}, "unknown_field", "text"},
		"oversized":              {"codes", `{"to":"` + strings.Repeat("x", 20<<10) + `"}`, "too_large", ""},
		"oversized report":       {"reports", `{"text":"` + strings.Repeat("x", 70<<10) + `"}`, "too_large", ""},
		"long text":              {"reports", telling("sms", phone, "1", filing{"text": strings.Repeat("长", 5001)}), "too_long", "text"},
		"NUL in text":            {"reports", telling("sms", phone, "1", filing{"text": "a\x00b"}), "control_character", "text"},
		"line in a name":         {"reports", telling("sms", phone, "1", filing{"name": "a\r\nb"}), "control_character", "reporter.name"},
		"no place":               {"reports", telling("sms", phone, "1", filing{"lon": nil, "lat": nil}), "no_place", "lon"},
		"source of one's own":    {"reports", telling("sms", phone, "1", filing{"source": "patrol"}), "unknown_field", "source"},
		"somebody else as filer": {"reports", telling("sms", phone, "1", filing{"filed_by": uuid.NewString()}), "unknown_field", "filed_by"},
		"a secret that is none":  {"follow", filing{"secret": "' OR true --"}, "not_found", ""},
		"a made-up secret":       {"follow", filing{"secret": strings.Repeat("A", 43)}, "not_found", ""},
		"no secret":              {"follow", filing{}, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := *v.site
			s.t = t
			status := map[string]int{"too_large": 413, "not_found": 404}[c.code]
			if status == 0 {
				status = 400
			}
			s.do("POST", "/public/"+c.path, c.body).problem(status, c.code, c.field)
		})
	}
	if n := v.post.count(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	// An item that the city does not have is told only to who has a code, and the code is good for the mended report.
	f := telling("sms", phone, v.code("sms", phone), filing{"item": "99", "text": `{{.To}} ${7*7} "quoted" <script>alert(1)</script>`})
	v.do("POST", "/public/reports", f).problem(400, "unknown_item", "item")
	f["item"] = "01"
	var told api.ToldReport
	v.do("POST", "/public/reports", f).want(201).into(&told)
	if *told.Report.Text != f["text"] {
		t.Errorf("%q", *told.Report.Text)
	}
}

// A city that takes none offers nothing; one without a gateway offers no phone. Links go on.
func TestResidentReportsAreSwitched(t *testing.T) {
	v := newVillage(t)
	var told api.ToldReport
	v.do("POST", "/public/reports", telling("sms", phone, v.code("sms", phone))).want(201).into(&told)
	set := v.post.settings()
	delete(set, "sms")
	v.admin.do("PUT", "/settings/messages", set).want(200)
	var options api.ReportOptions
	v.do("GET", "/public/reports/options", nil).want(200).into(&options)
	if len(options.Channels) != 1 || options.Channels[0] != api.Email {
		t.Errorf("%v", options.Channels)
	}
	v.do("POST", "/public/codes", filing{"channel": "sms", "to": phone}).problem(400, "channel_not_offered", "channel")
	v.admin.do("PUT", "/settings/messages", filing{"resident_reports": false}).want(200)
	v.settle()
	v.do("GET", "/public/reports/options", nil).problem(401, "sign_in", "")
	v.do("POST", "/public/codes", filing{"channel": "email", "to": inbox}).problem(401, "sign_in", "")
	v.do("POST", "/public/reports", telling("email", inbox, "123456")).problem(401, "sign_in", "")
	v.do("POST", "/public/follow", filing{"secret": told.Secret}).want(200)
	if err := v.live.Auth.SetSettings(t.Context(), auth.Settings{PublicMap: true, ResidentReports: true}); err != nil {
		t.Fatal(err)
	}
	v.settle()
	v.do("GET", "/public/reports/options", nil).want(200).into(&options)
	if !options.Map || options.Bbox == nil || len(options.Channels) != 0 {
		t.Errorf("%+v", options)
	}
}

// Who is erased takes links, codes and messages along; until then they are among what is handed out.
func TestErasedResident(t *testing.T) {
	v := newVillage(t)
	var told, others api.ToldReport
	v.do("POST", "/public/reports", telling("sms", phone, v.code("sms", phone))).want(201).into(&told)
	v.do("POST", "/public/reports", telling("email", inbox, v.code("email", inbox))).want(201).into(&others)
	v.post.next(3)
	v.post.refuse(true)
	v.pass(time.Minute)
	v.do("POST", "/public/codes", filing{"channel": "sms", "to": phone}).want(202)
	v.do("POST", "/public/codes", filing{"channel": "email", "to": inbox}).want(202)
	count := func(sql string) (n int) {
		t.Helper()
		if err := v.live.Pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if waiting := count(`SELECT count(*) FROM message WHERE sealed IS NOT NULL`); waiting != 2 {
		t.Fatalf("%d messages wait", waiting)
	}
	id, err := v.live.Contacts.Find(t.Context(), phone)
	if err != nil {
		t.Fatal(err)
	}
	held, err := v.live.Contacts.Export(t.Context(), id)
	if err != nil || len(held.Reports) != 1 || len(held.Links) != 1 || held.Links[0].Report != held.Reports[0].Num ||
		held.CodeAskedAt == nil || len(held.Messages) != 1 || held.Messages[0].Channel != "sms" || held.Messages[0].Outbox {
		t.Errorf("handed out: %+v, %v", held, err)
	}
	if _, err := v.live.Contacts.Erase(t.Context(), id, contact.EraseOptions{}); err != nil {
		t.Fatal(err)
	}
	held, err = v.live.Contacts.Export(t.Context(), id)
	if err != nil || len(held.Links) != 0 || held.CodeAskedAt != nil || len(held.Messages) != 0 {
		t.Errorf("handed out of the erased: %+v, %v", held, err)
	}
	v.do("POST", "/public/follow", filing{"secret": told.Secret}).problem(404, "not_found", "")
	v.do("POST", "/public/follow", filing{"secret": others.Secret}).want(200)
	for sql, want := range map[string]int{`SELECT count(*) FROM message WHERE sealed IS NOT NULL`: 1, `SELECT count(*) FROM follow`: 1, `SELECT count(*) FROM resident_code`: 1} {
		if got := count(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

// What a link shows holds nothing of any other report.
func TestFollowTellsOfOneReport(t *testing.T) {
	m := newMatrix(t)
	post := startReceivers(t)
	m.do("PUT", "/settings/messages", post.settings()).want(200)
	visitor := m.as("")
	visitor.do("POST", "/public/codes", filing{"channel": "sms", "to": phone}).want(202)
	code := sixDigits.FindString(post.next(0).text)
	var told api.ToldReport
	a := visitor.do("POST", "/public/reports", telling("sms", phone, code)).want(201)
	a.into(&told)
	b := visitor.do("POST", "/public/follow", filing{"secret": told.Secret}).want(200)
	nothing := policy.Reach{}
	for _, body := range [][]byte{a.body, b.body} {
		m.silent(t, &asker{name: "a resident"}, &nothing, "the link", body)
	}
}

// Secrets are told to nobody, and go nowhere else than they went; settings are the administrator's.
func TestMessageSettings(t *testing.T) {
	v := newVillage(t)
	var set api.MessageSettings
	a := v.admin.do("GET", "/settings/messages", nil).want(200)
	a.into(&set)
	if strings.Contains(string(a.body), "gateway-secret") || set.Sms == nil || len(*set.Sms.Headers) != 1 || set.Smtp.Port != v.post.mailPort || !set.ResidentReports {
		t.Errorf("%s", a.body)
	}
	v.do("GET", "/settings/messages", nil).problem(401, "sign_in", "")
	desk, _ := apptest.SignIn(t, v.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	v.as(desk).do("PUT", "/settings/messages", v.post.settings()).problem(403, "not_allowed", "")
	v.as(desk).do("GET", "/outbox", nil).problem(403, "not_allowed", "")
	v.admin.do("GET", "/outbox", nil).problem(404, "not_found", "")

	keep := v.post.settings()
	sms := keep["sms"].(map[string]any)
	sms["headers"] = []any{map[string]any{"name": "X-Key"}}
	smtp := keep["smtp"].(map[string]any)
	smtp["user"], smtp["password"] = "grid", "mail-secret"
	v.admin.do("PUT", "/settings/messages", keep).want(200)
	delete(smtp, "password")
	a = v.admin.do("PUT", "/settings/messages", keep).want(200)
	if strings.Contains(string(a.body), "secret") {
		t.Errorf("%s", a.body)
	}
	kept, err := v.live.Sending.Read(t.Context())
	if err != nil || kept.SMTP.Password != "mail-secret" || kept.SMS.Headers[0].Value != "gateway-secret" {
		t.Errorf("%v %+v", err, kept)
	}
	smtp["host"] = "localhost"
	v.admin.do("PUT", "/settings/messages", keep).problem(400, "required", "smtp.password")
	smtp["host"] = "127.0.0.1"
	sms["url"] = "http://127.0.0.1:1/"
	v.admin.do("PUT", "/settings/messages", keep).problem(400, "required", "sms.headers")
	sms["url"] = "http://sms.example.com/"
	sms["headers"] = []any{}
	v.admin.do("PUT", "/settings/messages", keep).problem(400, "not_encrypted", "sms.url")
	v.admin.do("PUT", "/settings/messages", filing{}).problem(400, "required", "resident_reports")

	v.admin.do("PUT", "/settings/messages", v.post.settings()).want(200)
	var test api.MessageTest
	v.admin.do("POST", "/settings/messages/test", filing{"channel": "sms", "to": phone}).want(200).into(&test)
	if !test.Sent || v.post.next(0).to != phone {
		t.Errorf("%+v", test)
	}
	v.post.refuse(true)
	v.admin.do("POST", "/settings/messages/test", filing{"channel": "email", "to": inbox}).want(200).into(&test)
	if test.Sent || test.Why == nil {
		t.Errorf("%+v", test)
	}
}

// Neither codes nor links, numbers or addresses are in the log, at any level, nor in the feed or the record.
func TestResidentsAreInNoLog(t *testing.T) {
	v := newVillage(t)
	var log bytes.Buffer
	h := newHandler(t, api.Config{Server: v.server, Now: v.now, Edge: api.Edge{PublicURL: "https://grid.example"}, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))})
	ask := func(path string, body filing) *httptest.ResponseRecorder {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/"+v.live.Code+"/v1"+path, bytes.NewReader(b))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := ask("/public/codes", filing{"channel": "sms", "to": phone}); w.Code != 202 {
		t.Fatal(w.Body)
	}
	code := sixDigits.FindString(v.post.next(0).text)
	ask("/public/reports", telling("sms", phone, "000000"))
	var told api.ToldReport
	w := ask("/public/reports", telling("sms", phone, code))
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != 201 {
		t.Fatal(w.Body)
	}
	ask("/public/follow", filing{"secret": told.Secret})
	ask("/public/follow", filing{"secret": told.Secret + "x"})
	kept := log.String()
	events, _, err := feed.Read(t.Context(), v.live.Pool, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		kept += string(e.Data)
	}
	rows, err := v.live.Pool.Query(t.Context(), `SELECT a::text FROM audit a UNION ALL SELECT c::text FROM resident_code c UNION ALL SELECT f::text FROM follow f UNION ALL SELECT m::text FROM message m`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(all) < 4 {
		t.Fatal(err, len(all))
	}
	kept += strings.Join(all, "\n")
	for _, secret := range []string{phone, told.Secret, "路灯", fmt.Sprintf("%x", phone)} {
		if strings.Contains(kept, secret) {
			t.Errorf("kept or logged: %s", secret)
		}
	}
	if strings.Contains(log.String(), code) {
		t.Error("the code is in the log")
	}
}

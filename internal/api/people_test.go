package api_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

type obj = map[string]any

func (s *site) addPerson(more obj) api.Person {
	s.t.Helper()
	in := obj{"name": "钱进"}
	for k, v := range more {
		in[k] = v
	}
	var p api.Person
	s.do("POST", "/people", in).want(http.StatusCreated).into(&p)
	return p
}

func (s *site) addPost(p api.Person, in obj) api.Post {
	s.t.Helper()
	var post api.Post
	s.do("POST", "/people/"+p.Id.String()+"/posts", in).want(http.StatusCreated).into(&post)
	return post
}

func gridPost(x, y int, more ...obj) obj {
	in := obj{"role": "grid_worker", "level": "grid", "code": apptest.GridCode(x, y), "begins": "2026-11-01"}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	return in
}

func (s *site) people(query string) (names []string, page api.PersonPage) {
	s.t.Helper()
	s.do("GET", "/people?"+query, nil).want(200).into(&page)
	for _, p := range page.People {
		names = append(names, p.Name)
	}
	return names, page
}

func TestPeopleAndPosts(t *testing.T) {
	s := newSite(t)
	a := s.do("POST", "/people", obj{"name": " 钱进 ", "phone": "13800000001", "email": "qian@example.org"}).want(201)
	var p api.Person
	a.into(&p)
	if loc := a.header.Get("Location"); loc != "/testcity/v1/people/"+p.Id.String() || p.Name != "钱进" || p.Version != 1 || len(p.Posts) != 0 {
		t.Errorf("%s %+v", loc, p)
	}
	at := "/people/" + p.Id.String()
	p = api.Person{}
	s.do("PUT", at, obj{"version": 1, "phone": ""}).want(200).into(&p)
	if p.Phone != nil || *p.Email != "qian@example.org" || p.Version != 2 {
		t.Errorf("%+v", p)
	}
	s.do("PUT", at, obj{"version": 1, "name": "别人"}).problem(409, "stale", "")
	s.do("PUT", at, obj{"name": "别人"}).problem(409, "stale", "")

	post := s.addPost(p, gridPost(0, 0))
	if post.State != "in_force" || post.Area.Name != "网格00" || post.Unit != nil {
		t.Errorf("%+v", post)
	}
	s.do("POST", at+"/posts", gridPost(0, 0, obj{"begins": "2027-01-01"})).problem(409, "post_overlaps", "begins")
	for field, in := range map[string]obj{
		"role unknown_role": gridPost(0, 0, obj{"role": "king"}), "code unknown_jurisdiction": gridPost(0, 0, obj{"code": "9"}),
		"level wrong_level": gridPost(0, 0, obj{"level": "town"}), "level two_places": gridPost(0, 0, obj{"unit": s.unit("town_team").Id}),
		"unit unknown_unit": {"role": "desk", "unit": 999, "begins": "2026-11-01"}, "begins bad_date": gridPost(0, 0, obj{"begins": "2026-13-01"}),
		"begins required": gridPost(0, 0, obj{"begins": ""}), "role role_of_machines": gridPost(0, 0, obj{"role": "sensor"}),
		"person unknown_field": gridPost(0, 0, obj{"person": uuid.NewString()}), "id unknown_field": gridPost(0, 0, obj{"id": 7}),
	} {
		name, code, _ := strings.Cut(field, " ")
		s.do("POST", at+"/posts", in).problem(400, code, name)
	}

	// Ended, and the end taken back; taken back altogether.
	where := fmt.Sprintf("%s/posts/%d", at, post.Id)
	s.do("PUT", where, obj{"version": 1, "ends": "2026-11-23"}).want(200).into(&post)
	if post.State != "ended" || post.Version != 2 {
		t.Errorf("%+v", post)
	}
	s.do("PUT", where, obj{"version": 1, "ends": ""}).problem(409, "stale", "")
	post = api.Post{}
	s.do("PUT", where, obj{"version": 2, "ends": ""}).want(200).into(&post)
	if post.State != "in_force" || post.Ends != nil {
		t.Errorf("%+v", post)
	}
	s.do("PUT", where, obj{"version": 3, "ends": "2026-10-31"}).want(200).into(&post)
	if post.State != "taken_back" {
		t.Errorf("%+v", post)
	}
	s.do("PUT", where, obj{"version": 4, "role": "administrator"}).problem(400, "unknown_field", "role")

	// Another's post is not found under this person, nor is what is no id at all.
	other := s.addPerson(nil)
	for _, path := range []string{fmt.Sprintf("/people/%s/posts/%d", other.Id, post.Id), at + "/posts/999", at + "/posts/x", "/people/" + uuid.NewString() + "/posts/1",
		"/people/1/posts/1", "/people/{" + p.Id.String() + "}/posts/1"} {
		s.do("PUT", path, obj{"version": 4, "ends": ""}).problem(404, "not_found", "")
	}
	for _, id := range []string{"x", "1", uuid.NewString(), "%7B" + p.Id.String() + "%7D", "urn:uuid:" + p.Id.String(), strings.ToUpper(p.Id.String())} {
		if id != p.Id.String() {
			s.do("GET", "/people/"+id, nil).problem(404, "not_found", "")
		}
	}
	for _, in := range []obj{{"name": "x", "id": uuid.NewString()}, {"name": "x", "version": 9}, {"name": "x", "login": "root"}, {"name": "x", "posts": []any{}}} {
		s.do("POST", "/people", in).want(400)
	}
	s.do("POST", "/people", obj{"name": "a\nb"}).problem(400, "control_character", "name")
	s.do("POST", "/people", obj{"name": " "}).problem(400, "required", "name")
}

func (s *site) unit(kind string, more ...obj) api.Unit {
	s.t.Helper()
	in := obj{"kind": kind, "name": "单位 " + uuid.NewString(), "level": "town", "code": apptest.TownArea.Code}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	var u api.Unit
	s.do("POST", "/units", in).want(http.StatusCreated).into(&u)
	return u
}

// Many who give the same post at a time give it once, and of many who change the same version one does.
func TestPostsAreChangedByOneAtATime(t *testing.T) {
	s := newSite(t)
	p := s.addPerson(nil)
	many := func(do func(i int) int) map[int]int {
		var mu sync.Mutex
		var wg sync.WaitGroup
		got := map[int]int{}
		for i := range 8 {
			wg.Go(func() {
				status := do(i)
				mu.Lock()
				got[status]++
				mu.Unlock()
			})
		}
		wg.Wait()
		return got
	}
	got := many(func(int) int { return s.do("POST", "/people/"+p.Id.String()+"/posts", gridPost(1, 1)).status })
	if got[201] != 1 || got[409] != 7 {
		t.Errorf("given: %v", got)
	}
	s.do("GET", "/people/"+p.Id.String(), nil).want(200).into(&p)
	path := fmt.Sprintf("/people/%s/posts/%d", p.Id, p.Posts[0].Id)
	got = many(func(i int) int {
		return s.do("PUT", path, obj{"version": 1, "ends": fmt.Sprintf("2026-12-%02d", i+1)}).status
	})
	if got[200] != 1 || got[409] != 7 {
		t.Errorf("ended: %v", got)
	}
}

// Who may view people sees those of the territory, and of them what it takes to find them. Others are not found.
func TestPeopleAreCutByReach(t *testing.T) {
	s := newSite(t)
	team, far := s.unit("town_team"), s.unit("line_department", obj{"level": nil, "code": nil})
	here := s.addPerson(obj{"name": "近人", "phone": "13800000001", "email": "near@example.org"})
	s.addPost(here, gridPost(0, 0))
	s.do("POST", "/people/"+here.Id.String()+"/account", obj{"login": "jinren"}).want(201)
	there := s.addPerson(obj{"name": "远人", "phone": "13800000002"})
	s.addPost(there, gridPost(3, 3))
	officer := s.addPerson(obj{"name": "队员"})
	s.addPost(officer, obj{"role": "officer", "unit": team.Id, "begins": "2026-01-01", "certificate": "SECRET-33", "certificate_until": "2027-12-31"})
	clerk := s.addPerson(obj{"name": "科员"})
	s.addPost(clerk, obj{"role": "unit_member", "unit": far.Id, "begins": "2026-01-01"})
	nobody := s.addPerson(obj{"name": "无岗"})
	back := s.addPerson(obj{"name": "收回"})
	s.addPost(back, gridPost(0, 0, obj{"begins": "2027-01-01", "ends": "2026-12-31"}))

	sees := func(posts ...policy.Post) []string {
		token, _ := apptest.SignIn(t, s.live.City, posts...)
		names, _ := s.as(token).people("limit=200")
		names = slices.DeleteFunc(names, func(n string) bool { return n == "王小明" })
		slices.Sort(names)
		return names
	}
	for what, c := range map[string]struct{ got, want []string }{
		"an administrator": {sees(apptest.Post(policy.Administrator, apptest.CityArea)), []string{"收回", "无岗", "科员", "近人", "远人", "队员"}},
		"a town's leader":  {sees(apptest.Post(policy.TownLeader, apptest.TownArea)), []string{"近人", "远人", "队员"}},
		"a secretary":      {sees(apptest.Post(policy.VillageSecretary, apptest.VillageArea(0, 0))), []string{"近人"}},
		"a unit's head":    {sees(policy.Post{Role: policy.UnitHead, Unit: policy.UnitID(far.Id), From: apptest.Now.AddDate(0, 0, -1)}), []string{"科员"}},
	} {
		want := slices.Clone(c.want)
		slices.Sort(want)
		if !slices.Equal(c.got, want) {
			t.Errorf("%s sees %v, want %v", what, c.got, want)
		}
	}

	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.VillageSecretary, apptest.VillageArea(0, 0)))
	v := s.as(token)
	for _, p := range []api.Person{there, officer, clerk, nobody, back} {
		v.do("GET", "/people/"+p.Id.String(), nil).problem(404, "not_found", "")
	}
	leader, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.TownLeader, apptest.TownArea))
	for _, asker := range []*site{v, s.as(leader)} {
		list, one := asker.do("GET", "/people", nil).want(200), asker.do("GET", "/people/"+here.Id.String(), nil).want(200)
		for _, secret := range []string{"near@example.org", "jinren", "SECRET-33", `"account"`, `"login"`} {
			if bytes.Contains(list.body, []byte(secret)) || bytes.Contains(one.body, []byte(secret)) {
				t.Errorf("%s is told to who may not edit people", secret)
			}
		}
		if !bytes.Contains(one.body, []byte("13800000001")) {
			t.Error("the phone is not told")
		}
		if names, _ := asker.people("search=jinren"); len(names) != 0 {
			t.Error("a login is found by who may not know it")
		}
		if names, _ := asker.people("search=13800000001"); len(names) != 1 {
			t.Errorf("the phone finds %v", names)
		}
	}
	if !bytes.Contains(s.as(leader).do("GET", "/people/"+officer.Id.String(), nil).want(200).body, []byte(`"certificate_until":"2027-12-31"`)) {
		t.Error("the certificate's end is not told")
	}
	if names, _ := s.people("search=jinren"); len(names) != 1 {
		t.Error("an administrator does not find a login")
	}
}

func TestPeopleAreFiltered(t *testing.T) {
	s := newSite(t)
	team := s.unit("town_team")
	a := s.addPerson(obj{"name": "甲"})
	s.addPost(a, gridPost(0, 0))
	b := s.addPerson(obj{"name": "乙"})
	s.addPost(b, gridPost(1, 0, obj{"begins": "2026-12-01"}))
	c := s.addPerson(obj{"name": "丙"})
	s.addPost(c, gridPost(2, 0, obj{"ends": "2026-11-23"}))
	d := s.addPerson(obj{"name": "丁"})
	s.addPost(d, obj{"role": "auxiliary", "unit": team.Id, "begins": "2026-01-01"})
	s.addPerson(obj{"name": "戊", "machine": true})
	for query, want := range map[string]string{
		"role=grid_worker": "乙甲", "role=grid_worker&state=in_force": "甲", "state=to_come": "乙", "state=ended&role=grid_worker": "丙", "state=none": "丙戊",
		fmt.Sprintf("unit=%d", team.Id): "丁", fmt.Sprintf("unit=%d&state=ended", team.Id): "", "machine=true": "戊", "machine=true&search=甲": "",
		"search=%25": "", "search=_": "", "search=" + url.QueryEscape("甲"): "甲", "search=" + apptest.GridCode(2, 0): "丙", "search=" + url.QueryEscape("' OR 1=1 --"): "",
	} {
		names, _ := s.people(query)
		names = slices.DeleteFunc(names, func(n string) bool { return n == "王小明" })
		slices.Sort(names)
		w := strings.Split(want, "")
		slices.Sort(w)
		if strings.Join(names, "") != strings.Join(w, "") {
			t.Errorf("%s finds %v, want %s", query, names, want)
		}
	}
	var all []string
	for after := ""; ; {
		names, page := s.people("limit=2&after=" + after)
		all = append(all, names...)
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if len(all) != 6 {
		t.Errorf("by pages: %v", all)
	}
	for query, field := range map[string]string{"state=x": "state", "limit=0": "limit", "machine=maybe": "machine", "unit=x": "unit", "after=x": "after", "colour=red": "colour"} {
		var p api.Problem
		s.do("GET", "/people?"+query, nil).want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

func TestAccountsOfOthers(t *testing.T) {
	s := newSite(t)
	p := s.addPerson(nil)
	at := "/people/" + p.Id.String()
	s.do("PUT", at+"/account", obj{"disabled": true}).problem(404, "not_found", "")
	s.do("POST", at+"/account/password", nil).problem(404, "not_found", "")
	s.do("POST", at+"/account", obj{"login": "Qian Jin"}).problem(400, "bad_login", "login")
	s.do("POST", at+"/account", obj{"login": "qian", "password": "1"}).problem(400, "unknown_field", "password")
	s.do("POST", at+"/account", obj{"login": "qian", "demo": true}).problem(400, "unknown_field", "demo")
	var made, again api.OneTimePassword
	s.do("POST", at+"/account", obj{"login": "Qian"}).want(201).into(&made)
	if made.Login != "qian" || made.Password == nil || len(*made.Password) < 12 {
		t.Fatalf("%+v", made)
	}
	s.do("POST", at+"/account", obj{"login": "qian2"}).problem(409, "account_exists", "login")

	visitor := s.as("")
	var session api.Session
	visitor.do("POST", "/session", obj{"login": "qian", "password": *made.Password}).want(200).into(&session)
	if session.MustChangePassword == nil || !*session.MustChangePassword {
		t.Errorf("%+v", session)
	}
	body := s.do("GET", at, nil).want(200).body
	if bytes.Contains(body, []byte(*made.Password)) {
		t.Error("the password is told again")
	}
	s.do("GET", at, nil).into(&p)
	if p.Account == nil || p.Account.Login != "qian" || !p.Account.MustChangePassword || p.Account.Disabled || p.Account.Seen == nil {
		t.Errorf("%+v", p.Account)
	}
	s.do("POST", at+"/account/password", nil).want(200).into(&again)
	if again.Password == nil || *again.Password == *made.Password {
		t.Errorf("%+v", again)
	}
	visitor.do("POST", "/session", obj{"login": "qian", "password": *made.Password}).want(401)
	visitor.do("POST", "/session", obj{"login": "qian", "password": *again.Password}).want(200)

	s.do("PUT", at+"/account", obj{}).problem(400, "required", "disabled")
	s.do("PUT", at+"/account", obj{"disabled": true, "login": "root"}).problem(400, "unknown_field", "login")
	var account api.PersonAccount
	s.do("PUT", at+"/account", obj{"disabled": true}).want(200).into(&account)
	if !account.Disabled || account.Seen != nil {
		t.Errorf("%+v", account)
	}
	visitor.do("POST", "/session", obj{"login": "qian", "password": *again.Password}).want(403)
	s.do("PUT", at+"/account", obj{"disabled": false}).want(200)
	s.do("DELETE", at+"/account/second-factor", nil).want(204)

	token, me := apptest.SignIn(t, s.live.City, apptest.Post(policy.Administrator, apptest.CityArea))
	s.as(token).do("PUT", "/people/"+me.String()+"/account", obj{"disabled": true}).problem(409, "own_account", "")

	machine := s.addPerson(obj{"name": "探头", "machine": true})
	made = api.OneTimePassword{}
	s.do("POST", "/people/"+machine.Id.String()+"/account", obj{"login": "sensor-1"}).want(201).into(&made)
	if made.Password != nil {
		t.Error("a machine has a password")
	}
	s.do("POST", "/people/"+machine.Id.String()+"/account/password", nil).problem(400, "machine_password", "login")
}

func TestRightsOfAPerson(t *testing.T) {
	s := newSite(t)
	p := s.addPerson(nil)
	s.addPost(p, gridPost(0, 0))
	s.do("GET", "/people/"+p.Id.String(), nil).want(200).into(&p)
	rights := map[string]api.Right{}
	for _, r := range *p.Rights {
		rights[r.Action] = r
	}
	view, file := rights["report.view"], rights["report.file"]
	if len(view.Areas) != 1 || view.Areas[0].Code != apptest.GridCode(0, 0) || !view.Own || view.City || !file.City {
		t.Errorf("%+v", rights)
	}
	if _, ok := rights["account.own"]; ok {
		t.Error("what everybody may is told of a person")
	}
	if _, ok := rights["person.view"]; ok {
		t.Error("a grid worker views people")
	}
}

// Who gives a post looks for jurisdictions of the levels that the role is held in.
func TestSearchOfSomeLevels(t *testing.T) {
	s := newSite(t)
	for query, want := range map[string]int{"level=grid": 16, "level=village": 4, "level=village,town": 5, "level=microgrid": 0, "level=grid&limit=3": 3} {
		if !strings.Contains(query, "limit") {
			query += "&limit=50"
		}
		var list api.FoundList
		s.do("GET", "/search?q=330481101&"+query, nil).want(200).into(&list)
		if len(list.Results) != want {
			t.Errorf("%s finds %d, want %d", query, len(list.Results), want)
		}
	}
	s.do("GET", "/search?q=a&level=x", nil).problem(400, "unknown_level", "level")
}

func TestUnits(t *testing.T) {
	s := newSite(t)
	u := s.unit("town_team", obj{"name": "许村执法队", "name_en": "Xucun Team"})
	if u.Area == nil || u.Area.Name != "许村镇" || u.Closed || u.Version != 1 {
		t.Errorf("%+v", u)
	}
	s.do("POST", "/units", obj{"kind": "town_team", "name": "许村执法队", "level": "town", "code": apptest.TownArea.Code}).problem(409, "unit_exists", "name")
	s.do("POST", "/units", obj{"kind": "club", "name": "x"}).problem(400, "unknown_kind", "kind")
	s.do("POST", "/units", obj{"kind": "town_team", "name": "x"}).problem(400, "no_place", "level")
	s.do("POST", "/units", obj{"kind": "town_team", "name": "x", "level": "town", "code": "9"}).problem(400, "unknown_jurisdiction", "code")
	s.do("POST", "/units", obj{"kind": "x_force", "name": "x", "closed": true}).problem(400, "unknown_field", "closed")
	at := fmt.Sprintf("/units/%d", u.Id)
	s.do("PUT", at, obj{"version": 1, "name": "许村队"}).want(200).into(&u)
	s.do("PUT", at, obj{"version": 1, "name": "别的"}).problem(409, "stale", "")
	s.do("PUT", at, obj{"version": 2, "level": "town"}).problem(400, "half_a_place", "code")
	s.do("PUT", at, obj{"version": 2, "closed": false}).problem(400, "closed_for_good", "closed")
	s.do("PUT", at, obj{"version": 2, "closed": true, "name": "x"}).problem(400, "closed_alone", "closed")
	s.do("PUT", at, obj{"version": 2, "kind": "x_force"}).problem(400, "unknown_field", "kind")
	for _, id := range []string{"999", "x", "-1", uuid.NewString(), "99999999999999999999"} {
		s.do("PUT", "/units/"+id, obj{"version": 1, "name": "x"}).problem(404, "not_found", "")
	}
	p := s.addPerson(nil)
	post := s.addPost(p, obj{"role": "auxiliary", "unit": u.Id, "begins": "2026-01-01"})
	s.do("PUT", at, obj{"version": 2, "closed": true}).problem(409, "unit_has_posts", "")
	s.do("PUT", fmt.Sprintf("/people/%s/posts/%d", p.Id, post.Id), obj{"version": 1, "ends": "2026-11-23"}).want(200)
	s.do("PUT", at, obj{"version": 2, "closed": true}).want(200).into(&u)
	if !u.Closed {
		t.Errorf("%+v", u)
	}
	var list api.UnitList
	s.do("GET", "/units", nil).want(200).into(&list)
	if len(list.Units) != 2 || list.Units[1].Name != "许村队" || list.Units[0].Kind != "command_center" { // which every city begins with
		t.Errorf("%+v", list)
	}
}

func (s *site) upload(preview bool, contentType string, file []byte) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", fmt.Sprintf("%s/%s/v1/people/import?preview=%v", s.url, s.live.Code, preview), bytes.NewReader(file))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return s.send(req)
}

// workbook has a column of these cells.
func workbook(t *testing.T, cells ...any) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetSheetCol("Sheet1", "A1", &cells); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipped calls itself a workbook, and its sheet has so many zero bytes.
func zipped(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range []string{"[Content_Types].xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.Create(part)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPeopleAreImported(t *testing.T) {
	s := newSite(t)
	s.unit("town_team", obj{"name": "许村执法队"})
	table := "姓名,手机,岗位,单位,层级,辖区代码,开始日期,结束日期,执法证号,证件有效期\n" +
		"王芳,13800000001,专职网格员,,网格," + apptest.GridCode(0, 0) + ",2026/11/1,,,\n" +
		"李军,13800000002,执法队员,许村执法队,,,2026-01-01,,33-1,2027-12-31\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	var out api.PeopleImport
	s.upload(true, "text/csv", []byte(gbk)).want(200).into(&out)
	if out.Counts.New != 2 || !out.Preview || out.Rows[0].Name != "王芳" || *out.Rows[1].Place != "许村执法队" || out.Rows[0].Person != nil {
		t.Errorf("%+v", out)
	}
	if names, _ := s.people("search=王芳"); len(names) != 0 {
		t.Fatal("a preview is kept")
	}
	s.upload(false, "text/csv", []byte(gbk)).want(200).into(&out)
	if out.Counts.New != 2 || out.Preview {
		t.Errorf("%+v", out)
	}
	s.upload(false, "application/octet-stream", []byte(table)).want(200).into(&out)
	if out.Counts.Unchanged != 2 || out.Rows[0].Person == nil {
		t.Errorf("again: %+v", out.Counts)
	}
	changed := strings.Replace(table, "2026/11/1,,", "2026/11/1,2026/12/31,", 1)
	s.upload(true, "text/csv", []byte(changed)).want(200).into(&out)
	if c := out.Rows[0].Changes; out.Counts.Changed != 1 || len(c) != 1 || c[0].Field != "ends" || c[0].Before != "" || c[0].After != "2026-12-31" {
		t.Errorf("changed: %+v", out.Rows[0])
	}
	bad := table + "=HYPERLINK(1),,,,,,,,,\n赵六,,专职网格员,,网格,9,,,,\n钱七,,king,,,,,,,\n"
	s.upload(true, "text/csv", []byte(bad)).want(200).into(&out)
	if out.Counts.Error != 3 || out.Rows[2].Problem.Code != "formula" || out.Rows[3].Problem.Code != "unknown_jurisdiction" || *out.Rows[3].Problem.Field != "code" || out.Rows[4].Problem.Code != "unknown_role" {
		t.Errorf("%+v", out.Rows)
	}
	s.upload(false, "text/csv", []byte(bad)).problem(409, "rows_rejected", "")
	if names, _ := s.people("search=赵六"); len(names) != 0 {
		t.Error("an import with errors is kept in part")
	}

	s.upload(true, "text/csv", []byte("name\n"+strings.Repeat("王芳\n", 5001))).problem(413, "too_large", "")
	s.upload(true, "text/csv", bytes.Repeat([]byte("x"), 4<<20+1)).problem(413, "too_large", "")
	s.upload(true, "text/csv", nil).problem(400, "empty", "")
	s.upload(true, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []byte("PK\x03\x04nonsense")).problem(400, "damaged", "")
	s.upload(true, "text/csv", []byte("name,admin\n王芳,true\n")).problem(400, "unknown_column", "")
	s.do("POST", "/people/import?preview=1", "name\n").problem(400, "unknown_value", "preview")

	const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	s.upload(true, xlsx, workbook(t, "姓名", "郑十")).want(200).into(&out)
	if out.Counts.New != 1 || out.Rows[0].Name != "郑十" {
		t.Errorf("a workbook: %+v", out)
	}
	s.upload(true, xlsx, zipped(t, 40<<20)).problem(413, "too_large", "")
	s.upload(true, xlsx, zipped(t, 10)).problem(400, "damaged", "")

	tpl := s.do("GET", "/people/template.csv?lang=en", nil).want(200)
	if !strings.HasPrefix(string(tpl.body), "\ufeffid,name,phone") || tpl.header.Get("Content-Disposition") != `attachment; filename="people-template.csv"` {
		t.Errorf("%q %v", tpl.body, tpl.header)
	}
	s.do("GET", "/people/template.csv?lang=%0d%0aX:1", nil).want(400)
}

func TestTokensOfMachines(t *testing.T) {
	s := newSite(t)
	machine := s.addPerson(obj{"name": "热线", "machine": true})
	s.addPost(machine, obj{"role": "hotline", "level": "city", "code": "330481", "begins": "2026-11-01"})
	in := func(more obj) obj {
		out := obj{"person": machine.Id, "name": "12345", "scopes": []string{"report.file"}, "expires_at": apptest.Now.AddDate(0, 1, 0).Format(time.RFC3339)}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	s.do("POST", "/tokens", in(nil)).problem(404, "not_found", "") // without an account
	s.do("POST", "/people/"+machine.Id.String()+"/account", obj{"login": "hotline"}).want(201)
	var made api.IssuedToken
	s.do("POST", "/tokens", in(nil)).want(201).into(&made)
	if !strings.HasPrefix(made.Secret, "ggt_") || made.Token.PersonName != "热线" || made.Token.State != "valid" {
		t.Errorf("%+v", made)
	}
	s.do("POST", "/tokens", in(obj{"scopes": []string{"person.edit"}})).problem(400, "unknown_scope", "scopes")
	s.do("POST", "/tokens", in(obj{"expires_at": "2036-01-01T00:00:00Z"})).problem(400, "too_late", "expires_at")
	s.do("POST", "/tokens", in(obj{"person": "x"})).problem(400, "bad_uuid", "person")
	s.do("POST", "/tokens", in(obj{"secret": "mine"})).problem(400, "unknown_field", "secret")
	s.do("POST", "/tokens", in(obj{"person": s.addPerson(nil).Id})).want(404)
	list := s.do("GET", "/tokens", nil).want(200)
	if bytes.Contains(list.body, []byte(made.Secret)) || bytes.Contains(list.body, []byte(made.Secret[4:])) {
		t.Error("the secret is told again")
	}
	uses := func() answer {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/"+s.live.Code+"/v1/reports", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+made.Secret)
		return s.as("").send(req)
	}
	uses().want(400)
	s.do("DELETE", "/tokens/"+made.Token.Id.String(), nil).want(204)
	uses().want(401)
	s.do("DELETE", "/tokens/"+made.Token.Id.String(), nil).want(404)
	for _, id := range []string{"1", uuid.NewString(), machine.Id.String()} {
		s.do("DELETE", "/tokens/"+id, nil).problem(404, "not_found", "")
	}
}

func TestSettings(t *testing.T) {
	s := newSite(t)
	var set api.Settings
	s.do("GET", "/settings", nil).want(200).into(&set)
	if set.PublicMap || set.RequireSecondFactor {
		t.Errorf("%+v", set)
	}
	s.do("PUT", "/settings", obj{"public_map": true}).want(200).into(&set)
	if !set.PublicMap || set.RequireSecondFactor {
		t.Errorf("%+v", set)
	}
	s.do("PUT", "/settings", obj{}).want(200).into(&set)
	if !set.PublicMap {
		t.Error("what is left out does not stay")
	}
	s.do("PUT", "/settings", obj{"generated": true}).problem(400, "unknown_field", "generated")
	s.do("PUT", "/settings", obj{"public_map": "yes"}).problem(400, "wrong_type", "public_map")
}

func TestAuditIsReadAndExported(t *testing.T) {
	s := newSite(t)
	p := s.addPerson(obj{"name": "=王芳"})
	post := s.addPost(p, gridPost(0, 0))
	s.do("PUT", fmt.Sprintf("/people/%s/posts/%d", p.Id, post.Id), obj{"version": 1, "ends": "2026-12-31"}).want(200)
	s.unit("town_team", obj{"name": "许村执法队"})
	read := func(query string) (page api.AuditPage, acts string) {
		t.Helper()
		a := s.do("GET", "/audit?"+query, nil).want(200)
		a.into(&page)
		for _, r := range page.Rows {
			acts += r.Act + " "
		}
		return page, strings.TrimSpace(acts)
	}
	subject := "subject=person:" + p.Id.String()
	page, acts := read(subject)
	if acts != "post.end post.create person.create" || page.Head.Seq != page.Rows[0].Seq+1 || page.Head.Mac == nil || page.Names["person:"+p.Id.String()] != "=王芳" {
		t.Errorf("%s %+v", acts, page)
	}
	if before := page.Rows[0].Before.(map[string]any); before["ends"] != nil || page.Rows[0].After.(map[string]any)["ends"] != "2026-12-31" || *page.Rows[0].Address != "127.0.0.1" || page.Rows[0].Person == nil {
		t.Errorf("%+v", page.Rows[0])
	}
	if page, acts = read("act=unit."); acts != "unit.create unit.create" || !slices.Contains(slices.Collect(func(yield func(string) bool) {
		for _, n := range page.Names {
			if !yield(n) {
				return
			}
		}
	}), "许村执法队") {
		t.Errorf("%s %v", acts, page.Names)
	}
	for query, want := range map[string]string{subject + "&act=post.": "post.end post.create", subject + "&to=2026-11-24": "", subject + "&from=2026-11-24": "post.end post.create person.create",
		"person=" + uuid.NewString(): "", subject + "&act=post.c": "post.create"} {
		if _, acts := read(query); acts != want {
			t.Errorf("%s: %s, want %s", query, acts, want)
		}
	}
	var all []int
	for before := ""; ; {
		page, _ := read("limit=2" + before)
		for _, r := range page.Rows {
			all = append(all, r.Seq)
		}
		if page.Next == nil {
			break
		}
		before = fmt.Sprintf("&before=%d", *page.Next)
	}
	if len(all) != all[0] || !slices.IsSortedFunc(all, func(a, b int) int { return b - a }) {
		t.Errorf("by pages: %v", all)
	}
	for query, field := range map[string]string{"act=%27": "act", "subject=a%20b": "subject", "person=x": "person", "from=x": "from", "before=0": "before", "limit=501": "limit", "x=1": "x"} {
		var problem api.Problem
		s.do("GET", "/audit?"+query, nil).want(400).into(&problem)
		if problem.Field == nil || *problem.Field != field {
			t.Errorf("%s: %+v", query, problem)
		}
		if query != "before=0" && query != "limit=501" {
			s.do("GET", "/audit.csv?"+query, nil).want(400)
		}
	}

	a := s.do("GET", "/audit.csv?"+subject, nil).want(200)
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="audit-testcity-20261124-160000.csv"` {
		t.Errorf("%s", got)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][5] != "post.end" || rows[1][7] != "'=王芳" {
		t.Errorf("%v %v", err, rows)
	}
	page, acts = read("act=audit.")
	if after := page.Rows[0].After.(map[string]any); acts != "audit.export" || after["subject"] != "person:"+p.Id.String() || strings.Contains(fmt.Sprint(after), "王芳") {
		t.Errorf("%s %+v", acts, page.Rows)
	}
}

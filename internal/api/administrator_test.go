package api_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// Whatever the door, the last who administers the city stays: post, account, import.
func TestLastAdministrator(t *testing.T) {
	s := newSite(t) // who asks here has no password, and so counts for nobody
	c := s.live
	add := func(login string) (id uuid.UUID, post api.Post) {
		t.Helper()
		id, _, err := c.Auth.CreateUser(t.Context(), person.New{Name: "管理员" + login}, auth.NewAccount{Login: login},
			person.Post{Role: policy.Administrator, Area: apptest.CityArea, Begins: "2026-01-01"})
		if err != nil {
			t.Fatal(err)
		}
		var p api.Person
		s.do("GET", "/people/"+id.String(), nil).want(200).into(&p)
		return id, p.Posts[0]
	}
	id, post := add("wang")
	where := fmt.Sprintf("/people/%s/posts/%d", id, post.Id)
	for _, in := range []obj{{"ends": "2026-11-24"}, {"ends": "2026-11-23"}, {"ends": "2025-12-31"}, {"begins": "2026-11-25"},
		{"begins": "2026-01-02", "ends": "2026-11-24"}} {
		in["version"] = post.Version
		s.do("PUT", where, in).problem(409, "last_administrator", "")
	}
	s.do("PUT", "/people/"+id.String()+"/account", obj{"disabled": true}).problem(409, "last_administrator", "")
	table := "编号,姓名,岗位,层级,辖区代码,开始日期,结束日期\n" + id.String() + ",管理员wang,administrator,city," + apptest.CityArea.Code + ",,2026-11-24\n"
	var out api.PeopleImport
	s.upload(true, "text/csv", []byte(table)).want(200).into(&out)
	if out.Counts.Error != 1 || out.Rows[0].Problem == nil || out.Rows[0].Problem.Code != "last_administrator" {
		t.Errorf("%+v", out.Rows)
	}
	s.upload(false, "text/csv", []byte(table)).problem(409, "rows_rejected", "")

	// A term is no leaving. With another all of it is allowed, but for the last.
	s.do("PUT", where, obj{"version": post.Version, "ends": "2027-06-30"}).want(200).into(&post)
	other, second := add("li")
	s.do("PUT", where, obj{"version": post.Version, "ends": "2026-11-24"}).want(200).into(&post)
	s.do("PUT", "/people/"+other.String()+"/account", obj{"disabled": true}).problem(409, "last_administrator", "") // nobody tomorrow
	s.do("PUT", fmt.Sprintf("/people/%s/posts/%d", other, second.Id), obj{"version": second.Version, "ends": "2026-11-24"}).problem(409, "last_administrator", "")
	s.do("PUT", where, obj{"version": post.Version, "ends": ""}).want(200)
	s.do("PUT", "/people/"+other.String()+"/account", obj{"disabled": true}).want(200)
	s.do("PUT", "/people/"+id.String()+"/account", obj{"disabled": true}).problem(409, "last_administrator", "")
}

package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// In a demo the demand of a second factor binds the administrators that people have made, and not the demo's own, who can have
// none and would be shut out.
func TestDemoAdministratorIsNotShutOut(t *testing.T) {
	db, c := apptest.City(t)
	info := c.City
	info.Code, info.Name, info.Demo = "demo", "演示", true
	if _, err := db.CreateCity(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: app.NewServer(db, c.Contacts.Ring, apptest.Quiet(), apptest.Clock)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.server.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	for deadline := time.Now().Add(30 * time.Second); s.server.Ready() != nil; {
		if time.Now().After(deadline) {
			t.Fatal(s.server.Ready())
		}
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
	s.live, _ = s.server.City("demo")
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Log: apptest.Quiet(), Now: apptest.Clock, Edge: api.Edge{Limits: api.NoLimits}}))
	t.Cleanup(h.Close)
	s.url, s.router = h.URL, specRouter(t, h.URL+"/demo/v1")
	if err := s.live.Auth.MakeDemoAccounts(t.Context(), auth.DemoCity{Password: app.DemoPassword, City: auth.DemoArea{Code: s.live.Area().Code, Name: "演示"}}); err != nil {
		t.Fatal(err)
	}
	const own = "maple trams hum quietly"
	_, _, err := s.live.Auth.CreateUser(t.Context(), person.New{Name: "王芳"}, auth.NewAccount{Login: "wang", Password: own}, person.Post{Role: policy.Administrator, Area: s.live.Area()})
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(login, password string) *site {
		t.Helper()
		a := s.as("").do("POST", "/session", obj{"login": login, "password": password}).want(200)
		for _, k := range (&http.Response{Header: a.header}).Cookies() {
			if k.Name == "gridgov" {
				return s.as(k.Value)
			}
		}
		t.Fatal("no session")
		return nil
	}
	before := signIn("administrator", app.DemoPassword)
	before.do("PUT", "/settings", obj{"require_second_factor": true}).want(200)
	for _, administrator := range []*site{before, signIn("administrator", app.DemoPassword)} {
		var session api.Session
		administrator.do("GET", "/session", nil).want(200).into(&session)
		if session.NeedsSecondFactor != nil {
			t.Errorf("%+v", session)
		}
		administrator.do("GET", "/settings", nil).want(200)
		administrator.do("GET", "/people", nil).want(200)
		administrator.do("POST", "/account/second-factor", nil).problem(403, "demo_account", "")
	}
	wang := signIn("wang", own)
	var session api.Session
	wang.do("GET", "/session", nil).want(200).into(&session)
	if session.NeedsSecondFactor == nil || !*session.NeedsSecondFactor {
		t.Errorf("%+v", session)
	}
	wang.do("GET", "/settings", nil).want(403)
	before.do("PUT", "/settings", obj{"require_second_factor": false}).want(200)
	wang.do("GET", "/settings", nil).want(200)
}

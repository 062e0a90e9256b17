package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// BenchmarkAllow is what a request costs until its handler runs, once who asks is known: the session's cookie, the posts in
// force, the limits, and the faces of the cube that the reach covers.
func BenchmarkAllow(b *testing.B) {
	server, live := apptest.Server(b)
	a := &api{Config: Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock}, limiter: newLimiter(NoLimits, apptest.Clock)}
	token, _ := apptest.SignIn(b, live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)), apptest.Post(policy.VillageSecretary, apptest.VillageArea(1, 1)))
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/testcity/v1/tiles/heat/1/1/1", http.NoBody)
	r.Header.Set("Cookie", "gridgov="+token)
	for b.Loop() {
		c, err := a.allow(r, live, policy.ReportView)
		if err != nil {
			b.Fatal(err)
		}
		done, err := a.limiter.enter(clientOf(c.actor.Person, r), inMasses, false)
		if err != nil {
			b.Fatal(err)
		}
		if c.Faces(&c.reach) == nil {
			b.Fatal("the reach is the whole city")
		}
		done()
	}
}

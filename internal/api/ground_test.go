package api_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
)

// held are the codes of what a phone is given, its own grids first and the others.
func (s *site) held() (own, around []string, g api.Ground) {
	s.t.Helper()
	s.do("GET", "/field/ground", nil).want(200).into(&g)
	for _, f := range g.Grids {
		if *f.Own {
			own = append(own, f.Code)
		} else {
			around = append(around, f.Code)
		}
	}
	return own, around, g
}

func TestGroundIsOnesOwn(t *testing.T) {
	s := newSite(t)
	grids := func(cells ...[2]int) (codes []string) {
		for _, c := range cells {
			codes = append(codes, apptest.GridCode(c[0], c[1]))
		}
		slices.Sort(codes)
		return codes
	}
	for name, c := range map[string]struct {
		posts       []policy.Post
		own, around []string
	}{
		"a grid at a corner, which has three around it": {[]policy.Post{apptest.Post(policy.GridWorker, apptest.GridArea(0, 0))},
			grids([2]int{0, 0}), grids([2]int{1, 0}, [2]int{0, 1}, [2]int{1, 1})},
		"two grids that lie apart": {[]policy.Post{apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)), apptest.Post(policy.GridLeader, apptest.GridArea(3, 0))},
			grids([2]int{0, 0}, [2]int{3, 0}), grids([2]int{1, 0}, [2]int{0, 1}, [2]int{1, 1}, [2]int{2, 0}, [2]int{2, 1}, [2]int{3, 1})},
		"a village": {[]policy.Post{apptest.Post(policy.VillageSecretary, apptest.VillageArea(0, 0))},
			grids([2]int{0, 0}, [2]int{1, 0}, [2]int{0, 1}, [2]int{1, 1}),
			grids([2]int{2, 0}, [2]int{2, 1}, [2]int{2, 2}, [2]int{0, 2}, [2]int{1, 2})},
		"what an officer handles is not held": {[]policy.Post{apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)), apptest.Post(policy.Officer, apptest.TownArea)},
			grids([2]int{0, 0}), grids([2]int{1, 0}, [2]int{0, 1}, [2]int{1, 1})},
	} {
		t.Run(name, func(t *testing.T) {
			token, _ := apptest.SignIn(t, s.live.City, c.posts...)
			own, around, g := s.as(token).held()
			if !slices.Equal(own, c.own) || !slices.Equal(around, c.around) {
				t.Errorf("own %v, around %v; want %v and %v", own, around, c.own, c.around)
			}
			faces := apptest.Faces(jurisdiction.RoleGrid, 0)
			for _, f := range g.Grids {
				i := slices.IndexFunc(faces, func(o jurisdiction.Face) bool { return o.Code == f.Code })
				for k, p := range faces[i].Shape[0][0] {
					if got := f.Shape[0][0][k]; got[0] != p[0] || got[1] != p[1] {
						t.Fatalf("%s, vertex %d: %v, stored is %v", f.Code, k, got, p)
					}
				}
				if len(f.Parents) != 3 || f.Parents[0].Code != f.Code[:12] {
					t.Errorf("%s lies in %v", f.Code, f.Parents)
				}
			}
		})
	}
}

func TestGroundIsSentOnceAPlan(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	s = s.as(token)
	first := s.do("GET", "/field/ground", nil).want(200)
	if cache := first.header.Get("Cache-Control"); cache != "private, no-cache" {
		t.Errorf("Cache-Control: %q", cache)
	}
	if first.header.Get("Vary") != "Accept-Encoding" || len(first.header.Get("ETag")) < 34 {
		t.Errorf("Vary: %q, ETag: %q", first.header.Get("Vary"), first.header.Get("ETag"))
	}
	again := func() answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/"+s.live.Code+"/v1/field/ground", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", first.header.Get("ETag"))
		return s.send(req)
	}
	again().want(http.StatusNotModified)
	plain, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/"+s.live.Code+"/v1/field/ground", nil)
	if err != nil {
		t.Fatal(err)
	}
	plain.Header.Set("Accept-Encoding", "identity")
	if a := s.send(plain).want(200); !bytes.Equal(a.body, first.body) || a.header.Get("ETag") == first.header.Get("ETag") || a.header.Get("Content-Encoding") != "" {
		t.Errorf("without gzip: %d bytes as %q, tag %s; with it %d and %s", len(a.body), a.header.Get("Content-Encoding"), a.header.Get("ETag"), len(first.body), first.header.Get("ETag"))
	}
	apptest.Publish(t, s.live.City, "next", apptest.Step/10, apptest.Now)
	var g api.Ground
	again().want(200).into(&g)
	if g.Plan != "next" {
		t.Errorf("plan %q", g.Plan)
	}
}

func TestGroundOfTooMuchIsNotHeld(t *testing.T) {
	server, live := apptest.WideServer(t)
	s := siteOf(t, server, live, apptest.Clock)
	// One village of the wide city is held; a secretary of all four would carry the city about.
	var posts []policy.Post
	for _, x := range []int{0, apptest.WideCols / 2} {
		for _, y := range []int{0, apptest.WideRows / 2} {
			posts = append(posts, apptest.Post(policy.VillageSecretary, apptest.WideVillage(x, y)))
		}
	}
	token, _ := apptest.SignIn(t, live.City, posts...)
	own, around, g := s.as(token).held()
	if len(own)+len(around) > 0 || g.TooMany == nil || !*g.TooMany {
		t.Errorf("%d own and %d around are held, too many: %v", len(own), len(around), g.TooMany)
	}
	token, _ = apptest.SignIn(t, live.City, posts[0])
	if own, _, g = s.as(token).held(); len(own) == 0 || g.TooMany != nil {
		t.Errorf("of one village %d are held, too many: %v", len(own), g.TooMany)
	}
}

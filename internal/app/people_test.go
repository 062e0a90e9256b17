package app_test

import (
	"slices"
	"testing"
	"time"

	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

func TestPostsAreHeldAgainstThePlanInForce(t *testing.T) {
	_, c := apptest.City(t)
	grid := policy.Area{Level: policy.Grid, Code: apptest.GridCode(0, 0)}
	give := func(role policy.Role, a policy.Area) error {
		p, err := c.People.Create(t.Context(), person.New{Name: string(role)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.People.CreatePost(t.Context(), person.Post{Person: p.ID, Role: role, Area: a, Begins: "2026-01-01"})
		return err
	}
	if err := give(policy.GridWorker, policy.Area{Level: policy.Grid, Code: "before any plan"}); err != nil {
		t.Error(err)
	}
	if a := c.Area(); a != (policy.Area{Level: policy.City, Code: c.Code}) {
		t.Errorf("the city without a plan is %v", a)
	}
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	if a := c.Area(); a != (policy.Area{Level: policy.City, Code: "330481"}) {
		t.Errorf("the city is %v", a)
	}
	for _, a := range []policy.Area{grid, {Level: policy.City, Code: c.Code}, {Level: policy.City, Code: "330481"}} {
		role := policy.GridWorker
		if a.Level == policy.City {
			role = policy.Planner
		}
		if err := give(role, a); err != nil {
			t.Errorf("%v: %v", a, err)
		}
	}
	for _, a := range []policy.Area{{Level: policy.Grid, Code: "nowhere"}, {Level: policy.Grid, Code: apptest.VillageCode(0, 0)}} {
		if err := give(policy.GridWorker, a); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%v: %v", a, err)
		}
	}
	below := c.People.Plan().Below(policy.Area{Level: policy.Village, Code: apptest.VillageCode(0, 0)})
	want := []policy.Area{{Level: policy.Village, Code: apptest.VillageCode(0, 0)}}
	for y := range 2 {
		for x := range 2 {
			want = append(want, policy.Area{Level: policy.Grid, Code: apptest.GridCode(x, y)})
		}
	}
	slices.SortFunc(want[1:], func(a, b policy.Area) int { return slices.Compare([]byte(a.Code), []byte(b.Code)) })
	if !slices.Equal(below, want) {
		t.Errorf("below the village %v, want %v", below, want)
	}
}

// A node that follows the feed forgets at once what another has changed.
func TestANodeForgetsWhenPeopleChange(t *testing.T) {
	_, live := apptest.Server(t)
	ctx := t.Context()
	who, password, err := live.Auth.CreateUser(ctx, person.New{Name: "王芳"}, auth.NewAccount{Login: "wang"},
		person.Post{Role: policy.GridWorker, Area: policy.Area{Level: policy.Grid, Code: apptest.GridCode(0, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := live.Auth.SignIn(ctx, auth.Attempt{Login: "wang", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	posts := func() int {
		id, err := live.Auth.Identify(ctx, in.Token)
		if err != nil {
			t.Fatal(err)
		}
		return len(id.Actor.Posts)
	}
	if n := posts(); n != 1 {
		t.Fatalf("%d posts", n)
	}
	_, err = live.People.CreatePost(ctx, person.Post{Person: who, Role: policy.GridLeader, Area: policy.Area{Level: policy.Grid, Code: apptest.GridCode(1, 0)}, Begins: "2026-01-01"})
	if err != nil {
		t.Fatal(err)
	}
	live.Announce()
	deadline := time.Now().Add(10 * time.Second)
	for posts() != 2 { // the clock of the test's city stands: only the feed can tell
		if time.Now().After(deadline) {
			t.Fatal("the post is not seen")
		}
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
}

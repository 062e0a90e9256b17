package auth_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/person"
	"gridgov/internal/policy"
)

func (w *world) administrator(login string) (uuid.UUID, person.Post) {
	w.Helper()
	who := w.user(login)
	return who, w.post(who, policy.Administrator, wholeCity, "2026-01-01", "")
}

// The account of the last who administers the city stays in use, and a way to sign in stays with it. Who runs the service may.
func TestLastAdministratorsAccount(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	wang, _ := w.administrator("wang")
	clerk := w.user("clerk")
	w.post(clerk, policy.Planner, wholeCity, "2026-01-01", "")
	in := w.in("wang")
	w.refused(w.Disable(ctx, wang), "last_administrator")
	if _, err := w.Identify(ctx, in.Token); err != nil {
		t.Errorf("refused, and the session has ended: %v", err)
	}
	w.ok(w.Disable(ctx, clerk))
	w.refused(w.Disable(ctx, uuid.New()), "not_found")

	li, _ := w.administrator("li")
	w.ok(w.Disable(ctx, wang))
	w.ok(w.Disable(ctx, wang)) // it is already
	w.refused(w.Disable(ctx, li), "last_administrator")
	w.ok(w.Enable(ctx, wang))
	w.ok(w.Disable(ctx, li))

	p := aProvider()
	w.ok(w.SetProvider(ctx, &p))
	w.ok(w.LinkIdentity(ctx, wang, "", "7"))
	w.ok(w.UnlinkIdentity(ctx, wang)) // there is the password
	w.ok(w.LinkIdentity(ctx, wang, "", "7"))
	_, err := w.pool.Exec(ctx, `UPDATE account SET password = NULL WHERE person_id = $1`, wang)
	w.ok(err)
	w.refused(w.UnlinkIdentity(ctx, wang), "last_administrator")
	if a, err := w.Account(ctx, wang); err != nil || a.Subject != "7" {
		t.Errorf("%+v %v", a, err)
	}

	w.ok(w.DisableAny(ctx, wang))
	if held, err := w.people.Administered(ctx); held || err != nil {
		t.Errorf("%v %v", held, err)
	}
	w.ok(w.Enable(ctx, wang))
	w.ok(w.Erase(ctx, wang))
	if held, err := w.people.Administered(ctx); held || err != nil {
		t.Errorf("%v %v", held, err)
	}
}

// Two administrators who act on each other at once, one on the post and one on the account, or both on the account.
func TestTwoAdministratorsActOnEachOther(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	wang, _ := w.administrator("wang")
	li, post := w.administrator("li")
	other := w.node()
	none := person.Day("")
	for round := range 12 {
		acts := []func() error{
			func() error { return w.Disable(ctx, wang) },
			func() error {
				if round%2 == 0 {
					return other.Disable(ctx, li)
				}
				_, err := w.people.EndPost(ctx, post.ID, post.Version, "2026-11-24")
				return err
			},
		}
		var wg sync.WaitGroup
		errs := make([]error, len(acts))
		for i, act := range acts {
			wg.Go(func() { errs[i] = act() })
		}
		wg.Wait()
		lost := slices.IndexFunc(errs, func(err error) bool { return err != nil })
		if lost < 0 || errs[1-lost] != nil {
			t.Fatalf("%v", errs)
		}
		w.refused(errs[lost], "last_administrator")
		if held, err := w.people.Administered(ctx); !held || err != nil {
			t.Fatalf("%v %v", held, err)
		}
		w.ok(w.Enable(ctx, wang))
		w.ok(w.Enable(ctx, li))
		now, err := w.people.Post(ctx, post.ID)
		w.ok(err)
		post, err = w.people.ChangePost(ctx, post.ID, now.Version, person.PostChange{Ends: &none})
		w.ok(err)
	}
}

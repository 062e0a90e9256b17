package citybench

import (
	"context"

	"gridgov/internal/app"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// SignIn makes a command centre's desk that sees the whole city, and a session of it; it returns the session's token.
func SignIn(ctx context.Context, live *app.Live) (string, error) {
	unit, err := live.People.CreateUnit(ctx, person.Unit{Kind: policy.CommandCenter, Name: "bench", Area: live.Area()})
	if err != nil {
		return "", err
	}
	desk, err := live.People.Create(ctx, person.New{Name: "bench"})
	if err != nil {
		return "", err
	}
	if _, err := live.People.CreatePost(ctx, person.Post{Person: desk.ID, Role: policy.Desk, Unit: unit.ID, Begins: "2026-01-01"}); err != nil {
		return "", err
	}
	const password = "ten tides an hour"
	if _, err := live.Auth.CreateAccount(ctx, auth.NewAccount{Person: desk.ID, Login: "bench", Password: password}); err != nil {
		return "", err
	}
	in, err := live.Auth.SignIn(ctx, auth.Attempt{Login: "bench", Password: password, Address: "127.0.0.1"})
	return in.Token, err
}

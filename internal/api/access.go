package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/audit"
	"gridgov/internal/auth"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// call is a request in a city: who asks, and how far the route's action reaches for them.
type call struct {
	*app.Live
	who   *auth.Identity // nil: a visitor
	actor *policy.Actor
	reach policy.Reach
	at    time.Time // of the decision
}

// may tells how far another action than the route's reaches.
func (c *call) may(action policy.Action) policy.Reach { return c.actor.Reach(action, c.at) }

// cut narrows a filter of the cube to what the route's action reaches.
func (c *call) cut(f cube.Filter) cube.Filter {
	return c.Cut(f, &c.reach)
}

// sessionCookie and deviceCookie are the cookies of a city; their path is the city's.
const (
	sessionCookie = "gridgov"
	deviceCookie  = "gridgov_device"
)

// maxToken is longer than any token: what is longer is none.
const maxToken = 200

// bearer returns what an Authorization header carries.
func bearer(r *http.Request) (token string, given bool) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return "", false
	}
	scheme, token, _ := strings.Cut(h, " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxToken {
		return "", true
	}
	return strings.TrimSpace(token), true
}

// cookie returns a cookie's value; one that comes twice is none, as nobody knows which of them is ours.
func cookie(r *http.Request, name string) string {
	list := r.CookiesNamed(name)
	if len(list) != 1 || len(list[0].Value) > maxToken {
		return ""
	}
	return list[0].Value
}

// personHeader names who has written what is sent. A phone tells later what was done without a line, and whoever has signed in on it
// meanwhile must not tell it as theirs: such a request is answered as that of nobody.
const personHeader = "Gridgov-Person"

// identify finds out who asks. A session that has ended makes a visitor; a token that is none is refused.
func (a *api) identify(r *http.Request, c *app.Live) (*call, error) {
	token, machine := bearer(r)
	if !machine {
		token = cookie(r, sessionCookie)
	}
	out := &call{Live: c, at: a.Now()}
	if token != "" {
		who, err := c.Auth.Identify(r.Context(), token)
		switch {
		case err == nil:
			if named := r.Header.Get(personHeader); named != "" && named != who.Person.String() {
				return nil, fault.Unauthenticated("somebody_else", "somebody else is signed in by now: who has written this signs in again")
			}
			out.who, out.actor = who, who.Actor
			return out, nil
		case !errors.Is(err, auth.ErrNoSession):
			return nil, err
		}
		if machine {
			return nil, a.refuseToken(r, err)
		}
	} else if machine {
		return nil, auth.ErrNoSession
	}
	actor, err := c.Auth.Visitor(r.Context())
	out.actor = actor
	return out, err
}

// refuseToken answers a token that is none. Who shows many of them waits, as anybody who has not signed in.
func (a *api) refuseToken(r *http.Request, err error) error {
	done, slow := a.limiter.enter(clientOf(uuid.Nil, r), ordinary, false)
	if slow != nil {
		return slow
	}
	done()
	return err
}

// allow is the one place where a request is let in or not: the route's action has to reach somewhere for who asks.
func (a *api) allow(r *http.Request, c *app.Live, action policy.Action) (*call, error) {
	call, err := a.identify(r, c)
	if err != nil {
		return nil, err
	}
	call.reach = call.may(action)
	if call.reach.Empty() {
		return call, refusal(call.who)
	}
	return call, nil
}

// author is who is on record for what the request does.
func (c *call) author(r *http.Request) audit.Author {
	by := audit.Author{Address: clientAddress(r)}
	if c.who != nil {
		by.Person, by.Post = c.who.Person, int64(c.reach.Post)
	}
	return by
}

func refusal(who *auth.Identity) error {
	switch {
	case who == nil:
		return fault.Unauthenticated("sign_in", "sign in to do this")
	case who.MustChange:
		return fault.Forbidden("password_must_change", "change the password that you were given first")
	case who.NeedsTOTP:
		return fault.Forbidden("second_factor_needed", "administrators of this city need a second factor: set it up in your account first")
	}
	return fault.Forbidden("not_allowed", "none of your posts in force allows this")
}

package api

import (
	"encoding/base64"
	"net/http"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/push"
)

// whyNoPush is nil where devices can be told. A push service is shown by which address the service is found, so that has to be known.
func (a *api) whyNoPush(r *http.Request, c *call) *fault.Error {
	if f := c.Push.Ready(); f != nil {
		return f
	}
	if _, err := a.sentURL(r); err != nil {
		return fault.Unavailable("no_public_url", "the service does not know its own name, which push services are told: whoever runs it gives serve --public-url, or --host")
	}
	return nil
}

func (a *api) getPush(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := a.form(r, c, nil); err != nil {
		return err
	}
	out := Push{Devices: []PushDevice{}}
	list, err := c.Push.List(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	for i := range list {
		out.Devices = append(out.Devices, c.pushDevice(&list[i]))
	}
	why := a.whyNoPush(r, c)
	if why == nil {
		key, err := c.Push.Key(r.Context())
		switch {
		case fault.Is(err, fault.KindUnavailable): // it is sealed, and the key is not in the key file
			why, _ = fault.As(err)
		case err != nil:
			return err
		default:
			out.Available, out.Key = true, new(base64.RawURLEncoding.EncodeToString(key))
		}
	}
	if why != nil {
		out.Why = new(PushWhy(why.Code))
	}
	return writePrivate(w, http.StatusOK, out)
}

func (c *call) pushDevice(d *push.Device) PushDevice {
	return PushDevice{Id: d.ID, Host: d.Host, Agent: d.Agent, Language: PushDeviceLanguage(d.Language), MadeAt: utc(d.MadeAt), SaidAt: utc(d.SaidAt),
		SentAt: when(d.SentAt), FailingSince: when(d.FailingSince), Why: optional(d.Why), Current: d.Session == c.who.Session}
}

func (a *api) addPushDevice(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PushSubscription
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	if why := a.whyNoPush(r, c); why != nil {
		return why
	}
	origin, err := a.sentURL(r)
	if err != nil {
		return err
	}
	d, err := c.Push.Add(r.Context(), push.New{Person: c.who.Person, Session: c.who.Session, Endpoint: in.Endpoint, P256dh: in.Keys.P256dh, Auth: in.Keys.Auth,
		Language: string(in.Language), Agent: r.UserAgent(), Origin: origin})
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, c.pushDevice(&d))
}

func (a *api) removePushDevice(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := a.form(r, c, nil); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fault.NotFound("you have no such device")
	}
	if err := c.Push.Remove(r.Context(), c.who.Person, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) testPush(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PushTest
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	failed, err := c.Notices.TestPush(r.Context(), c.who.Person, in.Id)
	switch {
	case err != nil:
		return err
	case failed != nil:
		return writePrivate(w, http.StatusOK, PushTested{Why: &failed.Why, Status: optional(failed.Status)})
	}
	return writePrivate(w, http.StatusOK, PushTested{Sent: true})
}

package api

import (
	"net/http"
	"strconv"

	"gridgov/internal/fault"
	"gridgov/internal/webhook"
)

// mostDeliveries is how many deliveries are listed.
const mostDeliveries = 50

// webhookNamed is the number in the route's path.
func webhookNamed(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fault.NotFound("there is no webhook %.40q", r.PathValue("id"))
	}
	return id, nil
}

func (a *api) listWebhooks(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	list, err := c.Webhooks.List(r.Context())
	if err != nil {
		return err
	}
	out := WebhookList{Webhooks: make([]Webhook, len(list)), Events: eventNames(webhook.Events)}
	for i := range list {
		e := &list[i]
		out.Webhooks[i] = Webhook{Id: int(e.ID), Name: e.Name, Url: e.URL, Events: eventNames(e.Events), Disabled: e.DisabledAt != nil, MadeAt: utc(e.MadeAt),
			Version: e.Version, Waiting: e.Waiting}
		if e.Last != nil {
			out.Webhooks[i].Last = new(deliveryOf(e.Last))
		}
	}
	return writePrivate(w, http.StatusOK, out)
}

func eventNames(list []webhook.Event) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = string(e)
	}
	return out
}

func eventsNamed(list []string) []webhook.Event {
	out := make([]webhook.Event, len(list))
	for i, e := range list {
		out[i] = webhook.Event(e)
	}
	return out
}

func deliveryOf(d *webhook.Delivery) WebhookDelivery {
	return WebhookDelivery{Id: d.ID, Event: string(d.Event), MadeAt: utc(d.MadeAt), State: WebhookDeliveryState(d.State), Tries: d.Tries, TriedAt: when(d.TriedAt),
		Status: optional(d.Status), Why: optional(d.Why)}
}

func (a *api) addWebhook(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in WebhookEdit
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	id, secret, err := c.Webhooks.Add(r.Context(), webhook.Edit{Name: in.Name, URL: in.Url, Events: eventsNamed(in.Events), Disabled: in.Disabled != nil && *in.Disabled})
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusCreated, WebhookSecret{Id: int(id), Secret: secret})
}

func (a *api) changeWebhook(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := webhookNamed(r)
	if err != nil {
		return err
	}
	var in WebhookChange
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	if in.Version < 1 {
		return fault.Invalid("version", "required", "is missing: name the version that was read")
	}
	err = c.Webhooks.Change(r.Context(), id, in.Version, webhook.Edit{Name: in.Name, URL: in.Url, Events: eventsNamed(in.Events), Disabled: in.Disabled != nil && *in.Disabled})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) removeWebhook(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := webhookNamed(r)
	if err != nil {
		return err
	}
	if err := c.Webhooks.Remove(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) renewWebhook(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := webhookNamed(r)
	if err != nil {
		return err
	}
	secret, err := c.Webhooks.Renew(r.Context(), id)
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, WebhookSecret{Id: int(id), Secret: secret})
}

func (a *api) testWebhook(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := webhookNamed(r)
	if err != nil {
		return err
	}
	if _, err := c.Webhooks.SendTest(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (a *api) listDeliveries(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := webhookNamed(r)
	if err != nil {
		return err
	}
	list, err := c.Webhooks.Deliveries(r.Context(), id, mostDeliveries)
	if err != nil {
		return err
	}
	out := WebhookDeliveries{Deliveries: make([]WebhookDelivery, len(list))}
	for i := range list {
		out.Deliveries[i] = deliveryOf(&list[i])
	}
	return writePrivate(w, http.StatusOK, out)
}

package api

import (
	"errors"
	"net/http"
	"net/url"

	"gridgov/internal/fault"
	"gridgov/internal/message"
)

func (a *api) getMessageSettings(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	return c.writeMessageSettings(w, r)
}

func (c *call) writeMessageSettings(w http.ResponseWriter, r *http.Request) error {
	set, err := c.Sending.Read(r.Context())
	if err != nil {
		return err
	}
	city, err := c.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	out := MessageSettings{ResidentReports: city.ResidentReports, Demo: optional(c.Demo)}
	if s := set.SMTP; s != nil {
		out.Smtp = &SMTPSettings{Host: s.Host, Port: s.Port, Tls: SMTPSettingsTls(s.TLS), User: optional(s.User), From: s.From, HasPassword: new(s.Password != "")}
	}
	if s := set.SMS; s != nil {
		headers := make([]SMSHeader, len(s.Headers))
		for i, h := range s.Headers {
			headers[i].Name = h.Name
		}
		out.Sms = &SMSSettings{Url: s.URL, Method: SMSSettingsMethod(s.Method), Headers: &headers, Body: s.Body, Expect: optional(s.Expect)}
	}
	return writePrivate(w, http.StatusOK, out)
}

func (a *api) changeMessageSettings(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in struct { // MessageSettings, with what is missing told apart from false
		ResidentReports *bool         `json:"resident_reports"`
		Demo            *bool         `json:"demo"`
		SMTP            *SMTPSettings `json:"smtp"`
		SMS             *SMSSettings  `json:"sms"`
	}
	if err := decode(r, maxReport, &in); err != nil {
		return err
	}
	if in.ResidentReports == nil {
		return fault.Invalid("resident_reports", "required", "is missing: all settings are replaced, so all have to be sent")
	}
	before, err := c.Sending.Read(r.Context())
	if err != nil {
		return err
	}
	set, err := messageSettings(in.SMTP, in.SMS, &before)
	if err != nil {
		return err
	}
	if err := c.Sending.Write(r.Context(), set); err != nil {
		return err
	}
	if err := c.Auth.ChangeSettings(r.Context(), map[string]bool{"resident_reports": *in.ResidentReports}); err != nil {
		return err
	}
	return c.writeMessageSettings(w, r)
}

// messageSettings reads settings. A secret that is left out is the one from before, as long as it goes where it went: else
// who may set an address could have it sent to themselves.
func messageSettings(smtp *SMTPSettings, sms *SMSSettings, before *message.Settings) (set message.Settings, err error) {
	if s := smtp; s != nil {
		set.SMTP = &message.SMTP{Host: s.Host, Port: s.Port, TLS: string(s.Tls), User: text(s.User), From: s.From}
		was := before.SMTP
		switch {
		case s.Password != nil:
			set.SMTP.Password = *s.Password
		case was == nil || was.Password == "" || set.SMTP.User == "":
		case was.Host != set.SMTP.Host || was.Port != set.SMTP.Port || was.TLS != set.SMTP.TLS || was.User != set.SMTP.User:
			return set, fault.Invalid("smtp.password", "required", "is needed again: another server or user is to be shown it")
		default:
			set.SMTP.Password = was.Password
		}
	}
	if s := sms; s != nil {
		set.SMS = &message.Gateway{URL: s.Url, Method: string(s.Method), Body: s.Body}
		if s.Expect != nil {
			set.SMS.Expect = *s.Expect
		}
		if s.Headers != nil {
			for _, h := range *s.Headers {
				value, err := headerValue(h, set.SMS, before.SMS)
				if err != nil {
					return set, err
				}
				set.SMS.Headers = append(set.SMS.Headers, message.Header{Name: h.Name, Value: value})
			}
		}
	}
	return set, nil
}

func headerValue(h SMSHeader, now, before *message.Gateway) (string, error) {
	if h.Value != nil {
		return *h.Value, nil
	}
	if before != nil && sameOrigin(now.URL, before.URL) {
		for _, was := range before.Headers {
			if was.Name == h.Name {
				return was.Value, nil
			}
		}
	}
	return "", fault.Invalid("sms.headers", "required", "the value of %.40q is needed: another address is to be shown it", h.Name)
}

func sameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	return err == nil && err2 == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

func (a *api) sendTestMessage(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in CodeRequest
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	lang, err := language(in.Language)
	if err != nil {
		return err
	}
	err = c.Residents.SendTest(r.Context(), message.Channel(in.Channel), in.To, lang)
	var failed *message.Failure
	switch {
	case errors.As(err, &failed):
		return writePrivate(w, http.StatusOK, MessageTest{Why: new(failed.Error()), Said: optional(clip(failed.Cause(), 500))})
	case err != nil:
		return err
	}
	return writePrivate(w, http.StatusOK, MessageTest{Sent: true})
}

// clip shortens what others said.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (a *api) listOutbox(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	box := c.Outbox()
	if box == nil {
		return fault.NotFound("only a demo has an outbox: this city sends its messages")
	}
	list, err := box.List(r.Context())
	if err != nil {
		return err
	}
	out := Outbox{Messages: make([]OutboxMessage, len(list))}
	for i, m := range list {
		out.Messages[i] = OutboxMessage{Id: int(m.ID), At: utc(m.At), Channel: Channel(m.Channel), To: m.To, Subject: m.Subject, Text: m.Text}
	}
	return writePrivate(w, http.StatusOK, out)
}

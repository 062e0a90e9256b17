package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"gridgov/internal/fault"
)

// How a connection to a mail server is encrypted.
const (
	TLSStart    = "starttls" // STARTTLS, demanded
	TLSImplicit = "tls"      // from the first byte
	TLSNone     = "none"     // not at all: to this machine only
)

// SMTP is a mail server that takes the city's mail.
type SMTP struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	TLS      string `json:"tls"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	From     string `json:"from"` // an address, with a name before it if wanted

	Roots *x509.CertPool `json:"-"` // nil: the system's
}

// sendTimeout bounds each step of sending, and half of the whole.
const sendTimeout = 10 * time.Second

// Check refuses what cannot work or would send in the clear.
func (s *SMTP) Check() *fault.Error {
	for _, f := range []struct{ name, value string }{{"host", s.Host}, {"user", s.User}, {"password", s.Password}, {"from", s.From}} {
		if len(f.value) > 500 || !oneLine(f.value) {
			return fault.Invalid("smtp."+f.name, "bad_text", "is longer than 500 bytes or holds control characters")
		}
	}
	if s.Host == "" || strings.ContainsAny(s.Host, " /@[]") {
		return fault.Invalid("smtp.host", "bad_host", "is no name of a mail server, such as smtp.example.com")
	}
	if s.Port < 1 || s.Port > 65535 {
		return fault.Invalid("smtp.port", "out_of_range", "is no port: mail servers listen at 587 or 465")
	}
	switch {
	case s.TLS != TLSStart && s.TLS != TLSImplicit && s.TLS != TLSNone:
		return fault.Invalid("smtp.tls", "unknown_value", "is none of starttls, tls, none")
	case s.TLS == TLSNone && !loopback(s.Host):
		return fault.Invalid("smtp.tls", "not_encrypted", "mail may travel unencrypted to this machine only: use starttls or tls")
	}
	if from, err := mail.ParseAddress(s.From); err != nil || !strings.Contains(from.Address, "@") {
		return fault.Invalid("smtp.from", "bad_email", "is no sender, such as 海宁网格 <grid@example.com>")
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// Send implements [Sender].
func (s *SMTP) Send(ctx context.Context, m Message) error {
	mail, err := s.compose(m)
	if err != nil {
		return &Failure{What: "the mail cannot be written", Final: true, cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*sendTimeout)
	defer cancel() // ends what hangs on the connection too
	client, err := s.client(ctx)
	if err != nil {
		return &Failure{What: "the mail server's settings", cause: err}
	}
	if err := client.DialAndSendWithContext(ctx, mail); err != nil {
		return smtpFailure(err)
	}
	return nil
}

func (s *SMTP) compose(m Message) (*gomail.Msg, error) {
	if !oneLine(m.To) || !oneLine(m.Subject) || !oneLine(s.From) || !oneLine(m.ID) {
		return nil, errors.New("a header holds control characters")
	}
	out := gomail.NewMsg()
	if err := out.From(s.From); err != nil {
		return nil, err
	}
	if to, err := mail.ParseAddress(m.To); err != nil || to.Address != m.To {
		return nil, errors.New("the recipient is no plain address")
	}
	if err := out.To(m.To); err != nil {
		return nil, err
	}
	out.Subject(m.Subject)
	out.SetDate()
	if m.ID == "" {
		out.SetMessageID()
	} else {
		from, err := mail.ParseAddress(s.From)
		if err != nil {
			return nil, err
		}
		out.SetMessageIDWithValue(m.ID + from.Address[strings.LastIndexByte(from.Address, '@'):])
	}
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetBodyString(gomail.TypeTextPlain, m.Text)
	return out, nil
}

func (s *SMTP) client(ctx context.Context) (*gomail.Client, error) {
	conf := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(sendTimeout), gomail.WithoutNoop(),
		gomail.WithTLSConfig(conf),
	}
	switch s.TLS {
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.TLS != TLSImplicit { // there the client has to dial by itself, to know that it is encrypted
		options = append(options, gomail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{Timeout: sendTimeout}).DialContext(dial, network, address)
			if err == nil {
				// Its own deadlines are each step's; this one is the whole's, and the caller's.
				context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// smtpFailure: a recipient or a text that the server refuses for good is not offered again; all else may mend.
func smtpFailure(err error) *Failure {
	f := &Failure{What: "the mail server was not reached, or spoke no SMTP that is understood", cause: err}
	var send *gomail.SendError
	if errors.As(err, &send) {
		f.What, f.Code, f.Final = "the mail server's answer", send.ErrorCode(), send.ErrorCode() >= 500
	}
	return f
}

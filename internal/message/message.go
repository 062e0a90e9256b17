// Package message sends short texts to people: e-mail by SMTP, SMS by a gateway that speaks HTTP. A message is queued in the
// transaction of what it tells of, sealed, and sent by a worker, which tries again for a while. Once it is sent, or given
// up, nothing of it is left but that there was one.
package message

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Channel is a way to a person.
type Channel string

// The channels.
const (
	SMS   Channel = "sms"
	Email Channel = "email"
)

// Message is what a person is told. To is a phone number or an e-mail address in its normal form, Subject an e-mail's.
type Message struct {
	Channel   Channel
	To        string
	Subject   string
	Text      string
	Recipient []byte // a MAC of To, by which a person's messages are found; nil: nobody's
	ID        string // what an e-mail's Message-ID begins with, the same where it is sent again; "": one is made
}

// Sender sends a message, or tells why not: a [Failure].
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Failure is why a message was not sent. It names neither who it was for nor what it said, nor what the other side
// answered in words: it may stand in a log.
type Failure struct {
	What  string // such as "the gateway's answer"
	Code  int    // SMTP's or HTTP's; 0: none came
	Final bool   // trying again does not mend it
	cause error
}

func (f *Failure) Error() string {
	if f.Code != 0 {
		return fmt.Sprintf("message: %s, code %d", f.What, f.Code)
	}
	return "message: " + f.What
}

// Cause is what the other side or the system said, for who may see it.
func (f *Failure) Cause() string {
	if f.cause == nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, f.cause.Error())
}

// isFinal tells whether there is no use in trying again.
func isFinal(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Final
}

// oneLine tells whether a text can stand in a header.
func oneLine(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// Package fault is the one error type that crosses package boundaries on its way to a user.
//
// A fault says what happened, in which field, and what to do; it never carries internals. Everything else is an
// internal error: it is logged whole and shown as "internal".
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind decides the HTTP status and the exit code; there are few on purpose.
type Kind uint8

// The kinds, from the caller's mistakes to ours.
const (
	KindInvalid         Kind = iota + 1 // the input is wrong: mend it
	KindNotFound                        // what was named does not exist
	KindConflict                        // it contradicts what is there
	KindTooLarge                        // a limit was passed
	KindUnsupported                     // not in this form
	KindForbidden                       // not allowed
	KindUnavailable                     // not now: try again
	KindUnauthenticated                 // who asks has to sign in, or to sign in better
	KindTooMany                         // asked too often: RetryAfter tells when to ask again
)

// Error is what a user may see. Field and Line are empty when they do not apply.
type Error struct {
	Kind    Kind
	Code    string // machine-readable reason in snake_case; the page translates it
	Field   string
	Line    int
	Message string // English, complete: what, where, what to do

	RetryAfter time.Duration // of KindTooMany: how long to wait
}

func (e *Error) Error() string {
	switch {
	case e.Line > 0 && e.Field != "":
		return fmt.Sprintf("line %d, %s: %s", e.Line, e.Field, e.Message)
	case e.Line > 0:
		return fmt.Sprintf("line %d: %s", e.Line, e.Message)
	case e.Field != "":
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Invalid says that a field's value cannot be accepted.
func Invalid(field, code, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound says that what was named does not exist.
func NotFound(format string, args ...any) *Error {
	return &Error{Kind: KindNotFound, Code: "not_found", Message: fmt.Sprintf(format, args...)}
}

// Conflict says that the request contradicts what is stored.
func Conflict(code, format string, args ...any) *Error {
	return &Error{Kind: KindConflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// TooLarge says that a limit was passed.
func TooLarge(field, format string, args ...any) *Error {
	return &Error{Kind: KindTooLarge, Code: "too_large", Field: field, Message: fmt.Sprintf(format, args...)}
}

// Unsupported says that the form of what was sent is not read here.
func Unsupported(field, code, format string, args ...any) *Error {
	return &Error{Kind: KindUnsupported, Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Forbidden says that the caller may not do this.
func Forbidden(code, format string, args ...any) *Error {
	return &Error{Kind: KindForbidden, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unavailable says that it does not work now and may work later.
func Unavailable(code, format string, args ...any) *Error {
	return &Error{Kind: KindUnavailable, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unauthenticated says that who asks has to sign in.
func Unauthenticated(code, format string, args ...any) *Error {
	return &Error{Kind: KindUnauthenticated, Code: code, Message: fmt.Sprintf(format, args...)}
}

// TooMany says that this was asked too often, and when to ask again.
func TooMany(code string, retryAfter time.Duration, format string, args ...any) *Error {
	return &Error{Kind: KindTooMany, Code: code, RetryAfter: retryAfter, Message: fmt.Sprintf(format, args...)}
}

// AtLine returns a copy that names the line of the input.
func (e *Error) AtLine(line int) *Error {
	c := *e
	c.Line = line
	return &c
}

// As finds the fault in a chain of wrapped errors.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is reports whether err carries a fault of the kind.
func Is(err error, kind Kind) bool {
	e, ok := As(err)
	return ok && e.Kind == kind
}

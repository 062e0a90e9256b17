// Package audit is the record of acts: who did what to what, when and from where.
package audit

import (
	"context"

	"github.com/google/uuid"
)

// Author is who acts. The zero value is the system itself, or the command line.
type Author struct {
	Person  uuid.UUID
	Post    int64  // the post by which the act was allowed; 0: none
	Address string // the client's address
}

type authorKey struct{}

// By returns a context whose acts are the author's.
func By(ctx context.Context, a Author) context.Context { return context.WithValue(ctx, authorKey{}, a) }

// AuthorOf returns who acts in a context.
func AuthorOf(ctx context.Context) Author {
	a, _ := ctx.Value(authorKey{}).(Author)
	return a
}

// Record is an act to be kept. Subject names what was acted on by kind and id, as "person:0198…" or "report:1234"; Before
// and After are what changed, as JSON: ids, codes and dates, never names, phones or free text.
type Record struct {
	Act           string
	Subject       string
	Before, After any
}

// Key is what a city's rows are MACed with. The zero Key makes a chain of plain digests.
type Key struct {
	ID     string
	Secret []byte
}

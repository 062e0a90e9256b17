package main

import (
	"os"
	"strings"
	"testing"

	"gridgov/internal/postgres/pgtest"
)

// The identity provider by the command line; its secret comes from a file and is told nowhere.
func TestProviderByCommand(t *testing.T) {
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	put(t, "secret", "canary-secret\n")
	put(t, "empty", "\n")
	put(t, "long", strings.Repeat("a", maxSecretFile+1))
	const name = "--city tc --issuer http://127.0.0.1:1 --client-id gridgov"
	for _, l := range []line{
		{args: "city create tc " + create},
		{args: "city oidc", code: 2, err: []string{"city"}},
		{args: "city oidc --city tc", err: []string{"passwords alone"}},
		{args: "city oidc --city other", code: 1, err: []string{"no city"}},
		{args: "city oidc --city tc --issuer http://127.0.0.1:1 --off", code: 2, err: []string{"not both"}},
		{args: "city oidc --city tc --client-id gridgov", code: 2, err: []string{"--issuer"}},
		{args: "city oidc " + name, code: 1, err: []string{"give the secret"}},
		{args: "city oidc " + name + " --client-secret-file none", code: 2, err: []string{"none"}},
		{args: "city oidc " + name + " --client-secret-file empty", code: 2, err: []string{"empty"}},
		{args: "city oidc " + name + " --client-secret-file long", code: 2},
		{args: "city oidc --city tc --issuer http://id.example --client-id gridgov --client-secret-file secret", code: 2, err: []string{"https"}},
		{args: "user create wang --city tc --name 王 --role administrator --level city"},
		{args: "user link wang --city tc", code: 2, err: []string{"subject"}},
		{args: "user link wang --city tc --subject 7", code: 1, err: []string{"no identity provider"}},

		{args: "city oidc " + name + " --client-secret-file secret --link-email --mfa mfa", err: []string{"http://127.0.0.1:1", "/tc/v1/session/oidc/callback", "note: no identity provider answers there", "!canary"}},
		{args: "city oidc --city tc", out: []string{"http://127.0.0.1:1", "gridgov", "City account", "email", "mfa", "!canary"}},
		{args: "city oidc " + name + " --name-en Card", err: []string{"may sign in"}}, // the secret stays
		{args: "city oidc --city tc", out: []string{"Card", "!email\n"}},
		{args: "user link wang --city tc --subject 7", err: []string{"wang signs in by the identity provider too"}},
		{args: "user link nobody --city tc --subject 8", code: 1, err: []string{"no account"}},
		{args: "user unlink wang --city tc", err: []string{"wang does not"}},
		{args: "city oidc --city tc --off", err: []string{"passwords alone"}},
		{args: "city oidc --city tc", err: []string{"passwords alone"}},
	} {
		l.run(t, database)
	}
	if _, err := os.Stat("secret"); err != nil {
		t.Error(err)
	}
}

package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/auth"
)

// maxSecretFile is the longest file of a client's secret in bytes.
const maxSecretFile = 4 << 10

// newProvider is what the flags of city oidc say.
type newProvider struct {
	auth.Provider
	city, secretFile string
	off              bool
}

// ofProvider are the flags that go with --issuer.
var ofProvider = []string{"client-id", "client-secret-file", "name", "name-en", "claim", "link-email", "scope", "mfa"}

func (t *tool) provider() *cobra.Command {
	var n newProvider
	cmd := &cobra.Command{
		Use: "oidc", Short: "Name the identity provider by which a city's people may sign in, or tell which it is", Args: noArgs,
		Long: "oidc names a city's OpenID Connect provider. Register this service there as a web application with a secret, with the code\n" +
			"flow, and with https://HOST/CITY/v1/session/oidc/callback as where it leads back to. Without --issuer and --off it tells what\n" +
			"is set. What is not said is set anew to what it is without, but for the secret, which stays for the same issuer.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			set := cmd.Flags().Changed("issuer")
			switch {
			case set && n.off:
				return usagef("say --issuer or --off, not both")
			case !set && slices.ContainsFunc(ofProvider, cmd.Flags().Changed):
				return usagef("name the provider with --issuer")
			}
			if n.secretFile != "" {
				var err error
				if n.Secret, err = t.readSecret(n.secretFile); err != nil {
					return err
				}
			}
			return t.inCity(cmd.Context(), n.city, func(c *app.City) error {
				defer c.Announce()
				switch {
				case n.off:
					err := c.Auth.SetProvider(cmd.Context(), nil)
					if err == nil {
						t.say("people sign in with their passwords alone; sessions that came of an identity provider have ended")
					}
					return err
				case set:
					return t.setProvider(cmd.Context(), c, n.Provider)
				}
				return t.tellProvider(cmd.Context(), c)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.city, "city", "", "the city's code")
	f.StringVar(&n.Issuer, "issuer", "", "the provider's issuer, as its metadata has it, for instance https://id.example.org/realms/city")
	f.StringVar(&n.ClientID, "client-id", "", "the id under which the provider knows this service")
	f.StringVar(&n.secretFile, "client-secret-file", "", "file of the secret that goes with it; - is standard input")
	f.StringVar(&n.Name, "name", "统一身份认证", "what the button on the sign-in page says")
	f.StringVar(&n.NameEN, "name-en", "City account", "what it says in English")
	f.StringVar(&n.Claim, "claim", "sub", "the claim by which people are known; one that nobody can choose or change")
	f.BoolVar(&n.LinkEmail, "link-email", false, "link who comes for the first time to the person with the same e-mail address, where the provider has verified it")
	f.StringSliceVar(&n.Scopes, "scope", nil, "scopes to ask for besides openid (email with --link-email)")
	f.StringSliceVar(&n.MFA, "mfa", nil, "values of amr or acr that stand for the account's second factor, such as mfa (none)")
	f.BoolVar(&n.off, "off", false, "forget the provider; sessions that came of it end")
	mustRequire(cmd, "city")
	return cmd
}

// readSecret reads a secret from a file, without the line break in its end.
func (t *tool) readSecret(name string) (string, error) {
	from := t.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", usagef("--client-secret-file: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxSecretFile+1))
	secret := strings.TrimRight(string(b), "\r\n")
	switch {
	case err != nil:
		return "", usagef("--client-secret-file: %w", err)
	case secret == "" || len(b) > maxSecretFile:
		return "", usagef("--client-secret-file: the file is empty, or is no secret")
	}
	return secret, nil
}

func (t *tool) setProvider(ctx context.Context, c *app.City, p auth.Provider) error {
	if err := c.Auth.SetProvider(ctx, &p); err != nil {
		return err
	}
	t.say("people of %s may sign in by %s; it leads back to https://HOST/%s/v1/session/oidc/callback", c.Code, p.Issuer, c.Code)
	if err := c.Auth.CheckProvider(ctx); err != nil {
		t.say("note: %.600s", err.Error()) // the words first; a provider may say a page
	}
	return nil
}

func (t *tool) tellProvider(ctx context.Context, c *app.City) error {
	p, err := c.Auth.Provider(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		t.say("people of %s sign in with their passwords alone", c.Code)
		return nil
	}
	t.print("issuer\t%s\nclient id\t%s\nbutton\t%s, %s\nclaim\t%s\nlink by e-mail\t%t\nscopes\t%s\nsecond factor\t%s", p.Issuer, p.ClientID, p.Name, p.NameEN, p.Claim,
		p.LinkEmail, strings.Join(p.Scopes, ","), strings.Join(p.MFA, ","))
	return nil
}

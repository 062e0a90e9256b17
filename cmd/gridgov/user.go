package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

func (t *tool) user() *cobra.Command {
	var city string
	inCity := func(cmd *cobra.Command, work func(ctx context.Context, c *app.City, args []string) error) *cobra.Command {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return t.inCity(cmd.Context(), city, func(c *app.City) error {
				defer c.Announce()
				return work(cmd.Context(), c, args)
			})
		}
		cmd.Flags().StringVar(&city, "city", "", "the city's code")
		mustRequire(cmd, "city")
		return cmd
	}
	// named is a command on an account that is there.
	named := func(use, short string, work func(ctx context.Context, c *app.City, a auth.Account) error) *cobra.Command {
		return inCity(&cobra.Command{Use: use + " LOGIN", Short: short, Args: exactArgs("LOGIN")}, func(ctx context.Context, c *app.City, args []string) error {
			a, err := c.Auth.AccountNamed(ctx, args[0])
			if err != nil {
				return err
			}
			return work(ctx, c, a)
		})
	}

	var n newUser
	create := inCity(&cobra.Command{Use: "create LOGIN", Short: "Add a person or machine with an account and a post; prints the one-time password", Args: exactArgs("LOGIN"),
		Long: "create makes a person with an account and a post: --name and --role say who and what. With --person it gives the account to\n" +
			"somebody who is there, by the id that stands behind person= in the address of the page that shows them; then --role and what\n" +
			"goes with it may be left out, and no post is added.",
	}, func(ctx context.Context, c *app.City, args []string) error { return t.createUser(ctx, c, args[0], n) })
	n.flags(create)
	create.PreRunE = func(*cobra.Command, []string) error { return n.check() }

	passwd := named("passwd", "Give an account a new one-time password, printed once, and end its sessions", func(ctx context.Context, c *app.City, a auth.Account) error {
		password, err := c.Auth.ResetPassword(ctx, a.Person)
		if err == nil {
			t.say("the password of %s is good once: it must be changed at the next sign-in", a.Login)
			t.print("%s", password)
		}
		return err
	})
	disable := named("disable", "Take an account out of use, at once", func(ctx context.Context, c *app.City, a auth.Account) error {
		return t.notingLast(ctx, c, func() error {
			err := c.Auth.DisableAny(ctx, a.Person)
			if err == nil {
				t.say("%s is disabled", a.Login)
			}
			return err
		})
	})
	enable := named("enable", "Put an account into use again", func(ctx context.Context, c *app.City, a auth.Account) error {
		err := c.Auth.Enable(ctx, a.Person)
		if err == nil {
			t.say("%s is in use", a.Login)
		}
		return err
	})
	factor := named("remove-second-factor", "Take an account's second factor out of use, for who has lost it, and end its sessions", func(ctx context.Context, c *app.City, a auth.Account) error {
		err := c.Auth.ResetTOTP(ctx, a.Person)
		switch {
		case err != nil:
			return err
		case !a.TOTP:
			t.say("%s has no second factor", a.Login)
		default:
			t.say("%s signs in without a second factor; all its sessions have ended", a.Login)
		}
		return nil
	})
	var scopes []string
	var name, expires string
	token := named("token", "Give a machine a token, printed once", func(ctx context.Context, c *app.City, a auth.Account) error {
		until, err := parseUntil(expires, c.Zone)
		if err != nil {
			return usagef("--expires %q is neither a date such as 2027-06-30 nor an RFC 3339 time", expires)
		}
		want := auth.NewToken{Person: a.Person, Name: name, ExpiresAt: until}
		for _, s := range scopes {
			want.Scopes = append(want.Scopes, policy.Action(s))
		}
		secret, made, err := c.Auth.CreateToken(ctx, want)
		if err == nil {
			t.say("token %s of %s may do %s until %s", made.ID, a.Login, strings.Join(scopes, ", "), until.In(c.Zone).Format(time.RFC3339))
			t.print("%s", secret)
		}
		return err
	})
	token.Flags().StringSliceVar(&scopes, "scope", nil, "actions that it may do, such as report.file")
	token.Flags().StringVar(&expires, "expires", "", "last day on which it is good, 400 days with today at most; or an RFC 3339 time")
	token.Flags().StringVar(&name, "name", "command line", "what the token is for")
	mustRequire(token, "scope")
	mustRequire(token, "expires")
	var subject string
	link := named("link", "Link an account to the person whom the city's identity provider knows by a subject", func(ctx context.Context, c *app.City, a auth.Account) error {
		err := c.Auth.LinkIdentity(ctx, a.Person, "", subject)
		if err == nil {
			t.say("%s signs in by the identity provider too", a.Login)
		}
		return err
	})
	link.Flags().StringVar(&subject, "subject", "", "the value of the claim by which the provider knows the person")
	mustRequire(link, "subject")
	unlink := named("unlink", "End the link to the identity provider, and the sessions that came of it", func(ctx context.Context, c *app.City, a auth.Account) error {
		err := c.Auth.UnlinkIdentity(ctx, a.Person)
		if err == nil {
			t.say("%s does not sign in by the identity provider", a.Login)
		}
		return err
	})
	list := inCity(&cobra.Command{Use: "list", Short: "List accounts with the posts that are held", Args: noArgs},
		func(ctx context.Context, c *app.City, _ []string) error { return t.listUsers(ctx, c) })
	return group("user", "Create and list accounts, give passwords and tokens, link, disable", create, passwd, factor, disable, enable, token, link, unlink, list)
}

// parseUntil reads a moment up to which something is good: a date is the last day of it.
func parseUntil(s string, zone *time.Location) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, s)
}

// notingLast says so where an act leaves the city to nobody. The page and the API refuse such acts; who runs the service may
// do them.
func (t *tool) notingLast(ctx context.Context, c *app.City, act func() error) error {
	before, err := c.People.Administered(ctx)
	if err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	after, err := c.People.Administered(ctx)
	if err == nil && before && !after {
		t.say("note: with that nobody administers %s: put an account into use again, or add one with gridgov user create LOGIN --city %s --name NAME --role administrator --level city",
			c.Code, c.Code)
	}
	return err
}

// newUser is what the flags of user create say.
type newUser struct {
	person, name, phone, email     string
	role, level, code, from, until string
	certificate, certificateUntil  string
	unit                           int64
}

// check tells a wrong call before anything is opened.
func (n *newUser) check() error {
	somebody := n.name != "" || n.phone != "" || n.email != ""
	place := n.level != "" || n.code != "" || n.unit != 0 || n.from != "" || n.until != "" || n.certificate != "" || n.certificateUntil != ""
	switch {
	case n.person == "" && n.name == "":
		return usagef("say --name for a new person, or --person for one who is there")
	case n.person == "" && n.role == "":
		return usagef("say --role: a new person needs a post")
	case n.person == "":
		return nil
	case somebody:
		return usagef("--name, --phone and --email are a new person's: leave them out with --person")
	case n.role == "" && place:
		return usagef("say --role: what post is meant?")
	}
	if _, err := uuid.Parse(n.person); err != nil {
		return usagef("--person %.40q is not a UUID", n.person)
	}
	return nil
}

func (n *newUser) flags(cmd *cobra.Command) {
	for _, f := range []struct {
		to          *string
		name, usage string
	}{
		{&n.person, "person", "id of somebody who is there and gets the account; in place of --name"},
		{&n.name, "name", "the new person's or machine's name"},
		{&n.phone, "phone", "the person's phone"},
		{&n.email, "email", "the person's e-mail address"},
		{&n.role, "role", "role of the post, such as administrator or grid_worker"},
		{&n.level, "level", "level of the jurisdiction that the post is for"},
		{&n.code, "code", "its code; of the level city it may be left out"},
		{&n.from, "from", "first day, such as 2026-12-01 (today)"},
		{&n.until, "until", "last day (none)"},
		{&n.certificate, "certificate", "number of an officer's certificate"},
		{&n.certificateUntil, "certificate-until", "last day on which it is good"},
	} {
		cmd.Flags().StringVar(f.to, f.name, "", f.usage)
	}
	cmd.Flags().Int64Var(&n.unit, "unit", 0, "number of the unit that the post is in")
}

func (t *tool) createUser(ctx context.Context, c *app.City, login string, n newUser) error {
	post := person.Post{Role: policy.Role(n.role), Unit: policy.UnitID(n.unit), Area: policy.Area{Level: policy.Level(n.level), Code: n.code},
		Begins: person.Day(n.from), Ends: person.Day(n.until), Certificate: n.certificate, CertificateUntil: person.Day(n.certificateUntil)}
	if post.Area.Level == policy.City && post.Area.Code == "" {
		post.Area = c.Area()
	}
	if n.person != "" {
		return t.giveAccount(ctx, c, uuid.MustParse(n.person), login, post)
	}
	who := person.New{Name: n.name, Phone: n.phone, Email: n.email, Machine: post.Role.IsMachine()}
	id, password, err := c.Auth.CreateUser(ctx, who, auth.NewAccount{Login: login}, post)
	if err != nil {
		return err
	}
	if who.Machine {
		t.say("machine %s (%s) added; give it a token with gridgov user token", login, id)
		return nil
	}
	t.say("%s (%s) added; the password is good once: it must be changed at the first sign-in", login, id)
	t.print("%s", password)
	return nil
}

// giveAccount gives an account to somebody who is there, and a post where one is named.
func (t *tool) giveAccount(ctx context.Context, c *app.City, who uuid.UUID, login string, post person.Post) error {
	var posts []person.Post
	if post.Role != "" {
		posts = append(posts, post)
	}
	p, err := c.People.Get(ctx, who, nil)
	if err != nil {
		return err
	}
	password, err := c.Auth.CreateAccount(ctx, auth.NewAccount{Person: who, Login: login}, posts...)
	if err != nil {
		return err
	}
	if password == "" {
		t.say("the machine %s has the account %s; give it a token with gridgov user token", p.Name, login)
		return nil
	}
	t.say("%s signs in as %s; the password is good once: it must be changed at the first sign-in", p.Name, login)
	t.print("%s", password)
	return nil
}

func (t *tool) listUsers(ctx context.Context, c *app.City) error {
	accounts, err := c.Auth.Accounts(ctx)
	if err != nil {
		return err
	}
	posts := map[uuid.UUID][]person.Post{}
	for q := (person.Query{Limit: 200}); ; {
		page, err := c.People.List(ctx, q)
		if err != nil {
			return err
		}
		for _, p := range page.People {
			posts[p.ID] = p.Posts
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	today := person.Day(t.now().In(c.Zone).Format(time.DateOnly))
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "LOGIN\tNAME\tSTATE\tPOSTS")
	for _, a := range accounts {
		var held []string
		for _, p := range posts[a.Person] {
			if p.Begins <= today && (p.Ends == "" || today <= p.Ends) {
				place := p.UnitName
				if p.Unit == 0 {
					place = p.Area.Code
				}
				held = append(held, fmt.Sprintf("%s %s", p.Role, place))
			}
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Login, a.Name, stateOf(a), strings.Join(held, ", "))
	}
	return w.Flush()
}

func stateOf(a auth.Account) string {
	switch {
	case a.DisabledAt != nil:
		return "disabled"
	case a.Machine:
		return "machine"
	case a.Demo:
		return "demo"
	case a.MustChange:
		return "password to be changed"
	}
	return "in use"
}

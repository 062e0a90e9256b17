package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/auth"
)

func (t *tool) settings() *cobra.Command {
	var city string
	var set []string
	cmd := &cobra.Command{
		Use: "settings", Short: "Tell a city's settings, or change some of them", Args: noArgs,
		Long: "settings tells how a city is set up, or changes what --set names; the rest stays. A change goes on record, and servers that\n" +
			"run take it up within 5 s. The settings are\n\n" +
			"  public_map          true: borders in force and the heat of whole months show without signing in\n" +
			"  resident_reports    true: residents report with a code, without an account\n" +
			"  require_totp_admin  true: administrators need a second factor, but for a demo's account, which can have none\n\n" +
			"How messages are sent has secrets, and is set on the page.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			change, err := readSettings(set)
			if err != nil {
				return err
			}
			return t.inCity(cmd.Context(), city, func(c *app.City) error {
				if len(change) > 0 {
					defer c.Announce()
					if err := c.Auth.ChangeSettings(cmd.Context(), change); err != nil {
						return err
					}
					t.cautions(cmd.Context(), c, change)
				}
				s, err := c.Auth.Settings(cmd.Context())
				if err == nil {
					t.print("public_map\t%t\nresident_reports\t%t\nrequire_totp_admin\t%t", s.PublicMap, s.ResidentReports, s.RequireTOTPAdmin)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&city, "city", "", "the city's code")
	cmd.Flags().StringArrayVar(&set, "set", nil, "SETTING=true or SETTING=false; repeat it for several")
	mustRequire(cmd, "city")
	return cmd
}

// readSettings reads what --set says.
func readSettings(set []string) (map[string]bool, error) {
	change := map[string]bool{}
	for _, s := range set {
		key, value, ok := strings.Cut(s, "=")
		switch _, twice := change[key]; {
		case !ok || value != "true" && value != "false":
			return nil, usagef("--set %.60q: say SETTING=true or SETTING=false; the settings are %s", s, strings.Join(auth.SettingKeys, ", "))
		case twice:
			return nil, usagef("--set names %.60s twice", key)
		}
		change[key] = value == "true"
	}
	return change, nil
}

// cautions tells what else a setting that was turned on needs.
func (t *tool) cautions(ctx context.Context, c *app.City, change map[string]bool) {
	if change["require_totp_admin"] && t.keys == nil {
		t.say("note: without the key file nobody can set up a second factor: put the file back first")
	}
	if change["resident_reports"] {
		if channels, err := c.Residents.Channels(ctx); err == nil && len(channels) == 0 {
			t.say("note: codes cannot be sent yet: set up SMS or e-mail on the settings page, and see that the key file is there")
		}
	}
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gridgov/internal/postgres"
)

func (t *tool) city() *cobra.Command {
	var c postgres.City
	var levels string
	create := &cobra.Command{
		Use:   "create CODE",
		Short: "Create a city: a schema with a role of its own",
		Args:  exactArgs("CODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Code = args[0]
			err := postgres.CheckCode(c.Code) // before a database is made for it
			if err != nil {
				return err
			}
			if c.Levels, err = postgres.ParseLevels(levels); err != nil {
				return &usageError{err}
			}
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			made, err := db.CreateCity(cmd.Context(), c)
			if err != nil {
				return err
			}
			t.say("city %s (%s) created; import its boundaries next", made.Code, made.Name)
			return nil
		},
	}
	create.Flags().StringVar(&c.Name, "name", "", "the city's name")
	create.Flags().StringVar(&c.Timezone, "timezone", "", "its time zone, for instance Asia/Shanghai")
	create.Flags().IntVar(&c.SRID, "srid", 0, "its projected system in metres, for instance 4549")
	create.Flags().StringVar(&levels, "levels", postgres.DefaultLevels, "roles, each with the city's own name where it has one, top first")
	for _, f := range []string{"name", "timezone", "srid"} {
		mustRequire(create, f)
	}
	list := &cobra.Command{
		Use: "list", Short: "List the cities", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			cities, err := db.Cities(cmd.Context())
			for _, c := range cities {
				_, _ = fmt.Fprintf(t.out, "%s\t%s\t%s\tEPSG:%d\t%s\n", c.Code, c.Name, c.Timezone, c.SRID, c.Levels)
			}
			return err
		},
	}
	return group("city", "Create and list cities, change a city's settings, name its identity provider", create, list, t.settings(), t.provider())
}

// mustRequire marks a flag that has been defined: it cannot fail.
func mustRequire(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagRequired(flag); err != nil {
		panic(err)
	}
}

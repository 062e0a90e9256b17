package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gridgov/internal/postgres"
)

func (t *tool) clusterOptions() postgres.ClusterOptions {
	return postgres.ClusterOptions{Dir: t.data, PGBin: envOr("PG_BIN", ""), Say: func(s string) { t.say("%s", s) }}
}

func (t *tool) db() *cobra.Command {
	private := func(run func(cmd *cobra.Command) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			if t.database != "" {
				return usagef("%s is for the private database; %s is a server of its own", cmd.CommandPath(), "--database")
			}
			return run(cmd)
		}
	}
	start := &cobra.Command{Use: "start", Short: "Start the private database and leave it running", Args: noArgs, RunE: private(func(cmd *cobra.Command) error {
		c, err := postgres.Start(cmd.Context(), t.clusterOptions())
		if err != nil {
			return err
		}
		if err := c.StayUp(); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(t.out, c.URL())
		return c.Release(cmd.Context())
	})}
	stop := &cobra.Command{Use: "stop", Short: "Stop the private database", Args: noArgs, RunE: private(func(cmd *cobra.Command) error {
		was, err := postgres.Stop(cmd.Context(), t.clusterOptions())
		if err == nil && !was {
			t.say("it was not running")
		}
		return err
	})}
	status := &cobra.Command{Use: "status", Short: "Tell where the private database lies and whether it runs", Args: noArgs, RunE: private(func(cmd *cobra.Command) error {
		s, err := postgres.Status(cmd.Context(), t.clusterOptions())
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(t.out, "folder\t%s\nrunning\t%v\nin use\t%v\nstays up\t%v\nURL\t%s\n", s.Dir, s.Running, s.InUse, s.StaysUp, s.URL)
		return nil
	})}
	return group("db", "Start, stop and ask after the private database", start, stop, status)
}

package main

import (
	"fmt"
	"time"

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
	return group("db", "Start, stop, back up and restore the database", start, stop, status, t.backup(), t.restore())
}

func (t *tool) backupOptions() postgres.BackupOptions {
	return postgres.BackupOptions{PGBin: envOr("PG_BIN", ""), At: time.Now(), Say: func(s string) { t.say("%s", s) }}
}

func (t *tool) backup() *cobra.Command {
	return &cobra.Command{Use: "backup FILE", Short: "Write the registry and all cities to a file, while work goes on", Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			m, err := db.Backup(cmd.Context(), args[0], t.backupOptions())
			if err == nil {
				t.say("%d cities in %s", len(m.Cities), args[0])
			}
			return err
		}}
}

func (t *tool) restore() *cobra.Command {
	opt := t.backupOptions()
	cmd := &cobra.Command{Use: "restore FILE", Short: "Bring back the registry and all cities from a file, whole or not at all", Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			m, err := db.Restore(cmd.Context(), args[0], opt)
			if err == nil {
				t.say("%d cities restored from %s", len(m.Cities), args[0])
			}
			return err
		}}
	cmd.Flags().BoolVar(&opt.Replace, "replace", false, "give up the cities that are there")
	return cmd
}

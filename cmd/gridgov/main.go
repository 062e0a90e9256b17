// Command gridgov is the grid governance map service: it serves the map, and imports, checks, publishes and exports what
// lies under it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/fault"
	"gridgov/internal/keyring"
)

// Exit codes, a contract: scripts depend on them.
const (
	exitOK       = 0
	exitRejected = 1 // it was done, but some rows were rejected; or it failed
	exitUsage    = 2 // called wrongly
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errRejected says that the work was done but rows were left out; they have been told already.
var errRejected = errors.New("rows were rejected")

// Run executes one command line and returns its exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{stdin: stdin, out: stdout, err: stderr, now: time.Now}
	root := t.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRejected):
		return exitRejected
	case errors.As(err, &usage):
		t.say("gridgov: %v", err)
		return exitUsage
	}
	f, ok := fault.As(err)
	switch {
	case !ok && ctx.Err() != nil:
		t.say("gridgov: interrupted; run it again to go on")
	case !ok:
		t.say("gridgov: %v", err)
	case slices.Contains(misuse, f.Code) || f.Field == "encoding":
		t.say("gridgov: %v", f)
		return exitUsage
	default:
		t.say("gridgov: %v", f)
	}
	return exitRejected
}

// misuse are the faults that lie in how a command was called and can be seen only when the database or the file is open.
var misuse = []string{
	"bad_city_code", "reserved_city_code", "bad_name", "bad_levels", "unknown_timezone", "unknown_srid", "srid_not_metric", "srid_distorts",
	"unknown_crs", "unusable_crs", "unknown_layer", "several_layers", "no_property", "no_parent_level", "several_drafts", "bad_database_url",
	"bad_login", "bad_date", "unknown_role", "unknown_scope", "no_place", "two_places", "wrong_level", "wrong_unit",
	"bad_issuer", "bad_claim", "bad_scope", "bad_subject", "unknown_setting",
}

// usageError is a command called wrongly.
type usageError struct{ error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// tool holds what all commands share.
type tool struct {
	stdin    io.Reader
	out, err io.Writer
	database string
	data     string
	keyFile  string        // "": keys in the data folder
	photos   string        // "": photos in the data folder
	keys     *keyring.Ring // set by open; nil without a key file
	json     bool
	debug    bool
	now      func() time.Time
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "gridgov",
		Short:         "Grid governance map service",
		Long:          "gridgov serves a city's grids, reports and hotspots as a live map, and keeps them in PostGIS.\nWithout --database it keeps a private PostgreSQL in the data folder.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return &usageError{err}
			}
			return nil
		},
	}
	root.PersistentFlags().StringVar(&t.database, "database", os.Getenv("GRIDGOV_DATABASE"), "URL of the owner's database (env GRIDGOV_DATABASE)")
	root.PersistentFlags().StringVar(&t.data, "data", envOr("GRIDGOV_DATA", ".gridgov"), "folder of the private database (env GRIDGOV_DATA)")
	root.PersistentFlags().StringVar(&t.keyFile, "key-file", os.Getenv("GRIDGOV_KEY_FILE"), "file of the master keys, made at the first start (env GRIDGOV_KEY_FILE; keys in the data folder)")
	root.PersistentFlags().BoolVar(&t.json, "json", false, "log as JSON")
	root.PersistentFlags().BoolVar(&t.debug, "debug", false, "log more: every request, tiles included")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
			return noArgs(cmd, args) // the flag is that of the command which was meant
		}
		return &usageError{err}
	})
	root.AddCommand(t.serve(), t.db(), t.city(), t.imports(), t.plan(), t.exports(), t.hotspot(), t.user(), t.person(), t.key(), t.audit(), t.demo(), t.bench())
	return root
}

// version is what the program was built from, as far as the build has kept it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := cmp.Or(info.Main.Version, "(devel)")
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += ", revision " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v += " with changes"
		}
	}
	return v + ", " + info.GoVersion
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q for %q; see gridgov --help", args[0], cmd.CommandPath())
	}
	return nil
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return usagef("%s needs a command; see gridgov %s --help", use, use)
	}}
	g.AddCommand(commands...)
	return g
}

// exactArgs is cobra's, as a usage error.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return usagef("%s takes %v; see --help", cmd.CommandPath(), names)
		}
		return nil
	}
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func (t *tool) logger() *slog.Logger {
	opt := &slog.HandlerOptions{Level: slog.LevelInfo}
	if t.debug {
		opt.Level = slog.LevelDebug
	}
	if t.json {
		return slog.New(slog.NewJSONHandler(t.err, opt))
	}
	return slog.New(slog.NewTextHandler(t.err, opt))
}

func (t *tool) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.err, format+"\n", args...) // a closed terminal is no reason to stop
}

// print writes a result to standard output.
func (t *tool) print(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format+"\n", args...)
}

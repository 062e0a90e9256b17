package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/coverage"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/report"
)

func (t *tool) plan() *cobra.Command {
	var city, name, from, gaps, with string
	onPlan := func(use, short string, run func(ctx context.Context, c *app.City) error) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return t.inCity(cmd.Context(), city, func(c *app.City) error { return run(cmd.Context(), c) })
		}}
		cmd.Flags().StringVar(&city, "city", "", "the city's code")
		mustRequire(cmd, "city")
		return cmd
	}
	list := onPlan("list", "List the city's boundary plans", func(ctx context.Context, c *app.City) error { return t.listPlans(ctx, c) })
	check := onPlan("check", "Check a draft: gaps, overlaps, parents, nesting", func(ctx context.Context, c *app.City) error {
		p, err := c.Plans.Check(ctx, name, gaps)
		if err != nil {
			return err
		}
		if err := t.tellFindings(ctx, c, p); err != nil {
			return err
		}
		if p.State != jurisdiction.Checked {
			return errRejected
		}
		return nil
	})
	publish := onPlan("publish", "Publish a plan, now or from a date", func(ctx context.Context, c *app.City) error {
		at, err := parseFrom(from, c.Zone)
		if err != nil {
			return err
		}
		if gaps != "" {
			if _, err := c.Plans.Check(ctx, name, gaps); err != nil {
				return err
			}
		}
		return t.publish(ctx, c, name, at)
	})
	diff := onPlan("diff", "Compare a plan with the one in force", func(ctx context.Context, c *app.City) error { return t.diffPlans(ctx, c, name, with) })
	for _, cmd := range []*cobra.Command{check, publish, diff} {
		cmd.Flags().StringVar(&name, "plan", "", "the plan's name (the only draft)")
	}
	for _, cmd := range []*cobra.Command{check, publish} {
		cmd.Flags().StringVar(&gaps, "accept-gaps", "", "the reason why gaps are meant")
	}
	publish.Flags().StringVar(&from, "from", "", "date or RFC 3339 time from which the plan is in force (now)")
	diff.Flags().StringVar(&with, "with", "", "the other plan (the one in force)")
	return group("plan", "List, check, publish and compare boundary plans", list, check, publish, diff)
}

func parseFrom(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("--from %q is neither a date such as 2026-12-01 nor an RFC 3339 time", s)
}

func (t *tool) listPlans(ctx context.Context, c *app.City) error {
	plans, err := c.Plans.Plans(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PLAN\tSTATE\tIN FORCE FROM\tREPAIRED\tWARNINGS\tREFUSED")
	for _, p := range plans {
		from := ""
		if p.InForceFrom != nil {
			from = p.InForceFrom.In(c.Zone).Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", p.Name, p.State, from, p.Findings[coverage.Repaired], p.Findings[coverage.Warning], p.Findings[coverage.Refused])
	}
	return w.Flush()
}

func (t *tool) tellFindings(ctx context.Context, c *app.City, p jurisdiction.Plan) error {
	byLevel, err := c.Plans.Findings(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, l := range c.Plans.Levels {
		for _, f := range byLevel[l.Role] {
			_, _ = fmt.Fprintf(t.out, "%s %s\n", l.Name, findingLine(f))
		}
	}
	t.say("plan %q is %s: %d repaired, %d warnings, %d refused", p.Name, p.State, p.Findings[coverage.Repaired], p.Findings[coverage.Warning], p.Findings[coverage.Refused])
	return nil
}

// publish puts a plan in force and, when that is now, places all reports under it.
func (t *tool) publish(ctx context.Context, c *app.City, name string, from time.Time) error {
	p, err := c.Plans.Publish(ctx, name, from)
	if err != nil {
		return err
	}
	c.Announce()
	t.say("plan %q is in force from %s", p.Name, p.InForceFrom.In(c.Zone).Format(time.RFC3339))
	if _, err := c.Reload(ctx); err != nil {
		return err
	}
	if l := c.State().Layout; l == nil || l.Plan.ID != p.ID {
		return nil // from a later date: the service will do it then
	}
	show, finish := t.progress("placing reports")
	r, err := c.Replace(ctx, c.State().Placer, func(r report.Replacing) {
		c.Announce()
		show(r.Done, r.Total)
	})
	finish()
	if err != nil || r.Total == 0 {
		return err
	}
	n, err := c.Reports.Count(ctx, report.Query{})
	if err == nil {
		t.say("%d of %d reports have a new answer", r.Changed, n)
	}
	return err
}

func (t *tool) diffPlans(ctx context.Context, c *app.City, name, with string) error {
	b, err := c.Plans.Plan(ctx, name)
	if err != nil {
		return err
	}
	var a jurisdiction.Plan
	if with != "" {
		if a, err = c.Plans.Plan(ctx, with); err != nil {
			return err
		}
	} else {
		var ok bool
		if a, ok, err = c.Plans.InForce(ctx); err != nil {
			return err
		} else if !ok {
			return usagef("no plan is in force: name the other one with --with")
		}
	}
	changes, err := c.Plans.Diff(ctx, a, b)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "LEVEL\tCODE\tNAME\tCHANGE\tM² IN %s\tM² IN %s\n", a.Name, b.Name)
	for _, ch := range changes {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.0f\t%.0f\n", ch.Role, ch.Code, ch.Name, ch.What, ch.AreaA, ch.AreaB)
	}
	return w.Flush()
}

package main

import (
	"bufio"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
)

func (t *tool) exports() *cobra.Command {
	var city, format string
	placements := &cobra.Command{
		Use: "placements", Short: "Write where every report lies, as CSV, to standard output", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "csv" {
				return usagef("--format is csv")
			}
			return t.inCity(cmd.Context(), city, func(c *app.City) error {
				w := bufio.NewWriterSize(t.out, 1<<20)
				n, err := c.ExportPlacements(cmd.Context(), w)
				if err == nil {
					err = w.Flush()
				}
				if err == nil {
					t.say("%d placements", n)
				}
				return err
			})
		},
	}
	placements.Flags().StringVar(&city, "city", "", "the city's code")
	placements.Flags().StringVar(&format, "format", "csv", "csv")
	mustRequire(placements, "city")
	return group("export", "Export placements", placements)
}

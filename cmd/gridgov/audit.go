package main

import (
	"encoding/hex"

	"github.com/spf13/cobra"

	"gridgov/internal/audit"
)

func (t *tool) audit() *cobra.Command {
	var city, anchorFile string
	var withoutKey int64
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Check that the record of a city's acts is whole; exit code 1 when it is not",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			var anchors []audit.Anchor
			if anchorFile != "" {
				var err error
				if anchors, err = audit.ReadAnchors(anchorFile, city); err != nil {
					return err
				}
			}
			db, done, err := t.open(ctx)
			if err != nil {
				return err
			}
			defer done()
			info, err := db.City(ctx, city)
			if err != nil {
				return err
			}
			pool, err := db.CityPool(ctx, info)
			if err != nil {
				return err
			}
			report, err := audit.Verify(ctx, pool, audit.Keys(t.keys, city), anchors...)
			if err != nil {
				return err
			}
			return t.tellAudit(report, len(anchors), withoutKey)
		},
	}
	verify.Flags().StringVar(&city, "city", "", "the city's code")
	mustRequire(verify, "city")
	verify.Flags().StringVar(&anchorFile, "anchor", "", "also compare with the heads that serve --anchor has written to this file")
	verify.Flags().Int64Var(&withoutKey, "without-key", 0, "how many acts were put on record while the key file was missing, as is known")
	return group("audit", "Check the record of acts", verify)
}

// meaning is what a fault may come from.
var meaning = map[string]string{
	audit.Altered:    "it is not what was written, or rows before it were removed or added",
	audit.Missing:    "it is not there: rows were removed, or an older state of the database was brought back",
	audit.Inserted:   "it was not written by the service, or the rows after it are newer than the chain's head",
	audit.OutOfOrder: "it and the next one have changed places",
	audit.UnknownKey: "its key is not in the key file: put the copy of the file in its place that has it",
	audit.WrongHead:  "the rows up to it are whole, but the chain's head is another: rows behind it were removed, or were once when a head was set back",
	audit.NotAnchor:  "another row was there when it was anchored: the chain was made anew, or an older state of the database was brought back",
}

// tellAudit prints what was found. Rows without a key are a fault unless it is known how many there are: who could write to
// the database can have made a whole chain of them.
func (t *tool) tellAudit(r audit.Report, anchors int, withoutKey int64) error {
	t.print("rows\t%d", r.Rows)
	if anchors > 0 {
		t.print("anchors\t%d", anchors)
	}
	t.print("head\t%d\t%s", r.Head.Seq, hex.EncodeToString(r.Head.MAC))
	for _, u := range r.Unkeyed {
		t.say("rows %d to %d were written without a key: nothing tells who wrote them", u.From, u.To)
	}
	if r.Fault != nil {
		t.say("row %d is at fault (%s): %s", r.Fault.Seq, r.Fault.What, meaning[r.Fault.What])
		return errRejected
	}
	if n := r.WithoutKey(); n != withoutKey {
		t.say("%d rows have no key, and --without-key says %d", n, withoutKey)
		return errRejected
	}
	if r.Rows == 0 && anchors == 0 {
		t.say("the record is empty: nothing was done yet, or all of it was removed together with its head, which only --anchor can tell")
		return nil
	}
	t.say("the record is whole")
	return nil
}

package investigation_test

import (
	"bytes"
	"os"
	"testing"

	"gridgov/internal/investigation"
)

// docs/investigations.md has the tables as they are.
func TestTablesArePrinted(t *testing.T) {
	var b bytes.Buffer
	investigation.Write(&b)
	doc, err := os.ReadFile("../../docs/investigations.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(doc, b.Bytes()) {
		t.Errorf("docs/investigations.md has other tables than these:\n%s", b.Bytes())
	}
}

// Every line has a reason, and nothing leads out of where it ends.
func TestTables(t *testing.T) {
	for _, d := range investigation.Decisions {
		if d.Why == "" || d.From == d.To {
			t.Errorf("%+v", d)
		}
	}
	for _, l := range investigation.Table {
		if l.Why == "" || l.Action == "" || l.From != investigation.Ordered {
			t.Errorf("%+v", l)
		}
	}
}

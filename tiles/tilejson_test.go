package tiles_test

import (
	"strings"
	"testing"

	"gridgov/tiles"
)

// Each document of a generated city says that it is, where maps show it too; none of another says so.
func TestDocumentsSayWhatIsGenerated(t *testing.T) {
	for name, document := range map[string]func(tiles.Source) tiles.Document{
		"heat": tiles.HeatDocument, "reports": tiles.ReportsDocument, "cases": tiles.CasesDocument, "jurisdictions": (&tiles.Boundaries{}).Document,
	} {
		for attribution, want := range map[string]string{"": "generated for demonstration", "outline by A": "outline by A; generated for demonstration"} {
			s := tiles.Source{City: "Haining", URL: "http://localhost/{z}/{x}/{y}", Attribution: attribution}
			if d := document(s); d.Attribution != attribution || strings.Contains(d.Description, "demonstration") {
				t.Errorf("%s, not generated: %q, %q", name, d.Description, d.Attribution)
			}
			s.Generated = true
			if d := document(s); d.Attribution != want || !strings.Contains(d.Description, "generated for demonstration") {
				t.Errorf("%s: %q, %q", name, d.Description, d.Attribution)
			}
		}
	}
}

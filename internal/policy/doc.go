package policy

import (
	"fmt"
	"io"
	"slices"
)

// Write writes the table as two tables in Markdown: each rule with its reason, and what each role may do.
func Write(w io.Writer) {
	fmt.Fprint(w, "## Rules\n\nWhat no line allows is refused. `case.act` reaches as far as any of the other actions on cases.\n\n| action | relation | roles | reason |\n|---|---|---|---|\n")
	for _, r := range Rules {
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", r.Action, relationWords[r.Relation], words(r.Roles), r.Reason)
	}
	fmt.Fprint(w, "\n## Roles\n\n**own**: what one filed; **grid**: in the post's grid; **below**: in the post's jurisdiction; **unit**: what the unit leads\nor supports; **city**: everywhere.\n\n| action |")
	all := append([]Role{Visitor, Public, Telling, SignedIn}, Roles...)
	for _, role := range all {
		fmt.Fprintf(w, " %s |", role)
	}
	fmt.Fprint(w, "\n|---|")
	for range all {
		fmt.Fprint(w, "---|")
	}
	for _, action := range Actions() {
		fmt.Fprintf(w, "\n| `%s` |", action)
		for _, role := range all {
			cell := ""
			for _, r := range byAction[action] {
				if slices.Contains(r.Roles, role) {
					if cell != "" {
						cell += ", "
					}
					cell += relationShort[r.Relation]
				}
			}
			fmt.Fprintf(w, " %s |", cell)
		}
	}
	fmt.Fprintln(w)
}

var relationWords = map[Relation]string{Own: "filed by oneself", OwnGrid: "in the post's grid", Subtree: "in the post's jurisdiction and below",
	MyUnit: "led or supported by the post's unit", InCity: "everywhere"}

var relationShort = map[Relation]string{Own: "own", OwnGrid: "grid", Subtree: "below", MyUnit: "unit", InCity: "city"}

func words(roles []Role) (s string) {
	for i, r := range roles {
		if i > 0 {
			s += ", "
		}
		s += string(r)
	}
	return s
}

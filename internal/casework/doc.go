package casework

import (
	"fmt"
	"io"
	"strings"

	"gridgov/internal/policy"
)

// Write writes the tables of a case in Markdown: the acts, the clocks, and a diagram of the states.
func Write(w io.Writer) {
	fmt.Fprint(w, "## Acts\n\nWhat no line allows is refused. Who may do an action where, [rights](rights.md) has.\n\n| act | from | to | action | carries | if | why |\n|---|---|---|---|---|---|---|\n")
	for _, t := range Table {
		to := string(t.To)
		if to == "" {
			to = "as it was"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | `%s` | %s | %s | %s |\n", t.Act, list(t.From), to, t.Action, list(t.Needs), list(t.Guards), t.Why)
	}
	fmt.Fprintf(w, "\nBeside them the service itself does `%s`: a matter that was brought here with its end, as an import brings it, begins in `%s`, "+
		"where its disposal is counted from when it was captured, and is `%s` at the time that came with it. Who settled it is not known. "+
		"It does `%s` where who published a one-stop list asked for open cases to be taken over to it: the act is theirs, and the case stays where it was.\n",
		Conclude, Disposing, Closed, Relimit)
	fmt.Fprint(w, "\n## Clocks\n\nIn other states a clock is stopped. One that runs `once` goes on, and is not started anew, when its states come again.\n\n| clock | runs in | stands still in | |\n|---|---|---|---|\n")
	for _, l := range lives {
		once := ""
		if l.once {
			once = "once"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", l.kind, list(l.runs), list(l.holds), once)
	}
	fmt.Fprint(w, "\n## States\n\nWithout `void`, which ends a case from every open state.\n\n```mermaid\nstateDiagram-v2\n    [*] --> reported\n")
	for _, t := range Table {
		if t.To == "" || t.Action == policy.CaseVoid {
			continue
		}
		for _, from := range t.From {
			fmt.Fprintf(w, "    %s --> %s: %s\n", from, t.To, t.Act)
		}
	}
	for _, s := range States {
		if !s.Open() && s != Closed {
			fmt.Fprintf(w, "    %s --> [*]\n", s)
		}
	}
	fmt.Fprint(w, "```\n")
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

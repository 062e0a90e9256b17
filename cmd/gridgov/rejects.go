package main

import (
	"cmp"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"gridgov/internal/app"
)

// rejects are the rows that an import leaves out. They are told when it is over, in the order of their lines, and
// written to the file named by --rejects: there with what they hold, so that they can be mended and imported again.
type rejects struct {
	t       *tool
	file    *os.File // nil: none is named
	made    bool     // the file was not there before
	opened  bool     // what is imported could be opened
	columns []string
	rows    []app.Reject
}

// rejectColumns come first in the file; the columns of what was imported follow.
var rejectColumns = []string{"rejected_line", "rejected_field", "rejected_code", "rejected_reason"}

// newRejects sees to it that the file can be written, and changes nothing in it.
func (t *tool) newRejects(path, input string) (*rejects, error) {
	r := &rejects{t: t}
	if path == "" {
		return r, nil
	}
	before, err := os.Stat(path)
	if err == nil && sameFile(before, input, t.stdin) {
		return nil, usagef("--rejects names the file that is imported: name another")
	}
	r.made = err != nil
	if r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return nil, usagef("--rejects: %w", err)
	}
	return r, nil
}

func sameFile(info os.FileInfo, input string, stdin io.Reader) bool {
	var other os.FileInfo
	var err error
	if f, ok := stdin.(*os.File); input == "-" && ok {
		other, err = f.Stat()
	} else {
		other, err = os.Stat(input)
	}
	return err == nil && os.SameFile(info, other)
}

// told collects what an import tells.
func (r *rejects) told() app.Told {
	return app.Told{
		Opened: func(columns []string) { r.opened, r.columns = true, columns },
		Reject: func(row app.Reject) { r.rows = append(r.rows, row) },
		Note:   func(note string) { r.t.say("note: %s", note) },
	}
}

// close ends an import that ended with err and took so many rows. Its error is err, or errRejected when rows were left out.
func (r *rejects) close(err error, taken int64) error {
	slices.SortStableFunc(r.rows, func(a, b app.Reject) int { return cmp.Compare(a.Reason.Line, b.Reason.Line) })
	r.tell(taken)
	if r.file != nil {
		if e := r.write(err); err == nil {
			err = e
		}
	}
	if err == nil && len(r.rows) > 0 {
		return errRejected
	}
	return err
}

// shownAlike is how many rows with the same fault are told.
const shownAlike = 3

func (r *rejects) tell(taken int64) {
	type kind struct{ field, code string }
	kindOf := func(row app.Reject) kind { return kind{row.Reason.Field, row.Reason.Code} }
	count, shown := map[kind]int{}, map[kind]int{}
	for _, row := range r.rows {
		count[kindOf(row)]++
	}
	alike := shownAlike
	if len(count) == 1 && taken == 0 {
		alike = 1 // no fault of a row's
	}
	hidden := false
	for _, row := range r.rows {
		k := kindOf(row)
		shown[k]++
		switch {
		case shown[k] <= alike:
			r.t.say("rejected: %v", row.Reason)
		case shown[k] == alike+1:
			hidden = true
			what := k.code
			if k.field != "" {
				what = k.field + ", " + what
			}
			r.t.say("rejected: %d more for the same reason (%s)", count[k]-alike, what)
		}
	}
	if hidden && r.file == nil {
		r.t.say("name a file with --rejects to have them all")
	}
}

// write replaces the file's content, unless the import failed before it rejected anything: then the file stays as it was.
func (r *rejects) write(failed error) error {
	if len(r.rows) == 0 && (failed != nil || !r.opened) {
		if r.made {
			_ = os.Remove(r.file.Name()) // an empty file that is left over harms nobody
		}
		return r.file.Close()
	}
	if info, err := r.file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := r.file.Truncate(0); err != nil {
			return err
		}
	}
	w := csv.NewWriter(r.file)
	_ = w.Write(r.line(rejectColumns, r.columns)) // told by Flush, as all that follow
	for _, row := range r.rows {
		_ = w.Write(r.line([]string{strconv.Itoa(row.Reason.Line), row.Reason.Field, row.Reason.Code, row.Reason.Message}, row.Fields))
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return r.file.Close()
}

// line puts a row's own fields behind ours; those that an earlier import put before them are left out.
func (r *rejects) line(ours, fields []string) []string {
	out := slices.Clone(ours)
	for i, f := range fields {
		if i < len(r.columns) && len(fields) > 1 && slices.Contains(rejectColumns, r.columns[i]) {
			continue
		}
		out = append(out, strings.ToValidUTF8(f, "\uFFFD"))
	}
	return out
}

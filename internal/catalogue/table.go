package catalogue

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"gridgov/internal/fault"
	"gridgov/internal/sheet"
	"gridgov/internal/worktime"
)

// line is an item as a table has it, with the name of its aspect.
type line struct {
	item   Item
	aspect worktime.Words
}

// column is one of the table's: its names, the first the field's, the next two those of Chinese and English tables, and how its
// text is read and written.
type column struct {
	names []string
	read  func(*line, string) error
	write func(*line) string
}

// plain is a column of text as it is.
func plain(at func(*line) *string, names ...string) column {
	return column{names, func(l *line, s string) error { *at(l) = s; return nil }, func(l *line) string { return *at(l) }}
}

var columns = []column{
	plain(func(l *line) *string { return &l.item.Code }, "code", "编号", "code", "事项编号"),
	plain(func(l *line) *string { return &l.item.Aspect }, "aspect", "类别编号", "aspect code"),
	plain(func(l *line) *string { return &l.aspect.ZH }, "aspect_name", "类别", "aspect"),
	plain(func(l *line) *string { return &l.aspect.EN }, "aspect_name_en", "类别（英文）", "aspect in English"),
	plain(func(l *line) *string { return &l.item.Name.ZH }, "name", "事项", "item", "事项名称"),
	plain(func(l *line) *string { return &l.item.Name.EN }, "name_en", "事项（英文）", "item in English"),
	plain(func(l *line) *string { return &l.item.Responders.ZH }, "responders", "责任单位", "responders"),
	plain(func(l *line) *string { return &l.item.Responders.EN }, "responders_en", "责任单位（英文）", "responders in English"),
	plain(func(l *line) *string { return &l.item.Basis }, "basis", "法律依据", "legal basis"),
	{[]string{"first", "首次响应", "first response"}, func(l *line, s string) (err error) {
		l.item.First, err = worktime.ParseBudget(s)
		return err
	}, func(l *line) string { return l.item.First.String() }},
	{[]string{"disposal", "处置时限", "disposal"}, func(l *line, s string) (err error) {
		l.item.Stages, err = ParseStages(s)
		return err
	}, func(l *line) string { return WriteStages(l.item.Stages) }},
	{[]string{"may_settle", "可自行处置", "may settle"}, func(l *line, s string) error {
		yes, known := settles[strings.ToLower(s)]
		if l.item.MaySettle = yes; !known {
			return fault.Invalid("", "unknown_value", "%.40q is neither yes (是) nor no (否)", s)
		}
		return nil
	}, func(l *line) string {
		if l.item.MaySettle {
			return "yes"
		}
		return "no"
	}},
	plain(func(l *line) *string { return &l.item.Evidence.ZH }, "evidence", "取证要求", "evidence"),
	plain(func(l *line) *string { return &l.item.Evidence.EN }, "evidence_en", "取证要求（英文）", "evidence in English"),
	plain(func(l *line) *string { return &l.item.SelfHelp.ZH }, "self_help", "网格员可做", "what a grid worker may do"),
	plain(func(l *line) *string { return &l.item.SelfHelp.EN }, "self_help_en", "网格员可做（英文）", "what a grid worker may do in English"),
	plain(func(l *line) *string { return &l.item.Whistle.ZH }, "whistle", "何时吹哨", "when to whistle"),
	plain(func(l *line) *string { return &l.item.Whistle.EN }, "whistle_en", "何时吹哨（英文）", "when to whistle in English"),
	{[]string{"least", "高频件数", "high-frequency from"}, func(l *line, s string) (err error) {
		if l.item.Least, err = strconv.Atoi(s); err != nil {
			return fault.Invalid("", "bad_number", "%.40q is no whole number of reports", s)
		}
		return checkLeast("", l.item.Least)
	}, func(l *line) string {
		if l.item.Least == 0 {
			return ""
		}
		return strconv.Itoa(l.item.Least)
	}},
}

var settles = map[string]bool{"yes": true, "是": true, "可": true, "true": true, "1": true, "no": false, "否": false, "不可": false, "false": false, "0": false}

// needed are the columns that a table cannot do without.
var needed = []string{"code", "aspect", "name", "first", "disposal"}

func columnNamed(name string) *column {
	for _, place := range []func(*column) bool{ // "aspect" is a field's name, and the heading of another in English
		func(c *column) bool { return strings.EqualFold(c.names[1], name) || slices.Contains(c.names[3:], name) },
		func(c *column) bool { return strings.EqualFold(c.names[2], name) },
		func(c *column) bool { return strings.EqualFold(c.names[0], name) },
	} {
		if i := slices.IndexFunc(columns, func(c column) bool { return place(&c) }); i >= 0 {
			return &columns[i]
		}
	}
	return nil
}

// WriteStages writes the limits of a disposal as one line: "5 wd", or where there are several "责令停工/Stop order 4 wh; 处罚/Penalty 7 wd".
// [ParseStages] reads it back, as long as the names hold neither a semicolon nor a slash: these are written as a comma and full width.
func WriteStages(stages []Stage) string {
	full := strings.NewReplacer(";", "，", "；", "，", "/", "／")
	parts := make([]string, len(stages))
	for i, s := range stages {
		name := full.Replace(s.Name.ZH)
		if s.Name.EN != "" {
			name += "/" + full.Replace(s.Name.EN)
		}
		parts[i] = strings.TrimSpace(name + " " + s.Limit.String())
	}
	return strings.Join(parts, "; ")
}

// lastLimit parts a stage into its name and its limit, which begins at the last number.
var lastLimit = regexp.MustCompile(`^(.*?)\s*((?:紧急\s*)?[0-9.]+[^0-9.]*)$`)

// ParseStages reads what WriteStages writes, also with a full-width semicolon between stages. The faults are those of
// [worktime.ParseBudget].
func ParseStages(text string) ([]Stage, error) {
	var stages []Stage
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '；' }) {
		part = strings.TrimSpace(part)
		m := lastLimit.FindStringSubmatch(part)
		if m == nil {
			return nil, fault.Invalid("", "wrong_budget", `%.40q names no limit such as "5 wd"`, part)
		}
		limit, err := worktime.ParseBudget(m[2])
		if err != nil {
			return nil, err
		}
		zh, en, _ := strings.Cut(m[1], "/")
		stages = append(stages, Stage{Name: worktime.Words{ZH: strings.TrimSpace(zh), EN: strings.TrimSpace(en)}, Limit: limit})
	}
	return stages, nil
}

// cells are the table's lines as text, the header first, in Chinese or English.
func (c *Catalogue) cells(chinese bool) [][]string {
	names := make([]string, len(columns))
	for k, col := range columns {
		if names[k] = col.names[2]; chinese {
			names[k] = col.names[1]
		}
	}
	rows := [][]string{names}
	for _, item := range c.Items {
		l := line{item: item}
		if i := slices.IndexFunc(c.Aspects, func(a Aspect) bool { return a.Code == item.Aspect }); i >= 0 {
			l.aspect = c.Aspects[i].Name
		}
		row := make([]string, len(columns))
		for k, col := range columns {
			row[k] = sheet.Guard(col.write(&l))
		}
		rows = append(rows, row)
	}
	return rows
}

// WriteCSV writes the items as a table that ReadTable reads, with the columns named in Chinese or English. It begins with a byte
// order mark, by which spreadsheets know UTF-8. The limits that are no item's are not in it.
func (c *Catalogue) WriteCSV(chinese bool) []byte {
	b := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(b)
	w.UseCRLF = true
	_ = w.WriteAll(c.cells(chinese)) // into memory
	return b.Bytes()
}

// WriteXLSX writes the same as a workbook.
func (c *Catalogue) WriteXLSX(chinese bool) ([]byte, error) {
	f := excelize.NewFile()
	for i, row := range c.cells(chinese) {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return nil, err
		}
		if err := f.SetSheetRow("Sheet1", at, &row); err != nil {
			return nil, fmt.Errorf("write a workbook: %w", err)
		}
	}
	if err := f.SetPanes("Sheet1", &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, fmt.Errorf("write a workbook: %w", err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		return nil, fmt.Errorf("write a workbook: %w", err)
	}
	return b.Bytes(), f.Close()
}

// Line is what was read of one line of a table.
type Line struct {
	Line int
	Code string
	Err  *fault.Error // nil: its item is read
}

// Read is a table, read.
type Read struct {
	Aspects []Aspect // those the items name, in the order of the table
	Items   []Item   // without the lines that have an error
	Lines   []Line
}

// ReadTable reads items from a CSV file or an XLSX workbook. Its first row names the columns, in either language or by the
// fields' names; columns may be left out but for the code, the aspect's code, the name and the limits. A line that cannot be
// taken says why; a file that cannot is a fault.
func ReadTable(ctx context.Context, file []byte) (*Read, error) {
	t, err := sheet.Read(ctx, file, sheet.Options{MaxRows: maxItems})
	if err != nil {
		return nil, err
	}
	head := make([]*column, len(t.Header))
	for i, name := range t.Header {
		c := columnNamed(name)
		switch {
		case c != nil && slices.Contains(head, c):
			return nil, fault.Invalid(c.names[0], "duplicate_column", "the header names the column %.60q twice", name).AtLine(t.Line)
		case c == nil && name != "":
			return nil, fault.Invalid("", "unknown_column", "there is no column %.60q: export the list for those there are", name).AtLine(t.Line)
		}
		head[i] = c
	}
	for _, field := range needed {
		if !slices.ContainsFunc(head, func(c *column) bool { return c != nil && c.names[0] == field }) {
			c := columns[slices.IndexFunc(columns, func(c column) bool { return c.names[0] == field })]
			return nil, fault.Invalid(field, "missing_column", "the file has no column %s (%s)", c.names[2], c.names[1]).AtLine(t.Line)
		}
	}
	out := &Read{Aspects: []Aspect{}, Items: []Item{}, Lines: make([]Line, len(t.Rows))}
	seen := map[string]bool{}
	for i, r := range t.Rows {
		l, err := lineOf(head, &r)
		if err == nil {
			err = out.add(&l, seen)
		}
		out.Lines[i] = Line{Line: r.Line, Code: l.item.Code}
		if f, ok := fault.As(err); ok {
			out.Lines[i].Err = f.AtLine(r.Line)
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lineOf reads one row's cells.
func lineOf(head []*column, r *sheet.Row) (l line, err error) {
	if r.Bad != nil {
		return l, r.Bad
	}
	for i, c := range head {
		if c == nil || i >= len(r.Cells) {
			continue
		}
		text := strings.TrimSpace(r.Cells[i])
		if text == "" {
			continue
		}
		if bad := sheet.BadText(c.names[0], text); bad != nil {
			return l, bad
		}
		if err := c.read(&l, sheet.Unguard(text)); err != nil {
			if f, ok := fault.As(err); ok {
				named := *f
				named.Field = c.names[0]
				return l, &named
			}
			return l, err
		}
	}
	return l, nil
}

// add takes a line into the list as far as it was read.
func (r *Read) add(l *line, seen map[string]bool) error {
	at := slices.IndexFunc(r.Aspects, func(a Aspect) bool { return a.Code == l.item.Aspect })
	switch {
	case at < 0:
		a := Aspect{Code: l.item.Aspect, Name: l.aspect}
		if a.Name.ZH == "" {
			a.Name.ZH = a.Code
		}
		if err := checkCode("aspect", a.Code, map[string]bool{}); err != nil {
			return err
		}
		if err := checkWords("aspect_name", a.Name, true); err != nil {
			return err
		}
		r.Aspects = append(r.Aspects, a)
	case l.aspect.ZH != "" && l.aspect.ZH != r.Aspects[at].Name.ZH:
		return fault.Invalid("aspect_name", "two_names", "the aspect %.40q is called %.40q in a line before", l.item.Aspect, r.Aspects[at].Name.ZH)
	}
	if l.item.Stages == nil {
		l.item.Stages = []Stage{}
	}
	if err := l.item.check("", map[string]bool{l.item.Aspect: true}, seen); err != nil {
		return err
	}
	r.Items = append(r.Items, l.item)
	return nil
}

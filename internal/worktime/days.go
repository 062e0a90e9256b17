package worktime

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"gridgov/internal/fault"
)

// daysHeader are the columns of a list of days; hours may be left out.
var daysHeader = []string{"date", "kind", "name", "name_en", "hours"}

// ReadDays reads a list of days that differ as CSV with the header
//
//	date,kind,name,name_en,hours
//	2024-02-04,workday,春节,Spring Festival,
//	2024-12-24,hours,平安夜,Christmas Eve,08:30-12:00 13:00-15:00
//
// in any order of columns; hours may be left out, and are separated by spaces. A byte order mark is passed over. What
// cannot be read is refused with a fault that names line and column: codes not_csv, header_missing, wrong_date,
// unknown_kind, those of hours, and too_many. Whether the days fit a calendar is New's to say.
func ReadDays(r io.Reader) ([]Day, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, daysError(err)
	}
	column := make(map[string]int, len(header))
	for i, name := range header {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, twice := column[name]; twice {
			return nil, fault.Invalid(name, "header_missing", "the column is given twice").AtLine(1)
		}
		column[name] = i
	}
	for _, name := range daysHeader[:4] {
		if _, ok := column[name]; !ok {
			return nil, fault.Invalid(name, "header_missing", "the first line names the columns %s", strings.Join(daysHeader, ",")).AtLine(1)
		}
	}
	var days []Day
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return days, nil
		}
		if err != nil {
			return nil, daysError(err)
		}
		line, _ := in.FieldPos(0)
		if len(days) == maxDays {
			return nil, fault.Invalid("", "too_many", "at most %d days are taken", maxDays).AtLine(line)
		}
		field := func(name string) string {
			if i, ok := column[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		d := Day{Kind: Kind(field("kind")), Words: Words{ZH: field("name"), EN: field("name_en")}}
		if err := d.Date.UnmarshalText([]byte(field("date"))); err != nil {
			return nil, atLine(err, "date", line)
		}
		if d.Kind != KindHoliday && d.Kind != KindWorkday && d.Kind != KindHours {
			return nil, fault.Invalid("kind", "unknown_kind", "%.40q is not a kind: holiday, workday or hours", string(d.Kind)).AtLine(line)
		}
		for _, text := range strings.Fields(field("hours")) {
			var h Hours
			if err := h.UnmarshalText([]byte(text)); err != nil {
				return nil, atLine(err, "hours", line)
			}
			d.Hours = append(d.Hours, h)
		}
		days = append(days, d)
	}
}

// WriteDays writes what ReadDays reads.
func WriteDays(w io.Writer, days []Day) error {
	out := csv.NewWriter(w)
	rows := [][]string{daysHeader}
	for _, d := range days {
		var hours []string
		for _, h := range d.Hours {
			hours = append(hours, h.String())
		}
		rows = append(rows, []string{d.Date.String(), string(d.Kind), d.ZH, d.EN, strings.Join(hours, " ")})
	}
	return out.WriteAll(rows)
}

// atLine gives a fault its place in a file.
func atLine(err error, field string, line int) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	named := f.AtLine(line)
	named.Field = field
	return named
}

// daysError says what is wrong with the CSV itself; other errors are the reader's.
func daysError(err error) error {
	if errors.Is(err, io.EOF) {
		return fault.Invalid("", "header_missing", "the list is empty; its first line names the columns %s", strings.Join(daysHeader, ","))
	}
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		return fault.Invalid("", "not_csv", "is not CSV: %s", parse.Err).AtLine(parse.Line)
	}
	return err
}

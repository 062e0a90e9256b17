package person

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/policy"
)

// MaxTable is how many bytes a table may have.
const MaxTable = 4 << 20

const (
	// maxUnzipped bounds what a workbook unpacks to; one of 5,000 full rows has 4 MiB.
	maxUnzipped = 32 << 20
	maxParts    = 200
	maxLines    = 20_000 // rows of a sheet, blank ones too
	maxCells    = 100    // of a row
)

// column is one of a table's: its names, the first being the field's, the next two the page's in Chinese and English, and
// where its text goes.
type column struct {
	names []string
	into  func(*Row) *string
	words map[string]string // what the cells may say instead of the field's own values, in lower case
	date  bool
}

var columns = []column{
	{names: []string{"id", "编号", "id"}},
	{names: []string{"name", "姓名", "name", "名称"}, into: func(r *Row) *string { return &r.Name }},
	{names: []string{"phone", "电话", "phone", "手机", "手机号", "联系电话"}, into: func(r *Row) *string { return &r.Phone }},
	{names: []string{"email", "邮箱", "e-mail", "电子邮箱"}, into: func(r *Row) *string { return &r.Email }},
	{names: []string{"role", "岗位", "role", "角色"}, into: func(r *Row) *string { return &r.Role }, words: roleWords},
	{names: []string{"unit", "单位", "unit"}, into: func(r *Row) *string { return &r.Unit }},
	{names: []string{"level", "层级", "level"}, into: func(r *Row) *string { return &r.Level }, words: levelWords},
	{names: []string{"code", "辖区代码", "jurisdiction code", "代码"}, into: func(r *Row) *string { return &r.Code }},
	{names: []string{"begins", "到任", "first day", "到任日期", "开始日期", "任职日期", "起"}, into: func(r *Row) *string { return &r.Begins }, date: true},
	{names: []string{"ends", "离任", "last day", "离任日期", "离任（最后一天）", "最后一天", "结束日期", "止"}, into: func(r *Row) *string { return &r.Ends }, date: true},
	{names: []string{"certificate", "执法证号", "certificate number", "证号"}, into: func(r *Row) *string { return &r.Certificate }},
	{names: []string{"certificate_until", "证件有效期", "certificate good until", "执法证有效期"}, into: func(r *Row) *string { return &r.CertificateUntil }, date: true},
}

var roleWords = map[string]string{"居民": "resident", "志愿者": "volunteer", "微网格长": "microgrid_leader", "网格长": "grid_leader",
	"专职网格员": "grid_worker", "网格员": "grid_worker", "辅助人员": "auxiliary", "执法队员": "officer", "单位成员": "unit_member", "单位负责人": "unit_head",
	"值班领导": "duty_leader", "村书记": "village_secretary", "驻村干部": "stationed_officer", "指挥室坐席": "desk", "指挥室负责人": "centre_head",
	"网格规划员": "planner", "执法委员会成员": "committee", "镇街领导": "town_leader", "公益律师": "pro_bono_lawyer", "调解员": "mediator",
	"管理员": "administrator", "热线": "hotline", "传感器": "sensor", "程序账号": "machine",
	"resident": "resident", "volunteer": "volunteer", "microgrid leader": "microgrid_leader", "grid leader": "grid_leader", "grid worker": "grid_worker",
	"auxiliary": "auxiliary", "enforcement officer": "officer", "unit member": "unit_member", "unit head": "unit_head", "duty leader": "duty_leader",
	"village secretary": "village_secretary", "stationed officer": "stationed_officer", "command centre desk": "desk", "command centre head": "centre_head",
	"planner": "planner", "committee member": "committee", "town leader": "town_leader", "pro bono lawyer": "pro_bono_lawyer", "mediator": "mediator",
	"administrator": "administrator", "hotline": "hotline", "sensor": "sensor", "machine account": "machine"}

var levelWords = map[string]string{"市": "city", "镇街": "town", "镇": "town", "街道": "town", "村社": "village", "村": "village", "社区": "village",
	"网格": "grid", "微网格": "microgrid", "city": "city", "town": "town", "village": "village", "grid": "grid", "microgrid": "microgrid"}

// Template is an empty table for [ReadTable], with the names that columns have on the page, in Chinese or English. It begins
// with a byte order mark, by which spreadsheets know UTF-8.
func Template(chinese bool) []byte {
	b := bytes.NewBufferString("\ufeff")
	names := make([]string, len(columns))
	for i, c := range columns {
		if names[i] = c.names[2]; chinese {
			names[i] = c.names[1]
		}
	}
	w := csv.NewWriter(b)
	w.UseCRLF = true
	_ = w.Write(names) // into memory
	w.Flush()
	return b.Bytes()
}

// ReadTable reads a CSV file (in UTF-8, UTF-16 or GB18030) or an XLSX workbook, whose first sheet counts, as rows for
// Preview and Apply. Its first row names the columns. A line that cannot be read makes a row with Bad; a file that cannot,
// or has more than MaxRows rows, is a fault.
func ReadTable(ctx context.Context, file []byte) ([]Row, error) {
	switch {
	case len(file) > MaxTable:
		return nil, fault.TooLarge("", "the file is larger than %d MiB: part it", MaxTable>>20)
	case bytes.HasPrefix(file, []byte("PK")):
		return readWorkbook(ctx, file)
	case bytes.HasPrefix(file, []byte("\xd0\xcf\x11\xe0")):
		return nil, fault.Unsupported("", "old_workbook", "this is an old or an encrypted workbook: save it as .xlsx without a password, or as CSV")
	}
	return readCSV(ctx, file)
}

// heading finds the columns by the names in a table's first row.
func heading(names []string, line int) ([]*column, error) {
	found := make([]*column, len(names))
	for i, name := range names {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		for k := range columns {
			if slices.ContainsFunc(columns[k].names, func(n string) bool { return strings.EqualFold(n, name) }) {
				if slices.Contains(found, &columns[k]) {
					return nil, fault.Invalid(columns[k].names[0], "duplicate_column", "the header names the column %.60q twice", name).AtLine(line)
				}
				found[i] = &columns[k]
			}
		}
		if found[i] == nil && name != "" {
			return nil, fault.Invalid("", "unknown_column", "there is no column %.60q: see the template for those there are", name).AtLine(line)
		}
	}
	if !slices.Contains(found, &columns[1]) {
		return nil, fault.Invalid("name", "missing_column", "the file has no column name (姓名): see the template").AtLine(line)
	}
	return found, nil
}

// rowOf reads one row's cells.
func rowOf(heading []*column, cells []string, line int) Row {
	r := Row{Line: line}
	for i, c := range heading {
		if c == nil || i >= len(cells) {
			continue
		}
		text := strings.TrimSpace(cells[i])
		switch {
		case text == "":
			continue
		case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
			r.Bad = fault.Invalid(c.names[0], "control_character", "holds a control character, or bytes that are no text: remove them")
			return r
		case strings.ContainsAny(text[:1], "=@+-") && c.names[0] != "phone":
			r.Bad = fault.Invalid(c.names[0], "formula", "begins like a formula: give the value itself")
			return r
		case c.into == nil:
			id, err := uuid.Parse(text)
			if err != nil {
				r.Bad = fault.Invalid("id", "bad_uuid", "%.40q is no person's id; leave it empty to find people by phone and name", text)
				return r
			}
			r.ID = id
			continue
		case c.date:
			text = isoDay(text)
		case c.words[strings.ToLower(text)] != "":
			text = c.words[strings.ToLower(text)]
		}
		*c.into(&r) = text
	}
	return r
}

// A date as people and spreadsheets write it: 2026/12/1, 2026.12.1, 2026年12月1日.
var datePattern = regexp.MustCompile(`^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$`)

// isoDay writes such a date as 2026-12-01; anything else stays for the rules to refuse.
func isoDay(text string) string {
	m := datePattern.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	return m[1] + "-" + ("0" + m[2])[len(m[2])-1:] + "-" + ("0" + m[3])[len(m[3])-1:]
}

func tooManyRows() error {
	return fault.TooLarge("", "the file has more than %d rows: part it", MaxRows)
}

func readCSV(ctx context.Context, file []byte) (rows []Row, err error) {
	t, err := geofile.OpenTable(ctx, "-", geofile.Options{Stdin: bytes.NewReader(file), MaxBytes: 4 * MaxTable, MaxRow: 64 << 10})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if t.Format() != "CSV" {
		return nil, fault.Unsupported("", "not_a_table", "this is %s: give a CSV file or an XLSX workbook", t.Format())
	}
	head, err := heading(t.Header(), 1)
	if err != nil {
		return nil, err
	}
	for {
		row, err := t.Next()
		var bad *geofile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.As(err, &bad):
			rows = append(rows, Row{Line: bad.Line, Bad: bad.Fault()})
		case err != nil:
			return nil, err
		case slices.ContainsFunc(row.Fields, func(f string) bool { return strings.TrimSpace(f) != "" }):
			rows = append(rows, rowOf(head, row.Fields, row.Line))
		}
		if len(rows) > MaxRows {
			return nil, tooManyRows()
		}
	}
}

// readWorkbook reads the first sheet. Cells are read as they are stored: how a date is shown is the spreadsheet's matter.
func readWorkbook(ctx context.Context, file []byte) (rows []Row, err error) {
	if err := checkZip(file); err != nil {
		return nil, err
	}
	damaged := fault.Invalid("", "damaged", "the workbook cannot be read: save it again as .xlsx, or as CSV")
	book, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, damaged // the library's words tell a user nothing
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return nil, damaged
	}
	from1904 := false
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		from1904 = *props.Date1904
	}
	lines, err := book.Rows(sheets[0])
	if err != nil {
		return nil, damaged
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	var head []*column
	for line := 1; lines.Next(); line++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cells, cellErr := lines.Columns()
		switch {
		case cellErr != nil:
			return nil, damaged
		case line > maxLines:
			return nil, tooManyRows()
		case !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }):
			continue
		case len(cells) > maxCells:
			return nil, fault.TooLarge("", "row %d has more than %d cells", line, maxCells)
		case head == nil:
			if head, err = heading(cells, line); err != nil {
				return nil, err
			}
			continue
		}
		for i, c := range head {
			if c != nil && i < len(cells) {
				cells[i] = cellText(c, cells[i], from1904)
			}
		}
		if rows = append(rows, rowOf(head, cells, line)); len(rows) > MaxRows {
			return nil, tooManyRows()
		}
	}
	if lines.Error() != nil {
		return nil, damaged
	}
	if head == nil {
		return nil, fault.Invalid("", "empty", "the first sheet is empty")
	}
	return rows, nil
}

// cellText is a stored cell as text: a number in a column of dates is a day, and long numbers lose their exponent.
func cellText(c *column, text string, from1904 bool) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || strings.HasPrefix(text, "0") {
		return text
	}
	switch {
	case c.date && n >= 1 && n < 100_000:
		if t, err := excelize.ExcelDateToTime(n, from1904); err == nil {
			return t.Format(time.DateOnly)
		}
	case !c.date && strings.ContainsAny(text, "eE") && n == math.Trunc(n) && math.Abs(n) < 1e18:
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return text
}

// checkZip looks at an archive's directory before anything is unpacked.
func checkZip(file []byte) *fault.Error {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return fault.Invalid("", "damaged", "the workbook cannot be read: save it again as .xlsx, or as CSV")
	}
	var total uint64
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return fault.Unsupported("", "old_workbook", "this is an old or an encrypted workbook: save it as .xlsx without a password, or as CSV")
		}
		if total += min(f.UncompressedSize64, maxUnzipped+1); total > maxUnzipped || len(z.File) > maxParts {
			return fault.TooLarge("", "the workbook unpacks to more than %d MiB: save the table alone, or as CSV", maxUnzipped>>20)
		}
	}
	if !slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "[Content_Types].xml" }) {
		return fault.Unsupported("", "not_a_table", "this archive is no XLSX workbook")
	}
	return nil
}

// RoleWords gives the words that a table may have for each role, in no order.
func RoleWords() map[policy.Role][]string {
	out := map[policy.Role][]string{}
	for word, role := range roleWords {
		out[policy.Role(role)] = append(out[policy.Role(role)], word)
	}
	return out
}

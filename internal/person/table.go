package person

import (
	"bytes"
	"context"
	"encoding/csv"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/sheet"
)

// MaxTable is how many bytes a table may have.
const MaxTable = sheet.MaxBytes

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
	t, err := sheet.Read(ctx, file, sheet.Options{MaxRows: MaxRows, Dates: func(names []string) []bool {
		dates := make([]bool, len(names))
		for i, name := range names {
			c := columnNamed(name)
			dates[i] = c != nil && c.date
		}
		return dates
	}})
	if err != nil {
		return nil, err
	}
	head, err := heading(t.Header, t.Line)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(t.Rows))
	for i, r := range t.Rows {
		if rows[i] = (Row{Line: r.Line, Bad: r.Bad}); r.Bad == nil {
			rows[i] = rowOf(head, r.Cells, r.Line)
		}
	}
	return rows, nil
}

func columnNamed(name string) *column {
	for k := range columns {
		if slices.ContainsFunc(columns[k].names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return &columns[k]
		}
	}
	return nil
}

// heading finds the columns by the names in a table's first row.
func heading(names []string, line int) ([]*column, error) {
	found := make([]*column, len(names))
	for i, name := range names {
		c := columnNamed(name)
		switch {
		case c != nil && slices.Contains(found, c):
			return nil, fault.Invalid(c.names[0], "duplicate_column", "the header names the column %.60q twice", name).AtLine(line)
		case c != nil:
			found[i] = c
		case name != "":
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
		bad := sheet.BadText(c.names[0], text)
		switch {
		case text == "":
			continue
		case bad != nil && (bad.Code != "formula" || c.names[0] != "phone"):
			r.Bad = bad
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

// RoleWords gives the words that a table may have for each role, in no order.
func RoleWords() map[policy.Role][]string {
	out := map[policy.Role][]string{}
	for word, role := range roleWords {
		out[policy.Role(role)] = append(out[policy.Role(role)], word)
	}
	return out
}

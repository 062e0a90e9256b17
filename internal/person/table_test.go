package person_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

const chinese = "姓名,手机,岗位,层级,辖区代码,开始日期,执法证号\n王芳,13800000001,专职网格员,网格,330481101200001,2026/12/1,\n李军,,执法队员,,,2026年1月9日,33-1\n"

func workbook(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func setRow(t *testing.T, f *excelize.File, row int, cells ...any) {
	t.Helper()
	if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", row), &cells); err != nil {
		t.Fatal(err)
	}
}

func TestTablesInChineseAreRead(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(chinese)
	if err != nil {
		t.Fatal(err)
	}
	book := workbook(t, func(f *excelize.File) {
		setRow(t, f, 1, "姓名", "手机", "岗位", "层级", "辖区代码", "开始日期", "执法证号")
		setRow(t, f, 2, "王芳", 13800000001, "专职网格员", "网格", 330481101200001, 46357) // a day as spreadsheets keep it
		setRow(t, f, 4, "李军", nil, "执法队员", nil, nil, "2026年1月9日", "33-1")
	})
	for name, file := range map[string][]byte{"UTF-8": []byte(chinese), "with a mark": []byte("\ufeff" + chinese), "GBK": []byte(gbk),
		"Windows lines": []byte(strings.ReplaceAll(chinese, "\n", "\r\n")), "a workbook": book} {
		rows, err := person.ReadTable(t.Context(), file)
		if err != nil || len(rows) != 2 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
			continue
		}
		a, b := rows[0], rows[1]
		if a.Name != "王芳" || a.Phone != "13800000001" || a.Role != "grid_worker" || a.Level != "grid" || a.Code != "330481101200001" || a.Begins != "2026-12-01" || a.Line != 2 {
			t.Errorf("%s: %+v", name, a)
		}
		if b.Name != "李军" || b.Role != "officer" || b.Begins != "2026-01-09" || b.Certificate != "33-1" || b.Bad != nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
	for _, zh := range []bool{true, false} {
		if rows, err := person.ReadTable(t.Context(), person.Template(zh)); err != nil || len(rows) != 0 {
			t.Errorf("the template: %d rows, %v", len(rows), err)
		}
	}
}

// archive holds parts of so many zero bytes each.
func archive(t *testing.T, size int, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range parts {
		w, err := z.Create(part)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTablesThatAreRefused(t *testing.T) {
	many := "name\n" + strings.Repeat("王芳\n", person.MaxRows+1)
	sheet := func(fill func(f *excelize.File)) []byte { return workbook(t, fill) }
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"no name":             {[]byte("phone\n138\n"), "missing_column"},
		"an unknown column":   {[]byte("name,role,salary\n王芳,desk,1\n"), "unknown_column"},
		"a column twice":      {[]byte("name,姓名\na,b\n"), "duplicate_column"},
		"too many rows":       {[]byte(many), "too_large"},
		"too many bytes":      {[]byte("name\n" + strings.Repeat("x", person.MaxTable)), "too_large"},
		"JSON":                {[]byte(`{"type":"FeatureCollection","features":[]}`), "not_a_table"},
		"an old workbook":     {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "old_workbook"},
		"half a workbook":     {sheet(func(*excelize.File) {})[:1000], "damaged"},
		"an empty workbook":   {sheet(func(*excelize.File) {}), "empty"},
		"another archive":     {archive(t, 10, "a.txt"), "not_a_table"},
		"a bomb":              {archive(t, 40<<20, "[Content_Types].xml", "xl/worksheets/sheet1.xml"), "too_large"},
		"a broken sheet":      {archive(t, 10, "[Content_Types].xml", "xl/worksheets/sheet1.xml"), "damaged"},
		"a row at the bottom": {sheet(func(f *excelize.File) { setRow(t, f, 1, "name"); setRow(t, f, 1_000_000, "王芳") }), "too_large"},
		"a wide row": {sheet(func(f *excelize.File) {
			setRow(t, f, 1, "name")
			setRow(t, f, 2, make([]any, 101)...)
			_ = f.SetCellStr("Sheet1", "ZZ2", "x")
		}), "too_large"},
	} {
		rows, err := person.ReadTable(t.Context(), c.file)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != c.code {
			t.Errorf("%s: %d rows, %v, want %s", name, len(rows), err, c.code)
		}
	}
}

// A cell that a spreadsheet would work out is a fault of its row; the rest of the table is read.
func TestCellsThatAreRefused(t *testing.T) {
	rows, err := person.ReadTable(t.Context(), []byte("id,name,phone\n,=1+1,\n,@SUM(A1),\n,-2,\n1,王芳,\n,王芳,+8613800000001\n,王芳\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		code := ""
		if r.Bad != nil {
			code = r.Bad.Code
		}
		got = append(got, code)
	}
	if want := "formula formula formula bad_uuid  wrong_field_count"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", strings.Join(got, " "), want)
	}
	book := workbook(t, func(f *excelize.File) {
		setRow(t, f, 1, "name", "unit")
		setRow(t, f, 2, "王芳", "=HYPERLINK(\"http://evil.example\")")
		setRow(t, f, 3, "王_x0000_芳", "x")
	})
	rows, err = person.ReadTable(t.Context(), book)
	if err != nil || len(rows) != 2 || rows[0].Bad == nil || rows[0].Bad.Code != "formula" || rows[1].Bad == nil || rows[1].Bad.Code != "control_character" {
		t.Errorf("%+v, %v", rows, err)
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add([]byte(chinese))
	f.Add(person.Template(true))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("name,begins\n\"a\nb\",2026-1-1\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := person.ReadTable(t.Context(), file)
		if err != nil && rows != nil {
			t.Errorf("rows and %v", err)
		}
		if len(rows) > person.MaxRows {
			t.Errorf("%d rows", len(rows))
		}
	})
}

// page gives a section of the page's words, by key.
func page(t *testing.T, file, section string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../frontend/src/shared/i18n/" + file + ".ts")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)\n  ` + section + `: \{\n(.*?)\n  \},`).FindSubmatch(text)
	if block == nil {
		t.Fatalf("%s has no words for %s", file, section)
	}
	words := map[string]string{}
	for _, m := range regexp.MustCompile(`\n?    (\w+): '([^']+)'`).FindAllSubmatch(block[1], -1) {
		words[string(m[1])] = string(m[2])
	}
	return words
}

// The words for roles in a table are those of the page.
func TestRoleWordsAreThePages(t *testing.T) {
	words := person.RoleWords()
	for _, lang := range []string{"zh", "en"} {
		shown := page(t, "base."+lang, "role")
		for _, role := range policy.Roles {
			if word := strings.ToLower(shown[string(role)]); word == "" || !slices.Contains(words[role], word) {
				t.Errorf("%s: %s is %q on the page and %q in tables", lang, role, word, words[role])
			}
		}
	}
}

// What the page calls a field heads its column, in the template and in tables that somebody has made from what the page says.
func TestColumnsAreCalledAsOnThePage(t *testing.T) {
	fields := []string{"id", "name", "phone", "email", "role", "unit", "level", "code", "begins", "ends", "certificate", "certificate_until"}
	for _, lang := range []string{"zh", "en"} {
		shown := page(t, "admin."+lang, "field")
		heads := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(person.Template(lang == "zh")), "\ufeff")), ",")
		if len(heads) != len(fields) {
			t.Fatalf("the template has %d columns, there are %d fields: %s", len(heads), len(fields), heads)
		}
		for i, field := range fields {
			if heads[i] != shown[field] {
				t.Errorf("%s: %s is %q on the page and %q in the template", lang, field, shown[field], heads[i])
			}
		}
		labels := page(t, "admin."+lang, "post")
		table := "name," + labels["role"] + "," + labels["unit"] + "," + labels["begins"] + "," + labels["ends"] + "," + labels["certificate"] + "," +
			labels["certificateUntil"] + "\n李军," + page(t, "base."+lang, "role")["officer"] + ",7,2026-12-01,2027-01-31,33-1,2027/6/30\n"
		if lang == "zh" {
			table = strings.Replace(table, "name", "姓名", 1)
		}
		want := person.Row{Line: 2, Name: "李军", Role: "officer", Unit: "7", Begins: "2026-12-01", Ends: "2027-01-31", Certificate: "33-1", CertificateUntil: "2027-06-30"}
		rows, err := person.ReadTable(t.Context(), []byte(table))
		if err != nil || len(rows) != 1 || rows[0] != want {
			t.Errorf("%s: %+v, %v", lang, rows, err)
		}
	}
}

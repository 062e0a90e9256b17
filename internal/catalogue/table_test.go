package catalogue_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/soak"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

// What is exported is imported as it was, as CSV and as a workbook, with the columns in either language.
func TestTableRoundTrip(t *testing.T) {
	list := catalogue.Default()
	list.Items[2].Least = 30
	want, err := json.Marshal(list.Items)
	if err != nil {
		t.Fatal(err)
	}
	for _, chinese := range []bool{true, false} {
		book, err := list.WriteXLSX(chinese)
		if err != nil {
			t.Fatal(err)
		}
		for name, file := range map[string][]byte{"CSV": list.WriteCSV(chinese), "XLSX": book} {
			read, err := catalogue.ReadTable(t.Context(), file)
			if err != nil {
				t.Fatalf("%s, Chinese %v: %v", name, chinese, err)
			}
			for _, l := range read.Lines {
				if l.Err != nil {
					t.Errorf("%s: %v", name, l.Err)
				}
			}
			got, err := json.Marshal(read.Items)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, Chinese %v: %s, %v, want %s", name, chinese, got, err, want)
			}
			if a, b := marshal(t, read.Aspects), marshal(t, list.Aspects); a != b {
				t.Errorf("%s: aspects %s, want %s", name, a, b)
			}
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStagesAreWrittenAndRead(t *testing.T) {
	for text, want := range map[string]string{
		"5 wd": "5 wd", "紧急 3 小时": "3 ch", "责令停工/Stop order 4 wh； 处罚/Penalty 7 工作日": "责令停工/Stop order 4 wh; 处罚/Penalty 7 wd",
		"stop 4 wh; penalty 7 wd": "stop 4 wh; penalty 7 wd", "第2步 0.5 wd": "第2步 0.5 wd", "停工紧急 3 小时": "停工 3 ch",
	} {
		stages, err := catalogue.ParseStages(text)
		if got := catalogue.WriteStages(stages); err != nil || got != want {
			t.Errorf("%q is read as %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"soon", "4", "4 fortnights", "stop 4 wh; penalty"} {
		if got, err := catalogue.ParseStages(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[\p{Han}a-z]{1,8}( [a-z]{1,5})?`)
		stages := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) catalogue.Stage {
			return catalogue.Stage{Name: worktime.Words{ZH: name.Draw(t, "zh"), EN: name.Draw(t, "en")}, Limit: worktime.WorkHours(rapid.IntRange(1, 400).Draw(t, "hours"))}
		}), 1, 6).Draw(t, "stages")
		for i := range stages {
			if strings.HasSuffix(stages[i].Name.EN, "紧急") {
				stages[i].Name.EN += "的"
			}
		}
		got, err := catalogue.ParseStages(catalogue.WriteStages(stages))
		if err != nil || len(got) != len(stages) {
			t.Fatalf("%+v, %v", got, err)
		}
		for i := range got {
			if got[i] != stages[i] {
				t.Fatalf("%+v is read as %+v", stages[i], got[i])
			}
		}
	})
}

func TestTablesAreRefusedByNameAndLine(t *testing.T) {
	const head = "编号,类别编号,类别,事项,首次响应,处置时限,高频件数\n"
	for file, want := range map[string]string{
		"编号,颜色\n1,红\n": "unknown_column", "编号,code\n1,2\n": "duplicate_column", "编号,类别编号,事项,首次响应\n": "missing_column", "{}": "",
	} {
		_, err := catalogue.ReadTable(t.Context(), []byte(file))
		if f, ok := fault.As(err); !ok || want != "" && f.Code != want {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
	read, err := catalogue.ReadTable(t.Context(), []byte(head+
		"01,A,生态,焚烧,30 min,4 ch,\n"+
		"01,A,生态,焚烧,30 min,4 ch,\n"+ // twice
		"02,A,别的,倾倒,2 wh,5 wd,\n"+ // another name of A
		"03,A,,油烟,soon,5 wd,\n"+
		"04,A,,垃圾,2 wh,,\n"+
		"05,,,犬,2 wh,1 wd,\n"+
		"06,B,养犬,=1+1,2 wh,1 wd,\n"+
		"07,B,养犬,伤人,30 分钟,处置/Handle 1 工作日,15\n"+
		"08,B,养犬,吠叫,30 min,1 wd,many\n"+
		"09,B,养犬,无证,30 min,1 wd,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "code duplicate_code", "aspect_name two_names", "first wrong_budget", "stages limit_missing", "aspect bad_code", "name formula", "", "least bad_number", "least out_of_range"}
	for i, l := range read.Lines {
		got := ""
		if l.Err != nil {
			got = l.Err.Field + " " + l.Err.Code
			if l.Err.Line != i+2 {
				t.Errorf("line %d is called %d", i+2, l.Err.Line)
			}
		}
		if got != want[i] {
			t.Errorf("line %d: %q, want %q", i+2, got, want[i])
		}
	}
	if len(read.Items) != 2 || len(read.Aspects) != 2 || read.Items[1].First.String() != "30 min" || read.Items[1].Least != 15 {
		t.Errorf("%+v", read)
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add(catalogue.Default().WriteCSV(true))
	f.Add([]byte("code,aspect code,item,first response,disposal\n1,A,x,1 wh,a 1 wh; b 2 wd\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		read, err := catalogue.ReadTable(t.Context(), file)
		if err != nil {
			return
		}
		for _, i := range read.Items {
			if i.Code == "" || len(i.Stages) == 0 || i.First.IsZero() {
				t.Fatalf("an item without code or limits: %+v", i)
			}
		}
	})
}

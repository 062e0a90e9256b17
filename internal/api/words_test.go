package api_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gridgov/internal/casework"
	"gridgov/internal/investigation"
	"gridgov/internal/policy"
)

// source gives the code without its tests, by path below internal.
func source(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wordsOf gives the keys of a section of the page's words, as act or audit.kind, which have to be the same in both languages.
func wordsOf(t *testing.T, section string) []string {
	t.Helper()
	var keys [2][]string
	for i, lang := range []string{"zh", "en"} {
		text, err := os.ReadFile("../../frontend/src/shared/i18n/admin." + lang + ".ts")
		if err != nil {
			t.Fatal(err)
		}
		block, indent := string(text), "  "
		for _, part := range strings.Split(section, ".") {
			_, rest, begins := strings.Cut(block, "\n"+indent+part+": {\n")
			inner, _, ends := strings.Cut("\n"+rest, "\n"+indent+"},")
			if block = inner; !begins || !ends {
				t.Fatalf("%s: there is no section %s", lang, section)
			}
			indent += "  "
		}
		for _, m := range regexp.MustCompile(`(?m)^`+indent+`(\w+):`).FindAllStringSubmatch(block, -1) {
			keys[i] = append(keys[i], m[1])
		}
		slices.Sort(keys[i])
	}
	if len(keys[0]) == 0 || !slices.Equal(keys[0], keys[1]) {
		t.Fatalf("%s: %v in Chinese, %v in English", section, keys[0], keys[1])
	}
	return keys[0]
}

// same holds what the code has against what the page has words for.
func same(t *testing.T, section string, code map[string]bool) {
	t.Helper()
	has := wordsOf(t, section)
	for _, key := range slices.Sorted(maps.Keys(code)) {
		if !slices.Contains(has, key) {
			t.Errorf("no words for %s.%s", section, key)
		}
	}
	for _, key := range has {
		if !code[key] {
			t.Errorf("%s.%s: words for what the code does not know", section, key)
		}
	}
}

// Every act that the code puts on record has words on the page, and so has every action, by which a person's rights are told.
func TestActsHaveWords(t *testing.T) {
	acts, actions := map[string]bool{}, map[string]bool{}
	call := regexp.MustCompile(`(?:\brecord\(|Act:\s*|changePost\([^\n]*|dropTOTP\([^\n]*|\bs\.append\([^\n"]*)"([a-z_]+)\.([a-z_.]+)"`)
	for _, text := range source(t) {
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			acts[m[1]+"_"+strings.ReplaceAll(m[2], ".", "_")] = true
		}
	}
	for _, line := range casework.Table { // their records are made in one place
		acts["case_"+string(line.Act)] = true
	}
	acts["case_"+string(casework.GatherParts)], acts["case_"+string(casework.EndWith)] = true, true
	for _, d := range investigation.Decisions { // likewise
		if d.Action != "" {
			acts["proposal_"+string(d.Act)] = true
		}
	}
	for _, line := range investigation.Table {
		acts["investigation_"+string(line.Act)] = true
	}
	if len(acts) < 30 || !acts["post_end"] || !acts["totp_reset"] || !acts["audit_export"] || !acts["report_unmask"] {
		t.Fatalf("only %d acts were found: %v", len(acts), acts)
	}
	for _, action := range policy.Actions() {
		actions[strings.ReplaceAll(string(action), ".", "_")] = true
	}
	same(t, "act", acts)
	same(t, "action", actions)
}

// Whatever an act is done to is told in words: its kind, and which setting.
func TestSubjectsHaveWords(t *testing.T) {
	kinds, settings := map[string]bool{}, map[string]bool{}
	record := regexp.MustCompile(`audit\.Record\{+\s*Act: [^,]+, Subject: ([^,}\n]+)`)
	literal := regexp.MustCompile(`^(?:fmt\.Sprintf\()?"([a-z]+)[:"]`)
	// What makes a subject of an id, and a record of a subject that is handed on.
	made := regexp.MustCompile(`(?m)^func (?:\(\w+ \w+\) )?(?:subject|subjectOf|subjectOfUnit)\([^)]*\) string \{[^}]*`)
	named := regexp.MustCompile(`"([a-z]+):`)
	handed := regexp.MustCompile(`^(?:subject|subjectOf\(\w+\)|subject\(\w+\)|[\w.]+\.subject\(\))$`)
	for path, text := range source(t) {
		for _, m := range record.FindAllStringSubmatch(text, -1) {
			if kind := literal.FindStringSubmatch(m[1]); kind != nil {
				kinds[kind[1]] = true
			} else if !handed.MatchString(m[1]) {
				t.Errorf("%s: what kind of subject is %s?", path, m[1])
			}
		}
		for _, f := range made.FindAllString(text, -1) {
			for _, m := range named.FindAllStringSubmatch(f, -1) {
				kinds[m[1]] = true
			}
		}
		for _, m := range regexp.MustCompile(`"setting:(\w*)"`).FindAllStringSubmatch(text, -1) {
			if m[1] != "" {
				settings[m[1]] = true
				continue
			}
			keys := map[string]string{"auth/setting.go": `"(\w+)": set\.`, "message/setting.go": `key(?:SMTP|SMS)\s+= "(\w+)"`}[path]
			if keys == "" {
				t.Errorf("%s: which settings does it change?", path)
				continue
			}
			for _, m := range regexp.MustCompile(keys).FindAllStringSubmatch(text, -1) {
				settings[m[1]] = true
			}
		}
	}
	if !kinds["contact"] || !kinds["account"] || !kinds["unit"] || len(settings) < 6 {
		t.Fatalf("too few were found: %v, %v", kinds, settings)
	}
	same(t, "audit.kind", kinds)
	same(t, "audit.setting", settings)
}

// Whatever may be wrong with the settings of messages, the page says what it is and what to do.
func TestRefusedMessageSettingsHaveWords(t *testing.T) {
	page, err := os.ReadFile("../../frontend/src/admin/messages.ts")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]bool{}
	refused := regexp.MustCompile(`fault\.Invalid\("((?:smtp|sms)\.\w*)"(\+f\.name)?, "(\w+)"`)
	each := regexp.MustCompile(`\{"(\w+)", s\.\w+\}`)
	for _, text := range source(t) {
		for _, m := range refused.FindAllStringSubmatch(text, -1) {
			if m[2] == "" {
				code[m[1]+" "+m[3]] = true
				continue
			}
			for _, f := range each.FindAllStringSubmatch(text, -1) {
				code[m[1]+f[1]+" "+m[3]] = true
			}
		}
	}
	if len(code) < 15 || !code["smtp.password bad_text"] || !code["sms.headers required"] {
		t.Fatalf("too few were found: %v", code)
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`'((?:smtp|sms)\.\w+ \w+)':`).FindAllStringSubmatch(string(page), -1) {
		told[m[1]] = true
	}
	if !maps.Equal(code, told) {
		t.Errorf("the code refuses %v, the page has words for %v", slices.Sorted(maps.Keys(code)), slices.Sorted(maps.Keys(told)))
	}
}

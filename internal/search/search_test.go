package search_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/search"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// plain tells whether a text has a term, by a scan of it: as it stands, at the borders of words, whatever separates them.
func plain(text, term string) bool {
	clean := func(s string) string {
		s = strings.ToLower(norm.NFKC.String(s))
		return strings.TrimSpace(regexp.MustCompile(`[^\p{L}\p{N}\p{M}]+`).ReplaceAllString(s, " "))
	}
	begins := strings.HasSuffix(norm.NFKC.String(term), "*")
	text, term = clean(text), clean(term)
	if term == "" {
		return true
	}
	han := func(r rune) bool {
		return regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}]`).MatchString(string(r))
	}
	isWord := func(r rune) bool { return r != ' ' && !han(r) }
	for at := 0; at <= len(text); at++ {
		if !strings.HasPrefix(text[at:], term) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(term):])
		first, _ := utf8.DecodeRuneInString(term)
		last, _ := utf8.DecodeLastRuneInString(term)
		if at > 0 && isWord(before) && isWord(first) || at+len(term) < len(text) && isWord(after) && isWord(last) && !begins {
			continue
		}
		return true
	}
	return false
}

// What PostgreSQL finds by the words is what a scan of the texts finds: Han by any part, other words whole, in any of several texts but
// not from one into the next.
func TestFoundAsByAScan(t *testing.T) {
	db := pgtest.New(t)
	letter := rapid.SampledFrom([]rune("墙面张贴小广告墙墙楼AbＡｂ12３ 　，。-*'\\:|&!<>()éあア々🙂\n"))
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOfN(letter, 0, 12, -1), 1, 3).Draw(t, "texts")
		query := rapid.StringOfN(letter, 1, 5, -1).Draw(t, "query")
		if of := texts[0]; rapid.Bool().Draw(t, "a part of it") && of != "" {
			runes := []rune(of)
			from := rapid.IntRange(0, len(runes)-1).Draw(t, "from")
			query = string(runes[from:rapid.IntRange(from+1, len(runes)).Draw(t, "to")])
		}
		var w search.Words
		for _, text := range texts {
			w.Add(search.Told, text)
		}
		q, trouble := search.Parse(query, nil)
		want, asked := true, false
		for _, term := range strings.Fields(norm.NFKC.String(query)) {
			has := false
			for _, text := range texts {
				has = has || plain(text, term)
			}
			want = want && has
			asked = asked || !plain("", term)
		}
		if (trouble == search.NoWords) == asked || trouble != "" && trouble != search.NoWords {
			t.Fatalf("%q: %q", query, trouble)
		}
		if trouble != "" {
			return
		}
		for _, tc := range []struct {
			as   []search.Weight
			want bool
		}{{nil, want}, {[]search.Weight{search.Told, search.Coded}, want}, {[]search.Weight{search.Coded}, false}, {[]search.Weight{search.Worked}, false}} {
			var got bool
			if err := db.QueryRow(t.Context(), `SELECT $1::text::tsvector @@ $2::text::tsquery`, w.String(), q.TSQuery(tc.as...)).Scan(&got); err != nil {
				t.Fatalf("%q in %q: %v (%s @@ %s)", query, texts, err, w.String(), q.TSQuery(tc.as...))
			}
			if got != tc.want {
				t.Fatalf("%q in %q as %s: found %v, want %v (%s @@ %s)", query, texts, tc.as, got, tc.want, w.String(), q.TSQuery(tc.as...))
			}
		}
	})
}

// What cannot be looked for is told; nothing that somebody types is an operator.
func TestHostileQueries(t *testing.T) {
	for query, want := range map[string]search.Trouble{
		"": search.NoWords, "& | ! <->": search.NoWords, "🙂": search.NoWords, "\x00": search.BadText, "a\x00b": search.BadText, "a\x1bb": search.BadText,
		"\xff\xfe": search.BadText, strings.Repeat("字", 201): search.TooLong, strings.Repeat("x", 10_000): search.TooLong,
		strings.Repeat("a ", 17): search.TooMany, "a & b": "", "':* | '": search.NoWords, "x' | 'y": "", `a\`: "", "楼": "", strings.Repeat("字", 200): "",
	} {
		if _, got := search.Parse(query, nil); got != want {
			t.Errorf("%.40q: %q, want %q", query, got, want)
		}
	}
}

// FuzzQueries: whatever is written into reports and looked for, PostgreSQL reads both.
func FuzzQueries(f *testing.F) {
	for _, s := range []string{"墙面张贴小广告", "x' | 'y", `\'`, "a*", "#12-3", "楼*", "\u0345", "İ", "ﷺ"} {
		f.Add(s, s)
	}
	db := pgtest.New(f)
	f.Fuzz(func(t *testing.T, text, query string) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return // not kept
		}
		var w search.Words
		w.Number(12)
		w.Item(strings.Map(func(r rune) rune { return max(r, ' ') }, query[:min(len(query), 8)]))
		w.Add(search.Told, text)
		w.Add(search.Worked, text)
		q, trouble := search.Parse(query, nil)
		if trouble != "" || !utf8.ValidString(w.String()) {
			return
		}
		var found bool
		if err := db.QueryRow(t.Context(), `SELECT $1::text::tsvector @@ $2::text::tsquery`, w.String(), q.TSQuery(search.Told)).Scan(&found); err != nil {
			t.Errorf("%q, %q: %v", w.String(), q.TSQuery(search.Told), err)
		}
	})
}

// Numbers and items are found by how people name them.
func TestNumbersAndItems(t *testing.T) {
	db := pgtest.New(t)
	var w search.Words
	w.Number(1234)
	w.Item("it's")
	w.Add(search.Told, "第 12 号楼下")
	items := []search.Item{{Code: "it's", Name: "流动摊贩", NameEN: "Street vendors"}, {Code: "02", Name: "违法建设", NameEN: "Illegal building"}}
	for query, want := range map[string]bool{
		"1234": true, "#1234": true, "1234-2": true, "１２３４": true, "12": true, "123": false, "#12": true, "1234-x": false, "摊贩": true, "vendors": true, "STREET": true,
		"it's": true, "贩": false, "违法": false, "02": false, "摊贩 楼下": true, "摊贩 楼上": false, "1234 流动": true, "号": true, "楼*": true,
	} {
		q, trouble := search.Parse(query, items)
		var got bool
		if err := db.QueryRow(t.Context(), `SELECT $1::text::tsvector @@ $2::text::tsquery`, w.String(), q.TSQuery()).Scan(&got); err != nil || trouble != "" {
			t.Fatal(query, trouble, err)
		}
		if got != want {
			t.Errorf("%s: %v (%s @@ %s)", query, got, w.String(), q.TSQuery())
		}
	}
}

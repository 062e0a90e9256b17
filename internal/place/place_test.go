package place_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/place"
)

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"  褚 石 村 ": "褚石村",
		"ＰＩＴＴＳ　Ｐｌａｃｅ，ＳＥ":        "pitts pl se",
		"2350 PITTS PLACE SE":   "2350 pitts pl se",
		"2350 Pitts Pl. S.E.":   "2350 pitts pl s e",
		"60 L STREET NE":        "60 l st ne",
		"60 L St. Northeast":    "60 l st ne",
		"Saint Élizabeths Ave.": "st elizabeths ave",
		"O'Brien’s Court":       "obriens ct",
		"长安镇１２－３号":              "长安镇12 3号",
		"长安镇 (褚石村)":             "长安镇褚石村",
		"硖石街道Main Street 5":     "硖石街道main st 5",
		"\xff\xfe!?":            "",
		"②组":                    "2组",
	} {
		if got := place.Normalise(in); got != want {
			t.Errorf("Normalise(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormaliseIsItsOwnNormalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := place.Normalise(rapid.OneOf(rapid.String(), rapid.StringMatching(`[Ａ-Ｚa-zÉ ,.村镇街道0-9①'-]{0,30}`)).Draw(t, "text"))
		if twice := place.Normalise(once); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}

// Haining as the census numbers it, two villages of one name, a market and two streets of Washington.
func entries() []place.Entry {
	return []place.Entry{
		{Code: "330481", Name: "海宁市", Kind: "city", Lon: 120.68, Lat: 30.53},
		{Code: "330481103", Name: "长安镇", Kind: "town", Lon: 120.44, Lat: 30.42},
		{Code: "330481101", Name: "许村镇", Kind: "town", Lon: 120.36, Lat: 30.43},
		{Code: "330481001", Name: "硖石街道", Aliases: []string{"Xiashi"}, Kind: "town", Lon: 120.69, Lat: 30.53},
		{Code: "330481103200", Name: "褚石村", Aliases: []string{"Chushi Village"}, Kind: "village", Lon: 120.45, Lat: 30.43},
		{Code: "330481103205", Name: "新民村", Kind: "village", Lon: 120.46, Lat: 30.44},
		{Code: "330481101207", Name: "新民村", Kind: "village", Lon: 120.35, Lat: 30.45},
		{Code: "330481101209", Name: "石村", Kind: "village", Lon: 120.34, Lat: 30.41},
		{Code: "330481103005", Name: "怡院社区居委会", Kind: "village", Lon: 120.47, Lat: 30.45},
		{Name: "皮革城", Aliases: []string{"海宁皮革城", "Leather City"}, Kind: "market", Lon: 120.70, Lat: 30.51},
		{Name: "Pitts Place SE", Kind: "street", Lon: -76.986, Lat: 38.859},
		{Name: "2350 Pitts Place SE", Kind: "address", Lon: -76.98602, Lat: 38.85918},
		{Name: "L Street NE", Kind: "street", Lon: -77.0, Lat: 38.904},
		{Name: "L Street NW", Kind: "street", Lon: -77.03, Lat: 38.9036},
	}
}

func TestGeocode(t *testing.T) {
	g := place.New(entries())
	for _, c := range []struct{ address, want string }{
		{"浙江省海宁市长安镇褚石村12组", "330481103200"},
		{"长安镇新民村", "330481103205"},
		{"许村镇新民村3号", "330481101207"},
		{"长安新民", "330481103205"},
		{"怡院社区5幢", "330481103005"},
		{"长安怡院", "330481103005"},
		{"新民村", ""},             // two of them
		{"褚石村", "330481103200"}, // 石村 is inside the longer name
		{"chushi village", "330481103200"},
		{"海宁市文苑南路一百三十八弄", ""}, // the city alone says too little
		{"海宁皮革城二楼", "皮革城"},
		{"2350 PITTS PLACE SE", "2350 Pitts Place SE"},
		{"2352 Pitts Pl. SE", "Pitts Place SE"},
		{"12350 Pitts Pl SE", "Pitts Place SE"},
		{"60 L St NE", "L Street NE"},
		{"60 L Street", ""},
		{"Capitol Street NE", ""},
		{"", ""},
		{"！？", ""},
	} {
		m, ok := g.Geocode(c.address)
		got := m.Entry.Code
		if got == "" {
			got = m.Entry.Name
		}
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q lies in %q (%v, %.2f by %q), want %q", c.address, got, ok, m.Score, m.On, c.want)
		}
	}
}

func TestFindScores(t *testing.T) {
	g := place.New(entries())
	found := g.Find("长安镇新民村", 10)
	if len(found) != 3 || found[0].Score != 1 || found[1].Score != 0.75 || found[1].Entry.Code != "330481101207" || found[2].Entry.Name != "长安镇" {
		t.Errorf("found %+v", found)
	}
	if short := g.Find("长安镇新民村", 1); len(short) != 1 || short[0].Entry.Code != "330481103205" {
		t.Errorf("one of them: %+v", short)
	}
	if none := g.Find("长安镇", -1); len(none) != 0 {
		t.Errorf("limit -1: %+v", none)
	}
}

func TestSearch(t *testing.T) {
	g := place.New(entries())
	for _, c := range []struct {
		text string
		want []string
	}{
		{"新民", []string{"330481101207", "330481103205"}},
		{"褚", []string{"330481103200"}},
		{"石村", []string{"330481101209", "330481103200"}},
		{"3304811032", []string{"330481103200", "330481103205"}},
		{"330481103", []string{"330481103", "330481103005", "330481103200", "330481103205"}},
		{"PITTS", []string{"Pitts Place SE", "2350 Pitts Place SE"}},
		{"pitts se", []string{"Pitts Place SE", "2350 Pitts Place SE"}},
		{"leather", []string{"皮革城"}},
		{"l street", []string{"L Street NE", "L Street NW"}},
		{"", nil},
		{"qqq", nil},
	} {
		var got []string
		last := 2.0
		for _, m := range g.Search(c.text, 10) {
			id := m.Entry.Code
			if id == "" {
				id = m.Entry.Name
			}
			got = append(got, id)
			if m.Score > last || m.Score < 0.2 || m.Score > 1 {
				t.Errorf("Search(%q): score %v after %v", c.text, m.Score, last)
			}
			last = m.Score
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("Search(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// The order of import changes no answer.
func TestDeterministic(t *testing.T) {
	want := place.New(entries())
	rapid.Check(t, func(t *rapid.T) {
		got := place.New(rapid.Permutation(entries()).Draw(t, "order"))
		text := rapid.SampledFrom([]string{"新民村", "长安镇新民村", "pitts pl se", "l st", "石", "3304", "海宁市长安镇", "st"}).Draw(t, "text")
		if a, b := fmt.Sprint(want.Find(text, 9)), fmt.Sprint(got.Find(text, 9)); a != b {
			t.Fatalf("Find(%q): %s, or %s", text, a, b)
		}
		if a, b := fmt.Sprint(want.Search(text, 9)), fmt.Sprint(got.Search(text, 9)); a != b {
			t.Fatalf("Search(%q): %s, or %s", text, a, b)
		}
	})
}

// Search agrees with going through all names: it finds a place exactly where a name or code holds the text.
func TestSearchIsComplete(t *testing.T) {
	all := entries()
	g := place.New(all)
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(all).Draw(t, "entry")
		runes := []rune(place.Normalise(e.Name))
		from := rapid.IntRange(0, len(runes)-1).Draw(t, "from")
		q := place.Normalise(string(runes[from:rapid.IntRange(from+1, len(runes)).Draw(t, "to")]))
		if q == "" {
			return
		}
		want := 0
		for _, e := range all {
			if slices.ContainsFunc(append([]string{e.Name, e.Code}, e.Aliases...), func(n string) bool {
				key := place.Normalise(n)
				return strings.Contains(key, q) || strings.Contains(q, " ") && !slices.ContainsFunc(strings.Fields(q), func(w string) bool { return !strings.Contains(key, w) })
			}) {
				want++
			}
		}
		if got := g.Search(q, 100); len(got) != want {
			t.Fatalf("Search(%q) finds %d places of %d: %+v", q, len(got), want, got)
		}
	})
}

// large has n entries of made-up Chinese and Latin names.
func large(n int) []place.Entry {
	r := rand.New(rand.NewPCG(1, 2))
	han := []rune("东西南北新民长安石桥红旗丰光明和平胜利黄湾斜斗门袁花盐官周王庙丁马许村")
	words := strings.Fields("oak elm pine main park hill lake river grand first second pitts georgia virginia capitol mill church spring north")
	out := make([]place.Entry, n)
	for i := range out {
		e := place.Entry{Code: fmt.Sprintf("%012d", i), Lon: 120 + r.Float64(), Lat: 30 + r.Float64()}
		if i%2 == 0 {
			for range 2 + r.IntN(3) {
				e.Name += string(han[r.IntN(len(han))])
			}
			e.Name += []string{"村", "社区", "小区", "市场"}[r.IntN(4)]
		} else {
			e.Name = fmt.Sprint(r.IntN(9999), " ", words[r.IntN(len(words))], " ", words[r.IntN(len(words))], " Street ", []string{"NE", "NW", "SE"}[r.IntN(3)])
		}
		out[i] = e
	}
	return out
}

func BenchmarkLookup(b *testing.B) {
	g := place.New(large(100_000))
	for _, text := range []string{"浙江省海宁市长安镇红旗南村12组3号门口", "1234 Main Park Street NE", "st", "no such place at all", "新", "pitts se"} {
		b.Run("find/"+text, func(b *testing.B) {
			for b.Loop() {
				g.Find(text, 10)
			}
		})
		b.Run("search/"+text, func(b *testing.B) {
			for b.Loop() {
				g.Search(text, 10)
			}
		})
	}
}

// Texts of a megabyte are cut or refused, not searched.
func TestHostileTextIsBounded(t *testing.T) {
	g := place.New(large(1000))
	if got := g.Find(strings.Repeat("新民村", 1_000_000), 10); len(got) > 10 {
		t.Errorf("%d matches", len(got))
	}
	if got := g.Search(strings.Repeat("a", 1_000_000), 10); got != nil {
		t.Errorf("found %v", got)
	}
}

func FuzzFind(f *testing.F) {
	g := place.New(entries())
	for _, s := range []string{"浙江省海宁市长安镇褚石村12组", "2352 Pitts Pl. SE", "新民村\xff", "\u0301村", "石村石村石村", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range g.Find(text, 20) {
			if !(m.Score > 0 && m.Score <= 1) || m.On == "" {
				t.Fatalf("%q: %+v", text, m)
			}
		}
		for _, m := range g.Search(text, 20) {
			if !(m.Score > 0 && m.Score <= 1) {
				t.Fatalf("%q: %+v", text, m)
			}
		}
		g.Geocode(text)
	})
}

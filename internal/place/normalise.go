package place

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalise writes a name or an address the one way that names are compared in: compatibility forms (full-width letters,
// ligatures, circled digits) as plain ones, lower case, accents dropped from Latin letters, every run of punctuation and
// space as one space, none beside a Chinese character, and the common words of Latin addresses abbreviated ("Street" and "St."
// are both "st"). House numbers stay. The result has no leading or trailing space and is its own normal form.
func Normalise(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, " ")
	}
	s = norm.NFKD.String(s)
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, abbreviate(word.String()))
			word.Reset()
		}
	}
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r): // accents, taken apart by NFKD
		case r == '\'' || r == '’': // O'Brien is OBrien
		case isHan(r):
			flush()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word.WriteRune(unicode.ToLower(r))
		default:
			flush()
		}
	}
	flush()
	var out strings.Builder
	for i, w := range words {
		if i > 0 && !hanAtEnd(words[i-1]) && !hanAtStart(w) {
			out.WriteByte(' ')
		}
		out.WriteString(w)
	}
	return norm.NFC.String(out.String())
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

func hanAtStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isHan(r)
}

func hanAtEnd(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isHan(r)
}

// abbreviate gives the short form of the words that addresses write both ways. Saint and Street share theirs.
func abbreviate(word string) string {
	switch word {
	case "street", "str", "saint":
		return "st"
	case "avenue", "av":
		return "ave"
	case "road":
		return "rd"
	case "place":
		return "pl"
	case "drive":
		return "dr"
	case "lane":
		return "ln"
	case "court":
		return "ct"
	case "boulevard":
		return "blvd"
	case "square":
		return "sq"
	case "terrace":
		return "ter"
	case "circle":
		return "cir"
	case "parkway":
		return "pkwy"
	case "highway":
		return "hwy"
	case "alley":
		return "aly"
	case "mount":
		return "mt"
	case "north":
		return "n"
	case "south":
		return "s"
	case "east":
		return "e"
	case "west":
		return "w"
	case "northeast":
		return "ne"
	case "northwest":
		return "nw"
	case "southeast":
		return "se"
	case "southwest":
		return "sw"
	}
	return word
}

// kindWords end Chinese names of places and are often left out; longer ones first.
var kindWords = [...]string{"管理区", "开发区", "自治区", "自治县", "街道", "社区", "新村", "小区", "省", "市", "区", "县", "镇", "乡", "村"}

// bodies end the names of registers, which name the committee instead of the place: 褚石村委会 governs 褚石村.
var bodies = [...]struct{ body, kind string }{{"村民委员会", "村"}, {"村委会", "村"}, {"居民委员会", "社区"}, {"居委会", "社区"}}

// placeOf takes the committee off a name; other names stay as they are.
func placeOf(key string) string {
	for _, b := range bodies {
		short, ok := strings.CutSuffix(key, b.body)
		switch {
		case !ok || short == "":
		case strings.HasSuffix(short, "村") || strings.HasSuffix(short, "社区"):
			return short
		default:
			return short + b.kind
		}
	}
	return key
}

// stripKind takes the kind of place off a Chinese name: 褚石村 is 褚石. What is left has two characters at least.
func stripKind(key string) (string, bool) {
	for _, w := range kindWords {
		if short, ok := strings.CutSuffix(key, w); ok {
			return short, utf8.RuneCountInString(short) >= 2 && hanAtEnd(short)
		}
	}
	return "", false
}

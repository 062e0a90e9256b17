// Package search turns texts into the words by which PostgreSQL finds them, and what somebody looks for into a query of these.
//
// Han and kana are written without spaces: each two that stand side by side are a word, and the last of a run is one by itself, so that
// exactly one word begins with each. Letters and digits of other scripts are words as they stand between what is neither. Words have
// places; what separates them takes one place, however long it is. So a term of a query is found where the same stands in the text, at
// the borders of words: that of two Han in a text of Han, that of one as the beginning of a word, "3楼" in "3楼道" and not in "3 楼".
// Full width and half width, large and small letters are the same.
package search

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Weight tells who may find a matter by a word.
type Weight byte

// The weights, as PostgreSQL has them.
const (
	Told   Weight = 'A' // what was told: title, text, address, the number elsewhere
	Coded  Weight = 'B' // the number and the item
	Worked Weight = 'D' // what those who work with it write
)

const (
	maxPlace = 16383 // PostgreSQL counts no further: the words of a longer text are found one by one
	maxWord  = 64    // letters of a word that count
)

// token is a word in its place; open: the last Han of a run, after which another might stand in what it is looked for.
type token struct {
	word  string
	place int
	open  bool
}

// tokens reads a text. from is the place before its first word; next is that of its last one.
func tokens(text string, from int) (list []token, next int) {
	place := from
	var run []rune // of Han
	var word strings.Builder
	letters := 0
	gap := false
	endRun := func() {
		for i, r := range run {
			t := token{word: string(r), place: place + i + 1, open: true}
			if i+1 < len(run) {
				t = token{word: string(run[i : i+2]), place: place + i + 1}
			}
			list = append(list, t)
		}
		place += len(run)
		run = run[:0]
	}
	endWord := func() {
		if letters > 0 {
			place++
			list = append(list, token{word: word.String(), place: place})
			word.Reset()
			letters = 0
		}
	}
	begin := func() {
		if gap && len(list) > 0 {
			place++
		}
		gap = false
	}
	for _, r := range norm.NFKC.String(text) {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			endWord()
			begin()
			run = append(run, r)
		case unicode.IsLetter(r) || unicode.IsNumber(r) || letters > 0 && unicode.IsMark(r):
			endRun()
			begin()
			if letters < maxWord {
				word.WriteRune(unicode.ToLower(r))
			}
			letters++
		default:
			endRun()
			endWord()
			gap = true
		}
	}
	endRun()
	endWord()
	return list, place
}

// Words are what a matter is found by.
type Words struct {
	out   strings.Builder
	place int
}

// Add adds the words of a text.
func (w *Words) Add(as Weight, text string) {
	list, place := tokens(text, w.place)
	for _, t := range list {
		w.add(t.word, t.place, as)
	}
	w.place = place + 1 // nothing goes on from one text to the next
}

// Number adds the number by which people name the matter.
func (w *Words) Number(num uint64) { w.add("#"+strconv.FormatUint(num, 10), 1, Coded) }

// Item adds the code of its item.
func (w *Words) Item(code string) { w.add("="+code, 1, Coded) }

func (w *Words) add(word string, place int, as Weight) {
	if w.out.Len() > 0 {
		w.out.WriteByte(' ')
	}
	w.out.WriteString(quoted(word))
	w.out.WriteByte(':')
	w.out.WriteString(strconv.Itoa(min(place, maxPlace)))
	if as != Worked {
		w.out.WriteByte(byte(as))
	}
}

// String is the tsvector.
func (w *Words) String() string { return w.out.String() }

var quotes = strings.NewReplacer(`'`, `''`, `\`, `\\`)

func quoted(word string) string { return "'" + quotes.Replace(word) + "'" }

// Query is what somebody looks for: a matter has to have all of its terms.
type Query struct{ terms []term }

type term struct {
	phrase []token
	prefix bool     // the last word may go on
	other  []string // instead of the phrase: words that only codes have
}

// MaxLength is of how many characters a query may be; MaxTerms of how many terms.
const (
	MaxLength = 200
	MaxTerms  = 16
)

// Trouble is why a query cannot be looked for; "" is none.
type Trouble string

// The troubles.
const (
	BadText Trouble = "bad_text" // NUL, control characters, broken UTF-8
	TooLong Trouble = "too_long" // more than MaxLength
	TooMany Trouble = "too_many" // more than MaxTerms
	NoWords Trouble = "no_words" // neither letter nor digit
)

// Item is an item as a query may name it.
type Item struct{ Code, Name, NameEN string }

// Parse reads what somebody looks for. Terms stand between white space; one that a Latin word ends with an asterisk is the beginning of
// a word. A term that the name of an item has, or that is its code, finds what is of the item; one that is a number finds the matter of
// that number, be it the number of one of its parts.
func Parse(text string, items []Item) (Query, Trouble) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		return Query{}, BadText
	}
	if len(text) > 4*MaxLength || utf8.RuneCountInString(text) > MaxLength {
		return Query{}, TooLong
	}
	fields := strings.Fields(norm.NFKC.String(text))
	if len(fields) > MaxTerms {
		return Query{}, TooMany
	}
	var q Query
	for _, f := range fields {
		t := term{}
		t.phrase, _ = tokens(f, 0)
		if len(t.phrase) == 0 {
			continue // what separates words is in no text's words
		}
		last := &t.phrase[len(t.phrase)-1]
		switch n := len(t.phrase); {
		case last.open && n > 1 && t.phrase[n-2].place == last.place-1 && strings.HasSuffix(t.phrase[n-2].word, last.word):
			t.phrase = t.phrase[:n-1] // the pair before it has it
		case last.open:
			t.prefix = true
		default:
			t.prefix = strings.HasSuffix(f, "*")
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(f, "#"), "-")
		if n, err := strconv.ParseUint(number, 10, 32); err == nil && isRef(f) {
			t.other = append(t.other, "#"+strconv.FormatUint(n, 10))
		}
		t.other = append(t.other, named(strings.ToLower(f), items)...)
		q.terms = append(q.terms, t)
	}
	if len(q.terms) == 0 {
		return q, NoWords
	}
	return q, ""
}

// isRef tells whether a term is written like the number of a case or of one of its parts.
func isRef(f string) bool {
	num, part, split := strings.Cut(strings.TrimPrefix(f, "#"), "-")
	digits := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	}
	return digits(num) && (!split || digits(part))
}

// maxItems bounds the items that a term stands for.
const maxItems = 100

func named(f string, items []Item) (words []string) {
	for _, i := range items {
		if f == strings.ToLower(i.Code) || has(i.Name, f) || has(i.NameEN, f) {
			if words = append(words, "="+i.Code); len(words) == maxItems {
				break
			}
		}
	}
	return words
}

// has tells whether a name has a term of at least two characters, or is it.
func has(name, f string) bool {
	name = strings.ToLower(norm.NFKC.String(name))
	return name == f || utf8.RuneCountInString(f) > 1 && strings.Contains(name, f)
}

// Empty tells that nothing is looked for.
func (q *Query) Empty() bool { return len(q.terms) == 0 }

// TSQuery is the query, for words of any of the weights; without weights, of all.
func (q *Query) TSQuery(weights ...Weight) string {
	class := ""
	for _, w := range weights {
		class += string(rune(w))
	}
	var out strings.Builder
	for i := range q.terms {
		if i > 0 {
			out.WriteString(" & ")
		}
		q.terms[i].write(&out, class)
	}
	return out.String()
}

func (t *term) write(out *strings.Builder, class string) {
	out.WriteByte('(')
	for i, token := range t.phrase {
		if i > 0 {
			out.WriteString(" <" + strconv.Itoa(token.place-t.phrase[i-1].place) + "> ")
		}
		suffix := class
		if t.prefix && i == len(t.phrase)-1 {
			suffix = "*" + class
		}
		out.WriteString(quoted(token.word))
		if suffix != "" {
			out.WriteString(":" + suffix)
		}
	}
	for _, w := range t.other {
		out.WriteString(" | " + quoted(w))
		if class != "" {
			out.WriteString(":" + class)
		}
	}
	out.WriteByte(')')
}

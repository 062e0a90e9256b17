package auth

import (
	"context"
	"crypto/rand"
	_ "embed" // for the list of common passwords' pieces
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"gridgov/internal/fault"
)

// hashing is what one password costs: 64 MiB, once over, on one core (RFC 9106 4 recommends Argon2id; OWASP's least is
// 46 MiB once over).
var hashing = argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// The lengths of passwords, in characters.
const (
	minPassword = 12
	maxPassword = 128
)

// checkPassword refuses passwords that are guessed first.
func checkPassword(login, password string) *fault.Error {
	password = norm.NFKC.String(password)
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password) || strings.IndexFunc(password, unicode.IsControl) >= 0:
		return fault.Invalid("password", "bad_characters", "the password holds a control character or is not UTF-8: type it anew")
	case n < minPassword:
		return fault.Invalid("password", "too_short", "the password has %d characters: take at least %d, for instance four words", n, minPassword)
	case n > maxPassword:
		return fault.Invalid("password", "too_long", "the password has %d characters: take at most %d", n, maxPassword)
	case len(login) >= 3 && strings.Contains(strings.ToLower(password), login):
		return fault.Invalid("password", "holds_login", "the password holds the login: take another")
	case isCommon(password):
		return fault.Invalid("password", "common_password", "the password is one of those that are tried first: take another, for instance four words that have nothing to do with each other")
	}
	return nil
}

// common.txt holds what the passwords that are used most are made of: words, names, rows of keys, numbers and years, as
// published lists of the most used passwords have them (they agree in their first hundreds), in English and pinyin, and
// the words of this service. Lists of whole passwords hold few that are long enough to be allowed at all; a password of at
// most three pieces is refused, which are tens of millions.
//
//go:embed common.txt
var commonText string

var commonPieces = sync.OnceValue(func() (pieces []string) {
	for line := range strings.Lines(commonText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			pieces = append(pieces, strings.Fields(line)...)
		}
	}
	return pieces
})

// mostPieces is how many common pieces make a password common.
const mostPieces = 3

// isCommon tells whether a password is made of a few common pieces, is one short piece over and over, or a run of
// characters that follow each other. Case, punctuation and the usual digits for letters make no difference.
func isCommon(password string) bool {
	text := []rune(strings.ToLower(password))
	if isRun(text) || isRepeated(text) {
		return true
	}
	const never = mostPieces + 1
	least := make([]int, len(text)+1) // pieces that make up the first i characters
	for i := range least {
		least[i] = never
	}
	least[0] = 0
	for i, r := range text {
		if least[i] > mostPieces {
			continue
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			least[i+1] = min(least[i+1], least[i])
		}
		for _, p := range commonPieces() {
			if n := utf8.RuneCountInString(p); i+n <= len(text) && looksLike(text[i:i+n], p) {
				least[i+n] = min(least[i+n], least[i]+1)
			}
		}
	}
	return least[len(text)] <= mostPieces
}

// letters are what is often written for them.
var letters = map[rune]string{'@': "a", '4': "a", '8': "b", '3': "e", '6': "g", '1': "il", '!': "il", '0': "o", '5': "s", '$': "s", '7': "t", '2': "z"}

func looksLike(text []rune, piece string) bool {
	i := 0
	for _, p := range piece {
		if text[i] != p && !strings.ContainsRune(letters[text[i]], p) {
			return false
		}
		i++
	}
	return true
}

// isRun: each character follows the one before it, up or down.
func isRun(text []rune) bool {
	for _, step := range []rune{1, -1} {
		run := true
		for i := 1; i < len(text) && run; i++ {
			run = text[i]-text[i-1] == step || text[i-1] == '9' && text[i] == '0' && step == 1 || text[i-1] == '0' && text[i] == '9' && step == -1
		}
		if run {
			return true
		}
	}
	return false
}

// isRepeated: a piece of at most six characters over and over.
func isRepeated(text []rune) bool {
	for n := 1; n <= 6; n++ {
		same := true
		for i := n; i < len(text) && same; i++ {
			same = text[i] == text[i-n]
		}
		if same {
			return true
		}
	}
	return false
}

// newPassword makes a one-time password: 20 characters that are not taken for each other, 98 bits.
func newPassword() string {
	const alphabet = "23456789abcdefghjkmnpqrstuvwxyz" // 31
	var b strings.Builder
	var random [1]byte
	for n := 0; n < 20; {
		_, _ = rand.Read(random[:]) // never fails
		if int(random[0]) >= 256-256%len(alphabet) {
			continue
		}
		if n > 0 && n%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[int(random[0])%len(alphabet)])
		n++
	}
	return b.String()
}

// hasher hashes passwords, a few at a time. Who comes from a known device has a place that strangers cannot take.
type hasher struct {
	params    argon2id.Params
	strangers *semaphore.Weighted
	known     *semaphore.Weighted
	waiting   atomic.Int32
	compared  atomic.Int64  // passwords; for tests
	dummy     func() string // a hash of no password, for logins that there are not
}

// mostWaiting is how many strangers wait for their turn at most.
const mostWaiting = 64

func newHasher(p argon2id.Params) *hasher {
	h := &hasher{params: p, strangers: semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)/2))), known: semaphore.NewWeighted(1)}
	h.dummy = sync.OnceValue(func() string {
		s, err := argon2id.CreateHash(rand.Text(), &h.params)
		if err != nil {
			return ""
		}
		return s
	})
	return h
}

// turn waits for a turn; end it.
func (h *hasher) turn(ctx context.Context, known bool) (end func(), err error) {
	places := h.strangers
	if known {
		places = h.known
	} else {
		defer h.waiting.Add(-1)
		if h.waiting.Add(1) > mostWaiting {
			return nil, fault.Unavailable("sign_in_busy", "too many people are signing in; try again in a moment")
		}
	}
	if err := places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { places.Release(1) }, nil
}

func (h *hasher) hash(password string) (string, error) {
	return argon2id.CreateHash(norm.NFKC.String(password), &h.params)
}

// matches compares, with the same work where there is no hash.
func (h *hasher) matches(password, hash string) (bool, error) {
	if utf8.RuneCountInString(password) > 2*maxPassword {
		password = "" // no password is that long: the work stays the same
	}
	none := hash == ""
	if none {
		hash = h.dummy()
	}
	h.compared.Add(1)
	ok, err := argon2id.ComparePasswordAndHash(norm.NFKC.String(password), hash)
	if err != nil {
		return false, errors.Join(errors.New("a password's hash cannot be read"), err)
	}
	return ok && !none, nil
}

package contact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// Limits of a phone number, in digits: an emergency call's, and what E.164 allows with an international prefix.
const (
	minDigits    = 3
	maxDigits    = 20
	maxExtension = 6
)

// NormalPhone gives one form to all ways of writing a number: digits, with + before a country code other than China's and
// #EXTENSION behind. Numbers of China are as dialled there: a mobile's eleven digits, or 0 and the area's code first.
func NormalPhone(s string) (string, *fault.Error) {
	bad := func() (string, *fault.Error) {
		return "", fault.Invalid("reporter.phone", "bad_phone", "is no phone number: write it in digits, such as 138 0013 8000, 0573-87001234 or +1 202 555 0123")
	}
	s = strings.ToLower(norm.NFKC.String(s))
	var digits, extension []byte
	plus, extended := false, false
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r >= '0' && r <= '9' && extended:
			extension = append(extension, byte(r))
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case r == '+' && len(digits) == 0 && !plus:
			plus = true
		case strings.HasPrefix(s, "ext") && len(digits) > 0 && !extended:
			extended, size = true, len("ext")
		case (r == '#' || r == 'x' || r == '转') && len(digits) > 0 && !extended:
			extended = true
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), r == '(', r == ')', r == '.', r == '/', r == '·':
		default:
			return bad()
		}
		s = s[size:]
	}
	number, international := national(string(digits), plus)
	if len(number) < minDigits || len(number) > maxDigits || extended && len(extension) == 0 || len(extension) > maxExtension {
		return bad()
	}
	if international {
		number = "+" + number
	}
	if extended {
		number += "#" + string(extension)
	}
	return number, nil
}

// national brings a number of China to the form in which it is dialled there; each step takes digits away.
func national(digits string, plus bool) (string, bool) {
	for {
		rest, china := strings.CutPrefix(digits, "86")
		switch {
		case !plus && strings.HasPrefix(digits, "00"):
			digits, plus = digits[2:], true
		case plus && china && (mobile(rest) || service(rest) || strings.HasPrefix(rest, "0")):
			digits, plus = rest, false
		case plus && china && rest != "":
			digits, plus = "0"+rest, false
		case !plus && china && mobile(rest):
			digits = rest
		case !plus && strings.HasPrefix(digits, "0") && mobile(digits[1:]):
			digits = digits[1:]
		default:
			return digits, plus
		}
	}
}

func mobile(d string) bool { return len(d) == 11 && d[0] == '1' && d[1] >= '3' }

// service tells numbers that have no area's code.
func service(d string) bool {
	return len(d) == 10 && (strings.HasPrefix(d, "400") || strings.HasPrefix(d, "800"))
}

const maxEmail = 254

// NormalEmail gives one form to all ways of writing an address. Upper and lower case are taken as the same: providers that
// tell them apart before the @ are none that people have.
func NormalEmail(s string) (string, *fault.Error) {
	s = strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(s))))
	local, domain, ok := strings.Cut(s, "@")
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") || len(s) > maxEmail || strings.ContainsFunc(s, odd) {
		return "", fault.Invalid("reporter.email", "bad_email", "is no e-mail address, such as name@example.com")
	}
	return s, nil
}

// normal brings what was told of a person to its normal form.
func normal(r report.Reporter) (report.Reporter, error) {
	out := report.Reporter{Name: strings.TrimSpace(r.Name)}
	if s := strings.TrimSpace(r.Phone); s != "" {
		phone, bad := NormalPhone(s)
		if bad != nil {
			return out, bad
		}
		out.Phone = phone
	}
	if s := strings.TrimSpace(r.Email); s != "" {
		email, bad := NormalEmail(s)
		if bad != nil {
			return out, bad
		}
		out.Email = email
	}
	if r.Home != nil {
		home := *r.Home
		out.Home = &home
	}
	return out, nil
}

// hidden stands for any number of digits or letters.
const hidden = "****"

// MaskName shows the first character: neither the rest nor how long it is.
func MaskName(name string) string {
	if name == "" {
		return ""
	}
	_, size := utf8.DecodeRuneInString(name)
	return name[:size] + "**"
}

// MaskPhone shows the first three and the last four digits where at least four are between them, the last four of a number
// of eight digits or more, and nothing of a shorter one. An extension is never shown.
func MaskPhone(phone string) string {
	if phone == "" {
		return ""
	}
	number, _, _ := strings.Cut(phone, "#")
	digits := strings.TrimPrefix(number, "+")
	sign := number[:len(number)-len(digits)]
	switch n := len(digits); {
	case n >= 11:
		return sign + digits[:3] + hidden + digits[n-4:]
	case n >= 8:
		return hidden + digits[n-4:]
	}
	return hidden
}

// MaskEmail shows the first character and what follows the @.
func MaskEmail(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok {
		return ""
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "***@" + domain
}

package contact_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"gridgov/internal/contact"
)

func TestNormalPhone(t *testing.T) {
	for want, ways := range map[string][]string{
		"13800138000":      {"13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "0086 13800138000", "8613800138000", "013800138000", "１３８００１３８０００", "（138）0013·8000", "+86 (0) 13800138000"},
		"057387001234":     {"0573-87001234", "(0573) 8700 1234", "+86 573 8700 1234", "+86 (0573) 87001234", "0086-573-87001234", "0573—8700—1234"},
		"057387001234#801": {"0573-87001234转801", "0573 87001234 ext. 801", "057387001234x801", "057387001234#801"},
		"01012345678":      {"010-12345678", "+86 10 12345678"},
		"4008001234":       {"400-800-1234", "+86 400 800 1234"},
		"+12025550123":     {"+1 (202) 555-0123", "001 202 555 0123", "＋1 202.555.0123"},
		"87001234":         {"8700 1234"},
		"110":              {"110"},
		"12345":            {"12345"},
	} {
		for _, s := range ways {
			if got, bad := contact.NormalPhone(s); bad != nil || got != want {
				t.Errorf("%q is %q, %v; want %q", s, got, bad, want)
			}
		}
	}
	for _, s := range []string{"", "12", "unknown", "138 0013 8000 or 8001", "+", "++1202", "1+2345", "#801", "123#", "123#1#2", "123#1234567", strings.Repeat("1", 21),
		"٠١٢٣٤٥٦", "138\x0000138000", "\xff123"} {
		if got, bad := contact.NormalPhone(s); bad == nil {
			t.Errorf("%q is taken as %q", s, got)
		}
	}
}

func TestNormalEmail(t *testing.T) {
	for want, ways := range map[string][]string{
		"wang@example.com": {"wang@example.com", " Wang@Example.COM\n", "ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ"},
		"王@例子.中国":          {"王@例子.中国"},
	} {
		for _, s := range ways {
			if got, bad := contact.NormalEmail(s); bad != nil || got != want {
				t.Errorf("%q is %q, %v; want %q", s, got, bad, want)
			}
		}
	}
	for _, s := range []string{"", "@", "a@", "@b", "a@b@c", "a b@c", "a\x00@b", "a\xff@b", strings.Repeat("a", 250) + "@b.cn"} {
		if got, bad := contact.NormalEmail(s); bad == nil {
			t.Errorf("%q is taken as %q", s, got)
		}
	}
}

// Separators and the country's code never change whose number it is.
func TestPhoneIsTheSameHoweverItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "digits")
		written := rapid.SampledFrom([]string{"", "+86", "0086", "86", "0", "+86 0"}).Draw(t, "prefix")
		for _, r := range digits {
			written += rapid.SampledFrom([]string{"", "", " ", "-", ".", "(", ")", "–", "\u00a0"}).Draw(t, "separator") + string(r)
		}
		if got, bad := contact.NormalPhone(written); bad != nil || got != digits {
			t.Fatalf("%q is %q, %v", written, got, bad)
		}
	})
}

func FuzzNormalPhone(f *testing.F) {
	for _, s := range []string{"138 0013 8000", "+86 (0573) 87001234转801", "0086 0086 123", "+8600123456", "+1 202 555 0123 ext 7", "000", "+86861380013800", "8686", "+86"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, bad := contact.NormalPhone(s)
		if bad != nil {
			return
		}
		if again, bad := contact.NormalPhone(once); bad != nil || again != once {
			t.Fatalf("%q is %q, which is %q, %v", s, once, again, bad)
		}
		if strings.Trim(once, "+0123456789#") != "" || len(once) > 30 {
			t.Fatalf("%q is %q", s, once)
		}
		checkPhoneMask(t, once)
	})
}

func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{"wang@example.com", " İ@Example.com", "ﬀ@ẞ.de", "a@b", "Ω@Å.x", "ͅ@a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, bad := contact.NormalEmail(s)
		if bad != nil {
			return
		}
		if again, bad := contact.NormalEmail(once); bad != nil || again != once {
			t.Fatalf("%q is %q, which is %q, %v", s, once, again, bad)
		}
		if m := contact.MaskEmail(once); len(m) > len(once)+len("***") {
			t.Fatalf("%q is masked as %q", once, m)
		}
	})
}

type fataler interface{ Fatalf(string, ...any) }

// checkPhoneMask: at most seven digits are shown, and never when fewer than four are hidden.
func checkPhoneMask(t fataler, phone string) {
	number, _, _ := strings.Cut(phone, "#")
	digits := len(strings.TrimPrefix(number, "+"))
	mask := contact.MaskPhone(phone)
	shown := len(strings.Trim(strings.ReplaceAll(mask, "*", ""), "+"))
	if shown > 7 || digits-shown < min(4, digits) || !strings.Contains(mask, "****") {
		t.Fatalf("%s is masked as %s", phone, mask)
	}
}

// A mask is the same whatever stands where it has stars, and however much.
func TestMasksRevealNoMoreThanTheyShow(t *testing.T) {
	for want, got := range map[string]string{
		"王**": contact.MaskName("王小明"), "欧**": contact.MaskName("欧阳"), "A**": contact.MaskName("A"), "": contact.MaskName(""),
		"138****1234": contact.MaskPhone("13800131234"), "057****1234": contact.MaskPhone("057387001234#801"), "+120****0123": contact.MaskPhone("+12025550123"),
		"****1234": contact.MaskPhone("87001234"), "****": contact.MaskPhone("12345"),
		"a***@example.com": contact.MaskEmail("anna@example.com"), "王***@例子.中国": contact.MaskEmail("王@例子.中国"),
	} {
		if got != want {
			t.Errorf("masked as %q, want %q", got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		first, rest, other := rapid.Rune().Draw(t, "first"), rapid.String().Draw(t, "rest"), rapid.String().Draw(t, "other rest")
		if a, b := contact.MaskName(string(first)+rest), contact.MaskName(string(first)+other); a != b || utf8.RuneCountInString(a) != 3 {
			t.Fatalf("names are masked as %q and %q", a, b)
		}
		local, another := strings.ReplaceAll(rest, "@", ""), strings.ReplaceAll(other, "@", "")
		if a, b := contact.MaskEmail("x"+local+"@y"), contact.MaskEmail("x"+another+"@y"); a != b || a != "x***@y" {
			t.Fatalf("addresses are masked as %q and %q", a, b)
		}
		head, tail := rapid.StringMatching(`[1-9][0-9]{2}`).Draw(t, "head"), rapid.StringMatching(`[0-9]{4}`).Draw(t, "tail")
		middle := rapid.StringMatching(`[0-9]{4,10}`)
		a, b := head+middle.Draw(t, "middle")+tail, head+middle.Draw(t, "other middle")+tail
		if contact.MaskPhone(a) != contact.MaskPhone(b) || contact.MaskPhone(a) != head+"****"+tail {
			t.Fatalf("%s and %s are masked as %s and %s", a, b, contact.MaskPhone(a), contact.MaskPhone(b))
		}
		checkPhoneMask(t, rapid.StringMatching(`\+?[0-9]{3,20}(#[0-9]{1,6})?`).Draw(t, "any"))
	})
}

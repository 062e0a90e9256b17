package auth_test

import (
	"strings"
	"testing"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
)

func TestPasswordsThatAreRefused(t *testing.T) {
	for password, code := range map[string]string{
		"kurz":                    "too_short",
		"elf-zeichen":             "too_short",
		"网格治理网格治理网格":              "too_short",
		strings.Repeat("x1", 65):  "too_long",
		"my-wangfang-house":       "holds_login",
		"My-WangFang-House":       "holds_login",
		"tab\tin the middle":      "bad_characters",
		"a\xff valid? not at all": "bad_characters",
		"password1234":            "common_password",
		"P@ssw0rd!2024":           "common_password",
		"123456789012":            "common_password",
		"098765432109":            "common_password",
		"abcdefghijkl":            "common_password",
		"aaaaaaaaaaaaaaa":         "common_password",
		"haha haha haha ":         "common_password",
		"qwertyuiop123":           "common_password",
		"1qaz2wsx3edc":            "common_password",
		"woaini1314520":           "common_password",
		"Administrator1":          "common_password",
		"iloveyou-2026":           "common_password",
		"haining123456":           "common_password",
		"ｐａｓｓｗｏｒｄ１２３４":            "common_password", // full width
	} {
		if f := auth.CheckPassword("wangfang", password); f == nil || f.Code != code {
			t.Errorf("%q: %v, want %s", password, f, code)
		}
	}
	for _, password := range []string{"correct horse battery staple", "网格治理一张图真的好用极了", "kp7-rainy-otter", "Xu2cun-lantern-41-bridge", strings.Repeat("yz9qk1w", 18)} {
		if f := auth.CheckPassword("wangfang", password); f != nil {
			t.Errorf("%q: %v", password, f)
		}
	}
	if f := auth.CheckPassword("a", "correct horse battery staple"); f != nil {
		t.Errorf("a login of one letter: %v", f)
	}
}

func TestMadePasswordsAreGoodAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := auth.NewPassword()
		if f := auth.CheckPassword("admin", p); f != nil || len(p) != 23 || seen[p] {
			t.Fatalf("%q: %v", p, f)
		}
		seen[p] = true
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("wang", "correct horse battery staple")
	f.Fuzz(func(t *testing.T, login, password string) {
		if err := auth.CheckPassword(login, password); err != nil && err.Kind != fault.KindInvalid {
			t.Errorf("%v", err)
		}
	})
}

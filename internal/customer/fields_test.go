package customer

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"elsom/internal/fault"
)

func TestEmail(t *testing.T) {
	for _, text := range []string{
		"aida@example.kg", " aida@example.kg ", "a.b+c_d@mail.example.com", "айда@пример.кг",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 57) + ".kg",
	} {
		if email, err := parseEmail("test", text); err != nil || email != strings.TrimSpace(text) {
			t.Errorf("%q: %q, %v", text, email, err)
		}
	}
	for text, why := range map[string]string{
		"": "empty", "  ": "empty",
		"aida": "wrong", "aida@": "wrong", "@example.kg": "wrong", "aida@example": "wrong", "aida@@example.kg": "wrong",
		"aida@example..kg": "wrong", "aida@.kg": "wrong", "aida@example.kg.": "wrong", "aida@-x.kg": "wrong",
		"a b@example.kg": "wrong", "Aida <aida@example.kg>": "wrong", "aida@example.kg, b@example.kg": "wrong",
		"aida@example.kg\r\nBcc: b@example.kg": "wrong", "aida@exa\u0000mple.kg": "wrong", `"a b"@example.kg`: "wrong",
		"aida@[192.0.2.1]": "wrong", strings.Repeat("a", 65) + "@example.kg": "wrong",
		strings.Repeat("a", 250) + "@example.kg": "long",
	} {
		_, err := parseEmail("test", text)
		want(t, text, err, fault.Invalid, "customer.email_"+why, "email")
	}
}

func TestPassword(t *testing.T) {
	for _, password := range []string{
		"горы Ала", "Ңөү ҢӨҮ ңөү", "7001234567x", "+996 550 123 456", strings.Repeat("ү", 128), "correct horse", "x7#kQ2!z",
	} {
		if err := judgePassword("test", password, number); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
	for password, why := range map[string]string{
		"": "empty", "семьзна": "short", strings.Repeat("ү", 129): "long",
		"password": "common", "PassWord123": "common", " qwertyuiop ": "common", "йцукенгш": "common", "12345678": "common", "elsom123": "common",
		"0700123456": "phone", "700123456": "phone", "996700123456": "phone", "+996 (700) 12-34-56": "phone", "00996700123456": "phone",
	} {
		want(t, password, judgePassword("test", password, number), fault.Invalid, "customer.password_"+why, "password")
	}
}

func TestCommonPasswords(t *testing.T) {
	if n := len(common()); n < 1000 {
		t.Errorf("only %d", n)
	}
	for password := range common() {
		if n := utf8.RuneCountInString(password); n < PasswordMin || password != strings.ToLower(password) {
			t.Errorf("%q is of no use", password)
		}
	}
	for _, password := range []string{"password", "12345678", "qwertyui", "iloveyou", "йцукенгш"} {
		if !common()[password] {
			t.Errorf("%q is missing", password)
		}
	}
}

func TestCode(t *testing.T) {
	for _, text := range []string{"123456", " 123456 ", "123 456", "123-456"} {
		if code, err := parseCode("test", text); err != nil || code != "123456" {
			t.Errorf("%q: %q, %v", text, code, err)
		}
	}
	for _, text := range []string{"12345", "1234567", "12345a", "١٢٣٤٥٦", strings.Repeat("1", 5000)} {
		_, err := parseCode("test", text)
		want(t, text, err, fault.Invalid, "customer.code_format", "code")
	}
}

func TestHashKeepsTextsApart(t *testing.T) {
	cs := &Customers{key: secret}
	hashes := []string{cs.hash("ab", "c"), cs.hash("a", "bc"), cs.hash("abc"), cs.hash("", "abc"), cs.hash("ab", "c", "")}
	slices.Sort(hashes)
	if len(slices.Compact(hashes)) != 5 {
		t.Error("two different lists have one hash")
	}
	if cs.hash("x") == (&Customers{key: []byte("another")}).hash("x") {
		t.Error("the hash has no key")
	}
}

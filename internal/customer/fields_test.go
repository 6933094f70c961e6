package customer

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/password"
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
		"aida@example.kg\r\nBcc: b@example.kg": "wrong", "aida@exa\u0000mple.kg": "invisible", "aida@xn--a.kg": "wrong", `"a b"@example.kg`: "wrong",
		"aida@[192.0.2.1]": "wrong", strings.Repeat("a", 65) + "@example.kg": "wrong",
		strings.Repeat("a", 250) + "@example.kg": "long",
	} {
		_, err := parseEmail("test", text)
		want(t, text, err, fault.Invalid, fault.Reason("customer.email_"+why), "email")
	}
}

func TestEmailRefusesInvisibleCharacters(t *testing.T) {
	for _, r := range "\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\u00ad\u034f\u061c\u115f\u180e\u3164\ufe0d\ufe0f\ufeff\ufff9\U000e0041\U000e0100\ue000" {
		for _, text := range []string{"ai" + string(r) + "da@example.kg", "aida@exam" + string(r) + "ple.kg", string(r) + "aida@example.kg", "aida@example.kg" + string(r)} {
			_, err := parseEmail("test", text)
			want(t, fmt.Sprintf("%+q", text), err, fault.Invalid, "customer.email_invisible", "email")
		}
	}
}

func TestPassword(t *testing.T) {
	for _, password := range []string{
		"горы Ала", "Ңөү ҢӨҮ ңөү", "7001234567x", "+996 550 123 456", strings.Repeat("үт7- ", 25) + "үү", strings.Repeat("и\u0306т7- ", 25) + "ии\u0306ц", "correct horse", "x7#kQ2!z",
	} {
		if err := new(Customers).checkNewPassword("test", password, number); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
	for password, why := range map[string]string{
		"": "empty", "семьзна": "short", strings.Repeat("ү", 129): "long", strings.Repeat("и\u0306", 129): "long", strings.Repeat("ү", 100_000): "long",
		"семь\u0000знаков": "signs", "семь\tзнаков": "signs", "\ufeffсемь знаков": "signs",
		"привет2031!": "common", "ПарольПароль": "common", "ййййййййййй": "common", "123123123123123": "common", "21!бишкек!21": "common",
		"password": "common", "PassWord123": "common", " qwertyuiop ": "common", "йцукенгш": "common", "12345678": "common", "elsom123": "common", "Элсом2031": "common", "элсомэлсом": "common",
		"0700123456": "phone", "700123456": "phone", "996700123456": "phone", "+996 (700) 12-34-56": "phone", "00996700123456": "phone",
	} {
		want(t, password, new(Customers).checkNewPassword("test", password, number), fault.Invalid, fault.Reason("customer.password_"+why), "password")
	}
}

func TestRefusedPasswords(t *testing.T) {
	list, err := password.ReadRefused(strings.NewReader("correct horse battery\nүч кыз бар эле\n"))
	if err != nil {
		t.Fatal(err)
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), newFixture(t, db)
		h.o.Refused = list
		stolen := form(number)
		stolen.Password = "Correct Horse Battery"
		want(t, "at the sign-up", h.StartSignup(ctx, browser, stolen), fault.Invalid, "customer.password_breached", "password")
		c := h.newCustomer(number)
		_, err = h.ChangePassword(ctx, c.ID, good, "ҮЧ КЫЗ БАР ЭЛЕ")
		want(t, "at a change", err, fault.Invalid, "customer.password_breached", "password")
		if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		_, err = h.ConfirmReset(ctx, browser, h.code(), "correct horse battery", at(home))
		want(t, "at a reset", err, fault.Invalid, "customer.password_breached", "password")
	})
}

func TestIsPersonal(t *testing.T) {
	const name, email = "айгуль асанова", "aigul.asanova-93@mail.kg"
	for text, want := range map[string]bool{
		"айгуль93": true, "асанова!!": true, "айгуль асанова": true, "асановаайгуль1": true, "айгульайгуль": true, "2031айгуль2031": true,
		"aigul.asanova": true, "aigul.asanova-93": true, "asanova1993": true, "aigul_asanova": true, "aigul.asanova-93@mail.kg": true,
		"айгуль любит горы": false, "горы асановой": false, "aigulbekova": false, "93939393": false, "mail.kg.2031": false, "": false,
	} {
		if isPersonal(text, name, email) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if isPersonal("ai123456", "ай", "ai@mail.kg") || isPersonal("12345678", "", "") {
		t.Error("a word of two letters, or none, is refused")
	}
}

// Name and address of the holder are not found out by trying passwords: they are
// compared only after the code or the old password.
func TestPersonalPasswords(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), newFixture(t, db)
		own := form(number)
		own.Email, own.Password = "aida.uulu@example.kg", "Aida.Uulu2031"
		want(t, "at the sign-up", h.StartSignup(ctx, browser, own), fault.Invalid, "customer.password_personal", "password")
		own.Password = good
		if _, err := h.ConfirmSignup(ctx, browser, h.startSignup(browser, own), at(home)); err != nil {
			t.Fatal(err)
		}
		c, err := h.ByPhone(ctx, number)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.ChangePassword(ctx, c.ID, other, "aidauulu7")
		want(t, "without the old password", err, fault.Invalid, "customer.password_old_wrong", "old_password")
		_, err = h.ChangePassword(ctx, c.ID, good, "aidauulu7")
		want(t, "at a change", err, fault.Invalid, "customer.password_personal", "password")
		if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		code := h.code()
		_, err = h.ConfirmReset(ctx, browser, wrong(code), "aidauulu7", at(home))
		want(t, "without the code", err, fault.Invalid, "customer.code_wrong", "code")
		_, err = h.ConfirmReset(ctx, browser, code, "aidauulu7", at(home))
		want(t, "at a reset", err, fault.Invalid, "customer.password_personal", "password")
		if _, err = h.ConfirmReset(ctx, browser, code, other, at(home)); err != nil {
			t.Errorf("the code after a refusal: %v", err)
		}
	})
}

func TestCommonPasswords(t *testing.T) {
	if n := len(common()); n < 3000 {
		t.Errorf("only %d", n)
	}
	for password := range common() {
		if n := utf8.RuneCountInString(password); n < PasswordMin || password != strings.ToLower(password) {
			t.Errorf("%q can never match", password)
		}
	}
	for _, password := range []string{"password", "12345678", "qwertyuiop", "iloveyou", "йцукенгш", "passw0rd", "1q2w3e4r5t"} {
		if !isCommon(password) {
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

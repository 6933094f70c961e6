package main_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/i18n"
)

// member is somebody who is signed up and has some money, on a reader's page.
func member(t *testing.T, s *site, som string) (*reader, person) {
	t.Helper()
	p, r := somebody(), newReader(t, s)
	signUp(t, s, r, wordsOf[i18n.RU], p)
	if som != "" {
		s.fill(t, p.phone, som)
	}
	return r, p
}

// order types a payment to DosTek and presses «Далее».
func (r *reader) order(account, amount string) {
	r.t.Helper()
	r.open("/pay/dostek")
	r.fill("account", account)
	r.fill("amount", amount)
	r.press("Далее")
}

// sqlite starts a site on a fresh SQLite database.
func sqlite(t *testing.T, env ...string) *site {
	t.Helper()
	return newSite(t, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), env...)
}

// rows counts what is written of money.
func (s *site) rows(t *testing.T) map[string]int {
	t.Helper()
	db, err := database.Open(context.Background(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	counts := map[string]int{}
	for _, table := range []string{"drafts", "payments", "transfers", "entries", "promises", "customers"} {
		var n int
		if err := db.Pool().QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

func (s *site) unchanged(t *testing.T, before map[string]int) {
	t.Helper()
	for table, n := range s.rows(t) {
		if n != before[table] {
			t.Errorf("%s had %d rows, has %d", table, before[table], n)
		}
	}
}

// refused wants 422 with the field named and described, and others not.
func (r *reader) refused(field string) {
	r.t.Helper()
	if r.status != http.StatusUnprocessableEntity {
		r.t.Errorf("status %d at %s, want 422:\n%s", r.status, r.at, r.text())
		return
	}
	invalid := r.page.Find(`[aria-invalid="true"]`)
	if invalid.Length() != 1 || invalid.AttrOr("name", "") != field {
		r.t.Errorf("%d fields are called wrong, the first %q; want %s", invalid.Length(), invalid.AttrOr("name", ""), field)
	}
	described := false
	for _, id := range strings.Fields(invalid.AttrOr("aria-describedby", "")) {
		described = described || line(r.page.Find("#"+id).Text()) != ""
	}
	if !described {
		r.t.Errorf("%s has no words that say what is wrong", field)
	}
}

func TestBadPaymentsAreRefusedWithWords(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	s.bounds(t, "10.00", "500.00")
	r, p := member(t, s, "300.00")
	before := s.rows(t)
	for name, c := range map[string]struct{ account, amount, field string }{
		"ИНН of 13 digits":     {"0020719961001", "100", "account"},
		"ИНН of 15 digits":     {"002071996100170", "100", "account"},
		"ИНН of letters":       {"ИНН компании", "100", "account"},
		"no ИНН":               {"", "100", "account"},
		"ИНН endless":          {strings.Repeat("1", 5000), "100", "account"},
		"nothing":              {p.inn, "", "amount"},
		"zero":                 {p.inn, "0", "amount"},
		"negative":             {p.inn, "-5", "amount"},
		"letters":              {p.inn, "abc", "amount"},
		"an exponent":          {p.inn, "1e3", "amount"},
		"three decimals":       {p.inn, "1.234", "amount"},
		"astronomical":         {p.inn, "99999999999999999999", "amount"},
		"above the balance":    {p.inn, "300,01", "amount"},
		"below the minimum":    {p.inn, "9,99", "amount"},
		"above the maximum":    {p.inn, "500,01", "amount"},
		"a script":             {p.inn, `"><script>alert(1)</script>`, "amount"},
		"a script for the ИНН": {`"><script>alert(1)</script>`, "100", "account"},
	} {
		t.Run(name, func(t *testing.T) {
			own := *r
			own.t = t
			own.order(c.account, c.amount)
			own.refused(c.field)
			if got := own.value("account"); len(c.account) < 100 && got != c.account {
				t.Errorf("account: typed %q, kept %q", c.account, got)
			}
			if got := own.value("amount"); got != c.amount {
				t.Errorf("amount: typed %q, kept %q", c.amount, got)
			}
		})
	}
	s.unchanged(t, before)
	r.order(p.inn, "500") // above the balance, within the bounds
	r.refused("amount")
	for _, amount := range []string{"10", "300"} {
		if r.order(p.inn, amount); !r.offers("Оплатить") {
			t.Errorf("%s som, at the very bound, is refused: %s", amount, r.text())
		}
	}
}

// bounds gives DosTek a minimum and a maximum, as an operator does.
func (s *site) bounds(t *testing.T, minimum, maximum string) {
	t.Helper()
	env := []string{"ELSOM_DATABASE_URL=" + s.database}
	exported := operate(t, env, "catalog", "export")
	begin := strings.Index(exported.out, "code: dostek\n    category")
	if exported.code != 0 || begin < 0 {
		t.Fatalf("catalog export: %d %s", exported.code, exported.err)
	}
	changed := exported.out[:begin] + strings.Replace(strings.Replace(exported.out[begin:],
		"minimum: none", `minimum: "`+minimum+`"`, 1), "maximum: none", `maximum: "`+maximum+`"`, 1)
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := operate(t, env, "catalog", "import", file); told.code != 0 {
		t.Fatalf("catalog import: %s\n%s", told.err, changed)
	}
	r := newReader(t, s)
	signUp(t, s, r, wordsOf[i18n.RU], somebody())
	for r.open("/pay/dostek"); !strings.Contains(r.text(), strings.ReplaceAll(maximum, ".", ",")); r.open("/pay/dostek") {
		continue // a running portal sees a new catalogue a moment later
	}
}

func TestBadNumbersAreRefusedWithWords(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	before := s.rows(t)
	for name, number := range map[string]string{
		"nothing": "", "letters": "кошелёк", "too short": "0700 12", "too long": "0700 123 456 7",
		"of another country": "+7 701 123 45 67", "a landline": "0312 960 888", "no such range": "0100 123 456",
	} {
		t.Run(name, func(t *testing.T) {
			r := newReader(t, s)
			r.open("/")
			r.fill("phone", number)
			r.press("Войти")
			r.refused("phone")
			if r.value("phone") != number {
				t.Errorf("typed %q, kept %q", number, r.value("phone"))
			}
		})
	}
	s.unchanged(t, before)
}

func TestBadSignUpsAreRefusedWithWords(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	for name, c := range map[string]struct {
		email, password string
		offer           bool
		field           string
	}{
		"no e-mail":         {"", "хороший пароль", true, "email"},
		"e-mail without @":  {"visitor.example.kg", "хороший пароль", true, "email"},
		"a short password":  {"visitor@example.kg", "семь_77", true, "password"},
		"a known password":  {"visitor@example.kg", "password123", true, "password"},
		"without the offer": {"visitor@example.kg", "хороший пароль", false, "offer"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReader(t, s)
			r.open("/")
			r.fill("phone", somebody().phone)
			r.press("Войти")
			r.fill("email", c.email)
			r.fill("password", c.password)
			if c.offer {
				r.tick("offer")
			}
			r.press("Зарегистрироваться")
			r.refused(c.field)
			if r.value("email") != c.email {
				t.Errorf("the e-mail %q became %q", c.email, r.value("email"))
			}
			if r.value("password") != "" {
				t.Error("the password came back")
			}
		})
	}
	if n := s.rows(t)["customers"]; n != 0 {
		t.Errorf("%d customers were made", n)
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "300.00")
	r.order(p.inn, "100")
	action, values := r.submission(r.control("Оплатить"))
	before := s.rows(t)
	stranger := func(origin, site string, form url.Values) int {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, s.base+action, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		if site != "" {
			request.Header.Set("Sec-Fetch-Site", site)
		}
		answer, err := r.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	other, _ := member(t, s, "")
	other.order(p.inn, "0") // a form of somebody else, with their token
	_, foreign := other.submission(other.control("Далее"))
	for name, status := range map[string]int{
		"no token, same origin":         stranger(s.base, "same-origin", url.Values{}),
		"no token, no headers":          stranger("", "", url.Values{}),
		"somebody else's token":         stranger(s.base, "same-origin", foreign),
		"right token from another site": stranger("https://evil.example", "cross-site", values),
		"right token, foreign origin":   stranger("https://evil.example", "", values),
	} {
		if status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", name, status)
		}
	}
	after := s.rows(t)
	for _, table := range []string{"payments"} {
		if after[table] != before[table] {
			t.Errorf("%s had %d rows, has %d", table, before[table], after[table])
		}
	}
	if status := stranger(s.base, "same-origin", values); status != http.StatusOK {
		t.Errorf("our own form: status %d", status)
	}
}

func TestWhatIsAnothersIsNotThere(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "300.00")
	r.order(p.inn, "100")
	check := r.at.String()
	r.press("Оплатить")
	receipt := r.at.String()
	r.open("/history")
	operation, ok := r.page.Find(`a[href^="/history/"], a[href^="/receipt/"]`).Attr("href")
	if !ok {
		t.Fatalf("no operation in the history: %s", r.text())
	}
	other, _ := member(t, s, "")
	for _, address := range []string{check, receipt, operation} {
		if other.visit(address); other.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", address, other.status)
		}
		if r.visit(address); r.status != http.StatusOK {
			t.Errorf("%s: its owner gets %d", address, r.status)
		}
		stranger := newReader(t, s)
		if stranger.visit(address); strings.Contains(stranger.text(), grouped(p.inn)) || stranger.at.String() == address {
			t.Errorf("%s is shown to nobody in particular", address)
		}
	}
}

func TestTooManyCodesAndPasswords(t *testing.T) {
	t.Parallel()
	s := sqlite(t)
	r, p := member(t, s, "")
	r.press("Выйти")
	guess := newReader(t, s)
	statuses := map[int]int{}
	for range 12 {
		guess.open("/")
		guess.fill("phone", p.phone)
		guess.press("Войти")
		if guess.status == http.StatusTooManyRequests {
			statuses[guess.status]++
			break
		}
		guess.fill("password", "неверный пароль")
		guess.press("Войти")
		statuses[guess.status]++
		if guess.path() == "/cabinet" {
			t.Fatal("a wrong password opened the cabinet")
		}
	}
	if statuses[http.StatusUnprocessableEntity] < 3 || statuses[http.StatusTooManyRequests] == 0 {
		t.Errorf("statuses of wrong passwords: %v", statuses)
	}
}

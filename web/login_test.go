package web_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"elsom/internal/customer"
)

func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.browser().open("/")
	before := h.books()
	for typed, words := range map[string]string{
		"":                  "Введите номер кошелька",
		"12345":             "Номер записан неверно",
		"0700 123 45":       "Номер записан неверно",
		"номер":             "Номер записан неверно",
		"+7 495 123 45 67":  "Это номер другой страны",
		"8 701 123 45 67":   "Это номер другой страны",
		"+1 202 555 0100":   "Это номер другой страны",
		"0312 986 000":      "Это городской номер",
		"+996 312 986 000":  "Это городской номер",
		"0700 123 456 7890": "Номер записан неверно",
		`"><b>`:             "Номер записан неверно",
	} {
		b.fill("phone", typed).press("Войти").answered(422).isAt("/").wrongAt(map[string]string{"phone": words})
		if b.value("phone") != typed {
			t.Errorf("typed %q, left %q", typed, b.value("phone"))
		}
	}
	h.unchanged("numbers that are none", before)
	if n := h.rows("SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions of a visitor who did nothing", n)
	}
	for _, typed := range []string{"0700 123 456", "700123456", "996700123456", "+996 700 123 456", "0700-12-34-56", " (0700) 123456 "} {
		b.open("/").fill("phone", typed).press("Войти").answered(200).isAt("/signup").says("+996 700 123 456")
	}
}

func TestBadSignUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти").isAt("/signup")
	if _, ticked := b.field("offer").Attr("checked"); ticked {
		t.Error("the offer is ticked for the person")
	}
	if href := b.field("offer").Closest("form").Find("a[href='/offer']"); href.Length() != 1 {
		t.Error("the offer can't be read")
	}
	before := h.books()
	for what, c := range map[string]struct {
		email, password string
		offer           bool
		wrong           map[string]string
	}{
		"no offer": {email, password, false, map[string]string{"offer": "примите публичную оферту"}},
		"nothing": {"", "", false, map[string]string{
			"email": "Укажите электронную почту", "password": "Введите пароль", "offer": "примите публичную оферту",
		}},
		"a bad address and a short password": {"aida@", "1234567", true, map[string]string{
			"email": "Проверьте адрес", "password": "нужно не меньше 8 знаков",
		}},
		"a common password": {email, "qwertyuiop", true, map[string]string{"password": "легко угадать"}},
		"the number":        {email, strings.TrimPrefix(number.String(), "+"), true, map[string]string{"password": "не должен быть номером"}},
		"a novel":           {email, strings.Repeat("я", 129), true, map[string]string{"password": "не больше 128 знаков"}},
		"a long address":    {strings.Repeat("a", 250) + "@example.kg", password, true, map[string]string{"email": "Адрес слишком длинный"}},
		"an invisible mark": {"aida\u200b@example.kg", password, true, map[string]string{"email": "невидимые знаки"}},
		"an isolate":        {"\u2066aida@example.kg\u2069", password, true, map[string]string{"email": "невидимые знаки"}},
		"a control mark":    {email, "семь\u0007знаков", true, map[string]string{"password": "нельзя набрать"}},
		"two addresses":     {"a@b.kg, c@d.kg", password, true, map[string]string{"email": "Проверьте адрес"}},
		"a header":          {"a@b.kg\r\nBcc: c@d.kg", password, true, map[string]string{"email": "Проверьте адрес"}},
	} {
		b.open("/signup").fill("email", c.email).fill("password", c.password)
		if c.offer {
			b.tick("offer")
		}
		b.press("Зарегистрироваться").answered(422).isAt("/signup").wrongAt(c.wrong)
		if _, ticked := b.field("offer").Attr("checked"); ticked != c.offer {
			t.Errorf("%s: the tick is lost", what)
		}
		if left := b.value("email"); left != c.email && what != "a header" {
			t.Errorf("%s: typed %q, left %q", what, c.email, left)
		}
		if strings.Contains(b.body, c.password) && len(c.password) > 7 && what != "the number" {
			t.Errorf("%s: the password is given back", what)
		}
	}
	h.unchanged("bad registrations", before)
}

// A pasted password that is too long is refused with words on every page that
// takes a new one; cut off by the browser, nobody would know what was set.
func TestLongPasswordIsNotCut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, long := h.holder(0), strings.Repeat("Ала-Тоо ", 16)+"!" // 129
	tooLong := map[string]string{"password": "не больше 128 знаков"}
	b := h.as(who).open("/settings")
	b.fill("old_password", password).fill("password", long).press("Сменить пароль").answered(422).wrongAt(tooLong)
	b = h.browser().open("/reset").fill("phone", who.Phone.String()).press("Получить код").isAt("/reset/confirm")
	b.fill("code", h.code(who.Phone)).fill("password", long).press("Сохранить пароль").answered(422).wrongAt(tooLong)
	b = h.browser().open("/").fill("phone", h.number().String()).press("Войти").isAt("/signup")
	b.fill("email", email).fill("password", long).tick("offer").press("Зарегистрироваться").answered(422).wrongAt(tooLong)

	// What is set is compared whole: neither its beginning nor more opens the wallet.
	whole := long[:len(long)-1]
	if _, err := h.customers.ChangePassword(t.Context(), who.ID, password, whole); err != nil {
		t.Fatal(err)
	}
	b = h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").isAt("/login")
	b.fill("password", long).press("Войти").answered(422)
	b.fill("password", whole[:len(whole)-2]).press("Войти").answered(422)
	b.fill("password", whole).press("Войти").isAt("/cabinet")
}

// The same letters from another keyboard open the wallet, and the next login finds
// the hash renewed.
func TestPasswordOfAnotherKeyboard(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(0)
	old, err := argon2id.CreateHash("Кара-Кои\u0306 весной", &argon2id.Params{Memory: hashed.MemoryKiB, Iterations: hashed.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	must(t, err)
	h.exec("UPDATE customers SET password_hash = $1 WHERE id = $2", old, who.ID)
	logIn := func(text string) *browser {
		b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").isAt("/login")
		return b.fill("password", text).press("Войти")
	}
	logIn("Кара-Кой весной").answered(422) // the hash is of what was typed on the day
	logIn("Кара-Кои\u0306 весной").isAt("/cabinet")
	logIn("Кара-Кой весной").isAt("/cabinet")
	logIn("Кара-Кои\u0306\u00a0весной").isAt("/cabinet")
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти").isAt("/signup")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").isAt("/confirm")
	if h.rows("SELECT COUNT(*) FROM customers") != 0 {
		t.Error("a wallet is opened before the number is proved")
	}
	code := h.code(number)
	for typed, words := range map[string]string{
		"": "Введите код из СМС", "12345": "состоит из 6 цифр", "abcdef": "состоит из 6 цифр", wrong(code): "Код из СМС не подходит",
	} {
		b.fill("code", typed).press("Подтвердить").answered(422).isAt("/confirm").wrongAt(map[string]string{"code": words})
		if b.value("code") != typed {
			t.Errorf("typed %q, left %q", typed, b.value("code"))
		}
	}
	// The code is good in the browser that it was asked for in, nowhere else.
	other := h.browser().open("/").fill("phone", number.String()).press("Войти").open("/confirm").isAt("/")
	if other.page.Find("main [name=code]").Length() > 0 {
		t.Error("another browser is asked for the code")
	}
	b.fill("code", code[:3]+" "+code[3:]).press("Подтвердить").answered(200).isAt("/cabinet")
	if b.data("balance") != "0" {
		t.Errorf("a new wallet holds %s", b.data("balance"))
	}
	if n := h.rows("SELECT COUNT(*) FROM offer_acceptances WHERE address = '192.0.2.7'"); n != 1 {
		t.Errorf("the offer is accepted %d times", n)
	}
	b.press("Выйти").isAt("/")
	b.logIn(number, password)
	b.isAt("/cabinet")
}

// «Подтвердить» pressed many times opens one wallet, and every answer leads to it.
func TestConfirmPressedManyTimes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").isAt("/confirm")
	b.fill("code", h.code(number))
	_, action, values := b.form(b.control("Подтвердить"))
	cookies := b.jar.Cookies(b.at)
	var sent sync.WaitGroup
	var signedIn atomic.Int64
	for range 5 { // as many as a code may be tried
		request := httptest.NewRequest(http.MethodPost, action, strings.NewReader(values.Encode()))
		request.Host = b.at.Host
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, cookie := range cookies {
			request.AddCookie(cookie)
		}
		sent.Go(func() {
			answer := httptest.NewRecorder()
			h.server.ServeHTTP(answer, request)
			if answer.Code != http.StatusSeeOther {
				t.Errorf("answered %d", answer.Code)
			}
			for _, cookie := range answer.Result().Cookies() {
				if cookie.Name == "elsom" {
					signedIn.Add(1)
					b.jar.SetCookies(b.at, []*http.Cookie{cookie})
				}
			}
		})
	}
	sent.Wait()
	if signedIn.Load() != 1 || h.rows("SELECT COUNT(*) FROM customers") != 1 {
		t.Errorf("%d were signed in", signedIn.Load())
	}
	b.open("/cabinet").isAt("/cabinet").answered(200)
}

// Between the first step and the second somebody else may have registered the
// number: the pages are the same, only the SMS says so.
func TestSignUpOfAKnownNumberTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var who customer.Customer
	var pages []string
	for _, taken := range []bool{true, false} {
		number := h.number()
		b := h.browser().open("/").fill("phone", number.String()).press("Войти").isAt("/signup")
		if taken {
			who = h.holderOf(number, 0)
		}
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").isAt("/confirm").answered(200)
		pages = append(pages, masked(b))
		b.fill("code", "123456").press("Подтвердить").answered(422)
		pages = append(pages, masked(b))
	}
	if pages[0] != pages[2] || pages[1] != pages[3] {
		t.Errorf("the pages differ:\n%s\n%s", strings.Join(pages[:2], "\n"), strings.Join(pages[2:], "\n"))
	}
	if text := h.messages(who.Phone); len(text) != 1 || !strings.Contains(text[0], "уже зарегистрирован") || digits.MatchString(text[0]) {
		t.Errorf("the holder is told %q", text)
	}
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t) // counted whether or not the counters are on
	number := h.number()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
	code := h.code(number)
	for range 4 {
		b.fill("code", wrong(code)).press("Подтвердить").answered(422).wrongAt(map[string]string{"code": "Код из СМС не подходит"})
	}
	b.fill("code", wrong(code)).press("Подтвердить").answered(422).wrongAt(map[string]string{"code": "Попытки для этого кода из СМС закончились"})
	b.fill("code", code).press("Подтвердить").answered(429).wrongAt(map[string]string{"code": "Попытки для этого кода из СМС закончились"})
	b.retryAfter(time.Minute)
	if h.rows("SELECT COUNT(*) FROM customers") != 0 {
		t.Error("the sixth try opened a wallet")
	}
	b.press("Отправить ещё раз").answered(429).says("Попробуйте снова через 1 минуту")
	h.wait(61 * time.Second)
	b.open("/confirm").press("Отправить ещё раз").answered(200).isAt("/confirm").says("Новый код отправлен")
	b.fill("code", code).press("Подтвердить").answered(422)
	b.fill("code", h.code(number)).press("Подтвердить").isAt("/cabinet")
}

func TestLateCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
	code := h.code(number)
	h.wait(10*time.Minute + time.Second)
	b.fill("code", code).press("Подтвердить").answered(422).wrongAt(map[string]string{"code": "Срок кода из СМС истёк"})
}

// retryAfter checks that a refusal says when to come back, within so long.
func (b *browser) retryAfter(most time.Duration) {
	b.t.Helper()
	seconds, err := strconv.Atoi(b.header.Get("Retry-After"))
	if err != nil || seconds < 1 || time.Duration(seconds)*time.Second > most {
		b.t.Errorf("%s: Retry-After %q", b.at, b.header.Get("Retry-After"))
	}
}

func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	h := houseWith(t, setting{limits: true})
	who := h.holder(100_00)
	b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").isAt("/login")
	for range 5 {
		b.fill("password", "что-то другое").press("Войти").answered(422).isAt("/login").wrongAt(map[string]string{"password": "Пароль не подходит"})
	}
	b.fill("password", password).press("Войти").answered(429).isAt("/login").says("Слишком много попыток. Попробуйте снова через 5 минут")
	b.retryAfter(5 * time.Minute)
	elsewhere := h.browser() // the owner is not locked out
	elsewhere.from = "198.51.100.4:99"
	elsewhere.open("/")
	elsewhere.logIn(who.Phone, password)
	elsewhere.isAt("/cabinet")
	h.wait(5*time.Minute + time.Second)
	b.fill("password", password).press("Войти").isAt("/cabinet")
}

// Whoever comes to the password page with a number that is nobody's sees what
// they would see with a known one.
func TestUnknownNumberAtLogin(t *testing.T) {
	t.Parallel()
	h := houseWith(t, setting{limits: true})
	known, unknown := h.browser(), h.browser()
	unknown.from = "198.51.100.4:99"
	known.open("/").fill("phone", h.holder(0).Phone.String()).press("Войти").isAt("/login")
	unknown.open("/").fill("phone", h.number().String()).press("Войти").open("/login").isAt("/login")
	for i := range 7 {
		if a, b := masked(known), masked(unknown); known.status != unknown.status || a != b ||
			(known.header.Get("Retry-After") == "") != (unknown.header.Get("Retry-After") == "") {
			t.Fatalf("try %d: %d and %d\n%s\n%s", i, known.status, unknown.status, a, b)
		}
		for _, b := range []*browser{known, unknown} {
			b.fill("password", "горы весной "+strconv.Itoa(i)).press("Войти")
		}
	}
	if known.status != http.StatusTooManyRequests {
		t.Errorf("after seven tries: %d", known.status)
	}
}

func TestLogOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.as(h.holder(100_00))
	stolen := h.browser()
	stolen.jar.SetCookies(b.at, b.jar.Cookies(b.at))
	stolen.open("/cabinet").isAt("/cabinet")
	b.press("Выйти").isAt("/")
	b.open("/cabinet").isAt("/")
	stolen.open("/cabinet").isAt("/")
}

// A cookie that somebody planted before the login is worth nothing after it.
func TestSessionIsNewAfterLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(100_00)
	b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти")
	planted := h.browser()
	planted.jar.SetCookies(b.at, b.jar.Cookies(b.at))
	before := b.jar.Cookies(b.at)[0].Value
	b.fill("password", password).press("Войти").isAt("/cabinet")
	if after := b.jar.Cookies(b.at)[0].Value; after == before {
		t.Error("the login keeps the visitor's token")
	}
	planted.open("/cabinet").isAt("/")
}

func TestChangeOfPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, fresh := h.holder(300_00), "ветер над озером 7"
	b, other := h.as(who), h.as(who)
	b.open("/settings").fill("old_password", "не тот").fill("password", fresh).press("Сменить").answered(422).
		wrongAt(map[string]string{"old_password": "Текущий пароль не подходит"})
	b.fill("old_password", password).fill("password", "короче").press("Сменить").answered(422).
		wrongAt(map[string]string{"password": "слишком короткий"})
	other.open("/settings").answered(200)
	b.fill("old_password", password).fill("password", fresh).press("Сменить").isAt("/settings").says("Пароль изменён")
	other.open("/cabinet").isAt("/")
	b.open("/cabinet").isAt("/cabinet")
	if texts := h.messages(who.Phone); len(texts) == 0 || !strings.Contains(texts[0], "пароль для сайта изменён") {
		t.Errorf("the holder is told %q", texts)
	}
	b.draft(company, "250").press("Оплатить") // who knew the old password isn't held
	h.holds(who, 50_00)
}

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
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func TestInvalidNumbers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browser().open("/")
	before := app.counts()
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
		b.fill("phone", typed).press("Войти").wantStatus(422).wantPath("/").wantErrors(map[string]string{"phone": words})
		if b.value("phone") != typed {
			t.Errorf("typed %q, left %q", typed, b.value("phone"))
		}
	}
	app.wantUnchanged("numbers that are none", before)
	if n := app.count("SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions of a visitor who did nothing", n)
	}
	for _, typed := range []string{"0700 123 456", "700123456", "996700123456", "+996 700 123 456", "0700-12-34-56", " (0700) 123456 "} {
		b.open("/").fill("phone", typed).press("Войти").wantStatus(200).wantPath("/signup").shows("+996 700 123 456")
	}
}

func TestInvalidSignUp(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти").wantPath("/signup")
	if _, ticked := b.field("offer").Attr("checked"); ticked {
		t.Error("the offer is ticked for the person")
	}
	if href := b.field("offer").Closest("form").Find("a[href='/offer']"); href.Length() != 1 {
		t.Error("the offer can't be read")
	}
	before := app.counts()
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
		b.press("Зарегистрироваться").wantStatus(422).wantPath("/signup").wantErrors(c.wrong)
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
	app.wantUnchanged("bad registrations", before)
}

// A new password that is too long is refused with a message on every page. A browser
// that cut it would set an unknown password.
func TestLongPasswordIsNotCut(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, long := app.newCustomer(0), strings.Repeat("Ала-Тоо ", 16)+"!" // 129
	tooLong := map[string]string{"password": "не больше 128 знаков"}
	b := app.browserOf(holder).open("/settings")
	b.fill("old_password", password).fill("password", long).press("Сменить пароль").wantStatus(422).wantErrors(tooLong)
	b = app.browser().open("/reset").fill("phone", holder.Phone.String()).press("Получить код").wantPath("/reset/confirm")
	b.fill("code", app.code(holder.Phone)).fill("password", long).press("Сохранить пароль").wantStatus(422).wantErrors(tooLong)
	b = app.browser().open("/").fill("phone", app.newNumber().String()).press("Войти").wantPath("/signup")
	b.fill("email", email).fill("password", long).tick("offer").press("Зарегистрироваться").wantStatus(422).wantErrors(tooLong)

	// The whole password is compared: neither a prefix nor a longer text matches.
	whole := long[:len(long)-1]
	if _, err := app.Customers.ChangePassword(t.Context(), holder.ID, password, whole); err != nil {
		t.Fatal(err)
	}
	b = app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").wantPath("/login")
	b.fill("password", long).press("Войти").wantStatus(422)
	b.fill("password", whole[:len(whole)-2]).press("Войти").wantStatus(422)
	b.fill("password", whole).press("Войти").wantPath("/cabinet")
}

// The same letters in another Unicode form match, and the login updates the hash.
func TestPasswordFromAnotherKeyboard(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	old, err := argon2id.CreateHash("Кара-Кои\u0306 весной", &argon2id.Params{Memory: testkit.WeakHash.MemoryKiB, Iterations: testkit.WeakHash.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	require.NoError(t, err)
	app.exec("UPDATE customers SET password_hash = $1 WHERE id = $2", old, holder.ID)
	app.resign()
	logIn := func(text string) *browser {
		b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").wantPath("/login")
		return b.fill("password", text).press("Войти")
	}
	logIn("Кара-Кой весной").wantStatus(422) // the hash is of what was typed on the day
	logIn("Кара-Кои\u0306 весной").wantPath("/cabinet")
	logIn("Кара-Кой весной").wantPath("/cabinet")
	logIn("Кара-Кои\u0306\u00a0весной").wantPath("/cabinet")
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти").wantPath("/signup")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantPath("/confirm")
	if app.count("SELECT COUNT(*) FROM customers") != 0 {
		t.Error("a wallet is opened before the number is proved")
	}
	code := app.code(number)
	for typed, words := range map[string]string{
		"": "Введите код из СМС", "12345": "состоит из 6 цифр", "abcdef": "состоит из 6 цифр", wrongCode(code): "Код из СМС не подходит",
	} {
		b.fill("code", typed).press("Подтвердить").wantStatus(422).wantPath("/confirm").wantErrors(map[string]string{"code": words})
		if b.value("code") != typed {
			t.Errorf("typed %q, left %q", typed, b.value("code"))
		}
	}
	// The code is valid only in the browser that requested it.
	other := app.browser().open("/").fill("phone", number.String()).press("Войти").open("/confirm").wantPath("/")
	if other.page.Find("main [name=code]").Length() > 0 {
		t.Error("another browser is asked for the code")
	}
	b.fill("code", code[:3]+" "+code[3:]).press("Подтвердить").wantStatus(200).wantPath("/cabinet")
	if b.data("balance") != "0" {
		t.Errorf("a new wallet holds %s", b.data("balance"))
	}
	if n := app.count("SELECT COUNT(*) FROM offer_acceptances WHERE address = '192.0.2.7'"); n != 1 {
		t.Errorf("the offer is accepted %d times", n)
	}
	b.press("Выйти").wantPath("/")
	b.logIn(number, password)
	b.wantPath("/cabinet")
}

// Concurrent «Подтвердить» requests open one wallet, and each is redirected to it.
func TestConfirmPressedManyTimes(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantPath("/confirm")
	b.fill("code", app.code(number))
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
			app.server.ServeHTTP(answer, request)
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
	if signedIn.Load() != 1 || app.count("SELECT COUNT(*) FROM customers") != 1 {
		t.Errorf("%d were signed in", signedIn.Load())
	}
	b.open("/cabinet").wantPath("/cabinet").wantStatus(200)
}

// If the number was registered between the first step and the second, the pages are
// the same; only the SMS says so.
func TestSignUpDoesNotRevealKnownNumbers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var holder customer.Customer
	var pages []string
	for _, taken := range []bool{true, false} {
		number := app.newNumber()
		b := app.browser().open("/").fill("phone", number.String()).press("Войти").wantPath("/signup")
		if taken {
			holder = app.newCustomerWith(number, 0)
		}
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantPath("/confirm").wantStatus(200)
		pages = append(pages, masked(b))
		b.fill("code", "123456").press("Подтвердить").wantStatus(422)
		pages = append(pages, masked(b))
	}
	if pages[0] != pages[2] || pages[1] != pages[3] {
		t.Errorf("the pages differ:\n%s\n%s", strings.Join(pages[:2], "\n"), strings.Join(pages[2:], "\n"))
	}
	if text := app.messages(holder.Phone); len(text) != 1 || !strings.Contains(text[0], "уже зарегистрирован") || digits.MatchString(text[0]) {
		t.Errorf("the holder is told %q", text)
	}
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	app := newApp(t) // counted whether or not the counters are on
	number := app.newNumber()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
	code := app.code(number)
	for range 4 {
		b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Код из СМС не подходит"})
	}
	b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Попытки для этого кода из СМС закончились"})
	b.fill("code", code).press("Подтвердить").wantStatus(429).wantErrors(map[string]string{"code": "Попытки для этого кода из СМС закончились"})
	b.retryAfter(time.Minute)
	if app.count("SELECT COUNT(*) FROM customers") != 0 {
		t.Error("the sixth try opened a wallet")
	}
	b.press("Отправить ещё раз").wantStatus(429).shows("Попробуйте снова через 1 минуту")
	app.advance(61 * time.Second)
	b.open("/confirm").press("Отправить ещё раз").wantStatus(200).wantPath("/confirm").shows("Новый код отправлен")
	b.fill("code", code).press("Подтвердить").wantStatus(422)
	b.fill("code", app.code(number)).press("Подтвердить").wantPath("/cabinet")
}

func TestExpiredCode(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
	code := app.code(number)
	app.advance(10*time.Minute + time.Second)
	b.fill("code", code).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Срок кода из СМС истёк"})
}

// retryAfter checks that a refusal has a Retry-After of at most the given time.
func (b *browser) retryAfter(most time.Duration) {
	b.t.Helper()
	seconds, err := strconv.Atoi(b.header.Get("Retry-After"))
	if err != nil || seconds < 1 || time.Duration(seconds)*time.Second > most {
		b.t.Errorf("%s: Retry-After %q", b.at, b.header.Get("Retry-After"))
	}
}

func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	holder := app.newCustomer(100_00)
	b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").wantPath("/login")
	for range 5 {
		b.fill("password", "что-то другое").press("Войти").wantStatus(422).wantPath("/login").wantErrors(map[string]string{"password": "Пароль не подходит"})
	}
	b.fill("password", password).press("Войти").wantStatus(429).wantPath("/login").shows("Слишком много попыток. Попробуйте снова через 5 минут")
	b.retryAfter(5 * time.Minute)
	elsewhere := app.browser() // the owner is not locked out
	elsewhere.from = "198.51.100.4:99"
	elsewhere.open("/")
	elsewhere.logIn(holder.Phone, password)
	elsewhere.wantPath("/cabinet")
	app.advance(5*time.Minute + time.Second)
	b.fill("password", password).press("Войти").wantPath("/cabinet")
}

// The password page is the same for unknown and known numbers.
func TestLoginDoesNotRevealUnknownNumbers(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	known, unknown := app.browser(), app.browser()
	unknown.from = "198.51.100.4:99"
	known.open("/").fill("phone", app.newCustomer(0).Phone.String()).press("Войти").wantPath("/login")
	unknown.open("/").fill("phone", app.newNumber().String()).press("Войти").open("/login").wantPath("/login")
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
	app := newApp(t)
	b := app.browserOf(app.newCustomer(100_00))
	stolen := app.browser()
	stolen.jar.SetCookies(b.at, b.jar.Cookies(b.at))
	stolen.open("/cabinet").wantPath("/cabinet")
	b.press("Выйти").wantPath("/")
	b.open("/cabinet").wantPath("/")
	stolen.open("/cabinet").wantPath("/")
}

// A session cookie planted before the login is invalid after it.
func TestSessionIsNewAfterLogin(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(100_00)
	b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти")
	planted := app.browser()
	planted.jar.SetCookies(b.at, b.jar.Cookies(b.at))
	before := b.jar.Cookies(b.at)[0].Value
	b.fill("password", password).press("Войти").wantPath("/cabinet")
	if after := b.jar.Cookies(b.at)[0].Value; after == before {
		t.Error("the login keeps the visitor's token")
	}
	planted.open("/cabinet").wantPath("/")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, fresh := app.newCustomer(300_00), "ветер над озером 7"
	b, other := app.browserOf(holder), app.browserOf(holder)
	b.open("/settings").fill("old_password", "не тот").fill("password", fresh).press("Сменить").wantStatus(422).
		wantErrors(map[string]string{"old_password": "Текущий пароль не подходит"})
	b.fill("old_password", password).fill("password", "короче").press("Сменить").wantStatus(422).
		wantErrors(map[string]string{"password": "слишком короткий"})
	other.open("/settings").wantStatus(200)
	b.fill("old_password", password).fill("password", fresh).press("Сменить").wantPath("/settings").shows("Пароль изменён")
	other.open("/cabinet").wantPath("/")
	b.open("/cabinet").wantPath("/cabinet")
	if texts := app.messages(holder.Phone); len(texts) == 0 || !strings.Contains(texts[0], "пароль для сайта изменён") {
		t.Errorf("the holder is told %q", texts)
	}
	b.draft(company, "250").press("Оплатить") // who knew the old password isn't held
	app.wantBalance(holder, 50_00)
}

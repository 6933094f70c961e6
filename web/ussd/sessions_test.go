package ussd_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/ussdsession"
	"elsom/web/ussd"
)

// toCheck walks to the check screen of a payment.
func (c *phoneCall) toCheck(amount string) string {
	c.h.t.Helper()
	return c.all("3", "3", "14", "14", company, amount)
}

func TestRefusedCallers(t *testing.T) {
	h := sqlite(t)
	for number, want := range map[phone.Number]string{
		"+996700123456": "END *900# работает у Megacom и Beeline. Откройте сайт elsom.kg или приложение.",
		"+996912123456": "END *900# работает у Megacom и Beeline. Откройте сайт elsom.kg или приложение.",
	} {
		if got := h.dial(number).screen; got != want {
			t.Errorf("%s: %s", number, got)
		}
	}
	blocked := h.number()
	h.register(blocked, "ky")
	c, err := h.Customers.ByPhone(t.Context(), blocked)
	require.NoError(t, err)
	testkit.Block(t, h.Customers, c.ID)
	if got := h.dial(blocked).screen; !strings.HasPrefix(got, "END Капчык бөгөттөлгөн") {
		t.Error(got)
	}
	form := func(changes ...string) url.Values {
		f := url.Values{"sessionId": {"x"}, "serviceCode": {"*900#"}, "phoneNumber": {"+996550999999"}, "text": {""}}
		for i := 0; i < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}
		return f
	}
	for _, f := range []url.Values{
		form("serviceCode", "*901#"), form("serviceCode", ""), form("phoneNumber", ""), form("phoneNumber", "0312960888"),
		form("phoneNumber", "+79161234567"), form("sessionId", ""),
	} {
		if status, body := h.post(f, "ussd", "dev-ussd"); status != http.StatusOK || body != "END Нет такой команды. Наберите *900#" {
			t.Errorf("%v: %d %q", f, status, body)
		}
	}
	for _, basic := range [][2]string{{"ussd", "guess"}, {"unknown", "dev-ussd"}, {"", ""}} {
		if status, body := h.post(form(), basic[0], basic[1]); status != http.StatusUnauthorized {
			t.Errorf("%v: %d %q", basic, status, body)
		}
	}
	if status, _ := h.post(form("text", strings.Repeat("1*", 40_000)), "ussd", "dev-ussd"); status != http.StatusBadRequest {
		t.Errorf("80 kB: %d", status)
	}
}

func TestInvalidInputs(t *testing.T) {
	h := sqlite(t)
	call := h.dial(h.number())
	call.all("2", "1")
	for _, name := range []string{"Я", "А Б", strings.Repeat("Ы", 200), "Бакыт 😀", "1", "Бакыт", strings.Repeat("y", 10_000)} {
		if got := call.press(name); !strings.HasSuffix(got, "Введите имя и фамилию: / 0 Назад") {
			t.Errorf("%.20s: %s", name, got)
		}
	}
	call.press("Бакыт Асанов")
	for _, number := range []string{"1", "2150319850012", "215031985001234", "2150319850012а", "*", "**"} {
		if got := call.press(number); !strings.HasPrefix(got, "CON ИНН - это 14 цифр. / Введите личный ИНН") {
			t.Errorf("%s: %s", number, got)
		}
	}
	if got := call.press("91503198500123"); !strings.Contains(got, "Сверьте ИНН 91503198500123") {
		t.Errorf("an unusual ИНН: %s", got)
	}
	number := h.holder("7391", 100_000)
	call = h.dial(number)
	if got := call.press("7"); got != "CON Нет такого пункта. / 1 Перевод на кошелёк / 3 Платежи/Комм.услуги / 8 Баланс/Настройки" {
		t.Error(got)
	}
	call.all("3", "3", "14", "14")
	if got := call.press("0020719961001"); got != "CON ИНН - это 14 цифр. / Достэк / ИНН компании, 14 цифр: / 0 Назад" {
		t.Error(got)
	}
	call.press(company)
	for typed, want := range map[string]string{
		"0": "", "-5": "Неверная сумма.", "1e3": "Неверная сумма.", "1,234": "Неверная сумма.", "5*5": "Неверная сумма.", "**": "Неверная сумма.",
		"999999999999999": "Неверная сумма.",
	} {
		if want == "" {
			continue
		}
		if got := call.press(typed); got != "CON "+want+" / Введите сумму (сом): / 0 Назад" {
			t.Errorf("%s: %s", typed, got)
		}
	}
	if got := call.press("0"); !strings.HasPrefix(got, "CON Достэк") {
		t.Errorf("back: %s", got)
	}
	if b := h.balance(number); b != 100_000 {
		t.Errorf("the balance is %s", b)
	}
}

// Repeats get the same answer and have no second effect.
func TestRepeats(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		call := h.dial(number)
		call.toCheck("100")
		call.text += "*7391"
		var all sync.WaitGroup
		answers := make([]string, 8)
		for i := range answers {
			all.Go(func() { answers[i] = call.send() })
		}
		all.Wait()
		last := call.send()
		for _, got := range slices.Concat(answers, []string{last}) {
			if got != answers[0] || !strings.HasPrefix(got, "END Платёж принят. Код") {
				t.Errorf("%s, first %s", got, answers[0])
			}
		}
		if got := call.press("1"); got != answers[0] {
			t.Errorf("after the end: %s", got)
		}
		if b := h.balance(number); b != 90_000 {
			t.Errorf("the balance is %s", b)
		}
		again := h.dial(number)
		at := again.all("8")
		again.text = "3" // doesn't continue "8"
		if got := again.send(); got != at {
			t.Errorf("another text: %s, was %s", got, at)
		}
	})
}

// The lease of a process that died expires, and the next request is answered.
func TestLeaseOfDeadProcessExpires(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		call := h.dial(number)
		call.toCheck("100")
		found, _, err := h.ussdSessions.Find(t.Context(), ussdsession.Name{Gateway: "ussd", Session: call.session, Phone: number.String()})
		require.NoError(t, err)
		if won, err := h.ussdSessions.Acquire(t.Context(), found); err != nil || !won {
			t.Fatal(won, err)
		}
		// The dead process had accepted the payment.
		if got := call.press("7391"); !strings.HasPrefix(got, "END Платёж принят") {
			t.Error(got)
		}
		if b := h.balance(number); b != 90_000 {
			t.Errorf("the balance is %s", b)
		}
	})
}

func TestTwoSessionsSpendOnce(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		calls := []*phoneCall{h.dial(number), h.dial(number)}
		for _, c := range calls {
			c.toCheck("1000")
		}
		var all sync.WaitGroup
		for _, c := range calls {
			all.Go(func() { c.press("7391") })
		}
		all.Wait()
		paid, refused := 0, 0
		for _, c := range calls {
			switch {
			case strings.HasPrefix(c.screen, "END Платёж принят"):
				paid++
			case c.screen == "END Недостаточно средств. Деньги не списаны.":
				refused++
			default:
				t.Error(c.screen)
			}
		}
		if paid != 1 || refused != 1 || h.balance(number) != 0 {
			t.Errorf("%d paid, %d refused, balance %s", paid, refused, h.balance(number))
		}
	})
}

func TestSessionBelongsToItsNumber(t *testing.T) {
	h := sqlite(t)
	call := h.dial(h.holder("7391", 100_000))
	call.toCheck("100")
	call.number = h.holder("7391", 0)
	if got := call.press("7391"); got != "END Сеанс окончен. Если Вы подтвердили платёж, не повторяйте: итог придёт в СМС." {
		t.Error(got)
	}
}

func TestSessionsExpire(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		call := h.dial(h.holder("7391", 100_000))
		call.toCheck("100")
		h.wait(ussdsession.Lifetime + time.Second)
		if got := call.press("7391"); got != "END Сеанс окончен. Если Вы подтвердили платёж, не повторяйте: итог придёт в СМС." {
			t.Error(got)
		}
		if n, err := h.ussdSessions.Purge(t.Context()); err != nil || n == 0 {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}

func TestPINChangeAndLock(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		// An aborted change has no effect.
		h.dial(number).all("8", "3", "7391", "8264")
		if got := h.dial(number).all("8", "1", "7391"); got != "END Калдык: 1 000,00 сом" && got != "END Баланс: 1 000,00 сом" {
			t.Error(got)
		}
		call := h.dial(number)
		call.all("8", "3", "7391")
		for input, want := range map[string]string{"1111": "Слишком простой ПИН.", "12": "ПИН - это 4 цифры:"} {
			if got := call.press(input); got != "CON "+want+" / Новый ПИН, 4 цифры: / 0 Назад" {
				t.Errorf("%s: %s", input, got)
			}
		}
		call.press("8264")
		if got := call.press("8265"); got != "CON ПИН не совпали. / Новый ПИН, 4 цифры: / 0 Назад" {
			t.Error(got)
		}
		// Five wrong PINs over both channels lock it, for the right one too.
		c, err := h.Customers.ByPhone(t.Context(), number)
		require.NoError(t, err)
		for range 3 {
			if err := h.Customers.CheckPIN(t.Context(), c.ID, "0000", "site", ""); err == nil {
				t.Fatal("a wrong PIN was accepted")
			}
		}
		call = h.dial(number)
		if got := call.all("8", "1", "0001"); !strings.HasPrefix(got, "CON Неверный ПИН, осталось 1") {
			t.Error(got)
		}
		if got := call.press("0002"); !strings.HasPrefix(got, "END ПИН закрыт до ") {
			t.Error(got)
		}
		if got := h.dial(number).all("8", "1", "7391"); !strings.HasPrefix(got, "END ПИН закрыт до ") {
			t.Error(got)
		}
	})
}

// The PIN of the SMS confirms one payment; after it, only the change of PIN.
func TestPINFromSMS(t *testing.T) {
	h := sqlite(t)
	number := h.number()
	h.register(number, "ru")
	h.fund(number, 100_000)
	first := h.pin(number)
	if got := h.dial(number).all("8", "5"); got != "END Новый ПИН придёт в СМС." {
		t.Error(got)
	}
	var pin string
	for pin = first; pin == first; pin = h.pin(number) {
		time.Sleep(20 * time.Millisecond)
	}
	if got := h.dial(number).all("8", "1", pin); !strings.Contains(got, "1 000,00") {
		t.Error(got)
	}
	call := h.dial(number)
	call.toCheck("100")
	if got := call.press(pin); !strings.HasPrefix(got, "END Платёж принят") {
		t.Error(got)
	}
	call = h.dial(number)
	call.toCheck("100")
	if got := call.press(pin); got != "END ПИН из СМС использован. Смените его: *900#, 8, 3." {
		t.Error(got)
	}
	if got := h.dial(number).press("8"); strings.Contains(got, "5 ") {
		t.Errorf("a used PIN is offered again: %s", got)
	}
	if got := h.dial(number).all("8", "3", pin, "7391", "7391"); got != "END ПИН изменён." {
		t.Error(got)
	}
}

func TestTransferAndOperations(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number, other := h.holder("7391", 100_000), h.holder("8264", 0)
		call := h.dial(number)
		h.script(t, call, `
			1 → CON Номер кошелька получателя: / 0 Назад
			12 → CON Неверный номер. / Номер кошелька получателя: / 0 Назад
			`+other.National()+` → CON Введите сумму (сом): / 0 Назад
			250,50 → CON +996 550 …Бакыт А. / 250,50 сом / Без комиссии / Введите ПИН: / 0 Назад
			7392 → CON …Неверный ПИН, осталось 4:
			7391 → END Отправлено 250,50 сом. Получатель: +996 550 …`)
		if h.balance(number) != 74_950 || h.balance(other) != 25_050 {
			t.Errorf("balances %s and %s", h.balance(number), h.balance(other))
		}
		call = h.dial(number)
		h.script(t, call, `
			8 → …
			4 → CON Введите ПИН: / 0 Назад
			7391 → CON …-250,50 Перевод / …
			0 → …
			2 → CON Язык / 1 Кыргызча / 2 Русский / 3 English / 0 Назад
			1 → CON Тил өзгөртүлдү. / …1 Капчыкка которуу …`)
		call = h.dial(number)
		if got := call.all("1", "0555999888", "10"); !strings.HasPrefix(got, "CON Мындай капчык жок.") {
			t.Error(got)
		}
	})
}

// Each kind of fault has a last screen.
func TestEachFaultKindHasScreen(t *testing.T) {
	for _, kind := range fault.Kinds() {
		if got := ussd.Sentence(kind); got == "" || strings.Contains(got, "⟨") {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

// Numbered inputs arrive late, repeated and out of order.
func TestNumberedInputs(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		now := h.DB.Now()
		say := func(id, text string, at time.Time) string {
			t.Helper()
			s, err := h.handler.Respond(t.Context(), ussd.Input{
				Gateway: "kannel", Session: "7", Phone: number.String(), ServiceCode: "*900#", Style: ussd.Numbered, ID: id, Text: text, At: at,
			})
			require.NoError(t, err)
			return strings.ReplaceAll(s.Text, "\n", " / ")
		}
		expired := "Сеанс окончен. Наберите *900# снова."
		if got := say("a", "*900#", now.Add(-200*time.Second)); got != expired {
			t.Errorf("too old: %s", got)
		}
		main := say("b", "*900#", now)
		if !strings.HasPrefix(main, "ЭЛСОМ / 1 ") {
			t.Fatal(main)
		}
		pay := say("c", "3", now.Add(time.Second))
		if got := say("c", "3", now.Add(time.Second)); got != pay {
			t.Errorf("a repeat: %s", got)
		}
		// The same text under another id is another input.
		if got := say("d", "3", now.Add(2*time.Second)); !strings.HasPrefix(got, "Категория") {
			t.Errorf("a second 3: %s", got)
		}
		if got := say("c", "3", now.Add(2*time.Second)); !strings.HasPrefix(got, "Категория") {
			t.Errorf("a late repeat: %s", got)
		}
		if got := say("z", "14", now.Add(-time.Second)); got != expired {
			t.Errorf("an input older than the last one: %s", got)
		}
		if got := say("e", "*900#", now.Add(3*time.Second)); got != main {
			t.Errorf("dialed again: %s", got)
		}
	})
}

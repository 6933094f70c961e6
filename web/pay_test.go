package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"elsom/internal/biller"
	"elsom/internal/testkit"
)

// draft opens the form, types and presses «Далее».
func (b *browser) draft(account, amount string) *browser {
	b.t.Helper()
	return b.open("/pay/dostek").fill("account", account).fill("amount", amount).press("Далее")
}

func TestInvalidOrder(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.changeCatalog("    identifier: inn\n    minimum: \"1.00\"\n    maximum: none\n    fee: none\n",
		"    identifier: inn\n    minimum: \"10\"\n    maximum: \"500\"\n    fee: {percent: \"1.5\", fixed: \"2\"}\n")
	holder := app.newCustomer(400_00)
	b := app.browserOf(holder)
	before := app.counts()
	const fine = "fine"
	for name, c := range map[string]struct{ account, amount, atAccount, atAmount string }{
		"13 digits":           {company[:13], "50", "В ИНН должно быть 14 цифр", fine},
		"15 digits":           {company + "1", "50", "В ИНН должно быть 14 цифр", fine},
		"letters":             {"0020719961001А", "50", "ИНН состоит только из цифр", fine},
		"no ИНН":              {"", "50", "Введите ИНН: 14 цифр", fine},
		"nothing at all":      {"", "", "Введите ИНН: 14 цифр", "Введите сумму"},
		"both":                {"12", "0", "В ИНН должно быть 14 цифр", "Сумма должна быть больше нуля"},
		"zero":                {company, "0", fine, "Сумма должна быть больше нуля"},
		"minus":               {company, "-5", fine, "Сумма должна быть больше нуля"},
		"no number":           {company, "abc", fine, "Введите сумму цифрами"},
		"exponent":            {company, "1e3", fine, "Введите сумму цифрами"},
		"three decimals":      {company, "1.234", fine, "не больше двух знаков после запятой"},
		"two separators":      {company, "1,234.567", fine, "Введите сумму цифрами"},
		"far too much":        {company, "99999999999999999999", fine, "Такая сумма слишком велика"},
		"above the balance":   {company, "450", fine, "В кошельке 400,00 сом, не хватает 58,75 сом"},
		"the fee above it":    {company, "393", fine, "В кошельке 400,00 сом, не хватает 0,90 сом"}, // 5,90 and 2,00
		"below the minimum":   {company, "9,99", fine, "Наименьшая сумма платежа за эту услугу: 10,00 сом"},
		"above the maximum":   {company, "500,01", fine, "Наибольшая сумма платежа за эту услугу: 500,00 сом"},
		"a broken letter":     {"\xff\xfe", "50", "ИНН состоит только из цифр", fine},
		"markup":              {`"><script>alert(1)</script>`, "50", "ИНН состоит только из цифр", fine},
		"a nought in the way": {company, "5\x000", fine, "Введите сумму цифрами"},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.draft(c.account, c.amount).wantStatus(422).wantPath("/pay/dostek")
			want := map[string]string{}
			if c.atAccount != fine {
				want["account"] = c.atAccount
			}
			if c.atAmount != fine {
				want["amount"] = c.atAmount
			}
			b.wantErrors(want)
			if name == "a broken letter" || name == "a nought in the way" {
				return // what can't be shown isn't
			}
			if b.value("account") != c.account || b.value("amount") != c.amount {
				t.Errorf("typed %q and %q, left %q and %q", c.account, c.amount, b.value("account"), b.value("amount"))
			}
		})
	}
	b.t = t
	app.wantUnchanged("bad orders", before)
	if app.Biller.Checks() != 0 {
		t.Errorf("the biller was asked %d times about what can't be", app.Biller.Checks())
	}
	for _, c := range []struct {
		amount string
		total  string
	}{{"10", "12,15"}, {"250,50", "256,26"}, {"300.5", "307,01"}} { // 1,5 % rounded up, and 2,00
		b.draft("0020 7199 6100 17", c.amount).wantStatus(200).shows("Оплатить " + c.total + " сом")
	}
	app.wantBalance(holder, 400_00)
}

func TestCheckPageShowsWhatIsPaid(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.changeCatalog("    fee: none\n", "    fee: {fixed: \"5\"}\n")
	b := app.browserOf(app.newCustomer(1000_00)).draft("00207-19961-0017", "250,5")
	b.wantStatus(200).shows("0020 7199 6100 17", "ОсОО «Ала-Тоо»", "250,50 сом", "5,00 сом", "255,50 сом", "744,50 сом",
		"Пока ничего не оплачено", "Оплатить 255,50 сом")
	b.press("Назад").wantPath("/pay/dostek")
	if b.value("account") != company || b.value("amount") != "250,50" {
		t.Errorf("«Назад» left %q and %q", b.value("account"), b.value("amount"))
	}
	b.press("Далее").shows("Оплатить 255,50 сом")
	if n := app.count("SELECT COUNT(*) FROM drafts"); n != 2 {
		t.Errorf("%d drafts after «Далее», «Назад», «Далее»", n)
	}
}

// A refusal by the biller's check is shown at its field.
func TestBillerRefusesTheCheck(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(1000_00))
	before := app.counts()
	for result, c := range map[int]struct{ field, words string }{
		4:   {"account", "Такой номер или ИНН не найден"},
		5:   {"account", "Такой номер или ИНН не найден"},
		79:  {"account", "Получатель не принимает платежи на этот номер"},
		241: {"amount", "Получатель не принимает такую маленькую сумму"},
		242: {"amount", "Получатель не принимает такую большую сумму"},
		7:   {"", "Получатель сейчас не принимает платежи"},
		8:   {"", "Получатель сейчас не принимает платежи"},
	} {
		app.setBiller(testkit.Refused(result), testkit.Good)
		b.draft(company, "250,50").wantStatus(422).shows(c.words)
		if c.field != "" {
			b.wantErrors(map[string]string{c.field: c.words})
		} else {
			b.wantErrors(nil)
		}
		if b.value("account") != company || b.value("amount") != "250,50" {
			t.Errorf("result %d: what was typed is gone", result)
		}
	}
	app.wantUnchanged("refused checks", before)
	for _, answer := range []biller.Answer{testkit.NoAnswer, {Outcome: biller.Later, Result: 1}, {Outcome: biller.Later, Result: 90}, testkit.Refused(300)} {
		app.setBiller(answer, testkit.Good)
		b.draft(company, "250,50").wantStatus(200).shows("Проверьте данные", "Оплатить 250,50 сом")
		if b.page.Find("dt").FilterFunction(func(_ int, s *goquery.Selection) bool { return s.Text() == "Компания" }).Length() > 0 {
			t.Errorf("a name came from %+v", answer)
		}
	}
}

// paying returns what the button of a check page sends.
func (b *browser) paying() (action string, values url.Values) {
	b.t.Helper()
	button := b.control("Оплатить")
	if button.Length() == 0 {
		b.t.Fatalf("%s can't be paid:\n%s", b.at, b.text())
	}
	_, action, values = b.form(button)
	return action, values
}

func TestDraftIsPaidOnce(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder).draft(company, "250,50")
	check := b.at.Path
	action, values := b.paying()

	// Ten times at once, in two tabs.
	receipts := make([]string, 10)
	var all sync.WaitGroup
	tab := app.browserOf(holder)
	tab.open(check)
	other, otherValues := tab.paying()
	if other != action || otherValues.Get("csrf") == values.Get("csrf") {
		t.Errorf("another tab sends %s %v", other, otherValues)
	}
	for i := range receipts {
		all.Go(func() {
			from, form := b, values
			if i%2 == 1 {
				from, form = tab, otherValues
			}
			answer := from.ask(http.MethodPost, action, form)
			if answer.Code != http.StatusSeeOther {
				t.Errorf("answered %d: %s", answer.Code, answer.Body)
			}
			receipts[i] = answer.Header().Get("Location")
		})
	}
	all.Wait()
	for _, r := range receipts {
		if r != receipts[0] || !strings.HasPrefix(r, "/receipt/") {
			t.Fatalf("led to %v", receipts)
		}
	}
	b.open(receipts[0]).wantStatus(200).waitEnded().shows("Платёж проведён", "250,50 сом")
	code := b.data("payment-code")
	b.open(receipts[0]) // F5
	if b.data("payment-code") != code || b.data("payment-status") != "completed" {
		t.Errorf("after F5: %s %s", b.data("payment-code"), b.data("payment-status"))
	}

	// Back from the receipt to the check page, restored and reloaded.
	b.follow(http.MethodPost, action, values).wantPath(receipts[0])
	b.open(check).wantStatus(200).shows("Уже оплачено", "Второй раз деньги не списаны").press("Открыть квитанцию").wantPath(receipts[0])
	if b.open(check).control("Оплатить").Length() > 0 {
		t.Error("what is paid can be paid")
	}
	texts := app.messages(holder.Phone)
	if len(texts) != 2 || !strings.Contains(texts[0], code) || strings.Contains(texts[0], company) { // the other is of the cash
		t.Errorf("the messages are %q", texts)
	}
	if n := app.count("SELECT COUNT(*) FROM payments"); n != 1 || len(app.Biller.Booked()) != 1 {
		t.Errorf("%d payments, %d at the biller", n, len(app.Biller.Booked()))
	}
	app.wantBalance(holder, 749_50)
	app.wantAudit()
}

// Fields added to the form are ignored.
func TestOnlyTheDraftIsPaid(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder).draft(company, "250,50")
	action, values := b.paying()
	for name, value := range map[string]string{"amount": "1", "total": "1", "account": "00207199610018", "fee": "0", "draft": "7"} {
		values.Set(name, value)
	}
	b.follow(http.MethodPost, action, values).shows("250,50 сом", "0020 7199 6100 17")
	app.wantBalance(holder, 749_50)
}

func TestBalanceSpentBeforeAccept(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b, other := app.browserOf(holder), app.browserOf(holder)
	b.draft(company, "250,50")
	check := b.at.Path
	other.draft(company, "200").press("Оплатить")
	before := app.counts()
	b.press("Оплатить").wantStatus(422).wantPath(check).shows("Не хватает денег", "В кошельке сейчас 100,00 сом, а нужно 250,50 сом",
		"150,50 сом", "Ничего не оплачено, деньги не списаны")
	if sum := line(b.page.Find(".slip-sum").Text()); sum != "150,50 сом" {
		t.Errorf("the missing sum is %q", sum)
	}
	app.wantUnchanged("too little money", before)
	app.wantBalance(holder, 100_00)
	if b.open(check).wantStatus(200).shows("Не хватает денег"); b.control("Оплатить").Length() > 0 {
		t.Error("what the wallet has not can be paid")
	}
	b.press("Назад").wantPath("/pay/dostek")
	if b.value("account") != company || b.value("amount") != "250,50" {
		t.Error("what was typed is gone")
	}
	app.deposit(holder, 200_00)
	b.open(check).shows("Проверьте данные").press("Оплатить").shows("250,50 сом")
	app.wantBalance(holder, 49_50)
	app.wantAudit()
}

func TestFeeChangedBeforeAccept(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "250")
	old := b.at.Path
	app.changeCatalog("    fee: none\n", "    fee: {fixed: \"7\"}\n")
	before := app.counts()
	b.press("Оплатить").wantStatus(422).shows("Комиссия изменилась", "Комиссия была 0,00 сом, теперь 7,00 сом", "Ничего не оплачено", "Оплатить 257,00 сом")
	before.Drafts++
	app.wantUnchanged("another fee", before)
	app.wantBalance(holder, 300_00)
	b.press("Оплатить").shows("257,00 сом")
	app.wantBalance(holder, 43_00)
	b.open(old).shows("Не хватает денег").follow(http.MethodPost, old, url.Values{"csrf": {b.csrf()}}).
		wantStatus(422).shows("Не хватает денег") // the old one again: still at no old fee
	app.wantBalance(holder, 43_00)
}

func TestBoundsChangedBeforeAccept(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "250")
	app.changeCatalog("    maximum: none\n", "    maximum: \"100\"\n")
	before := app.counts()
	b.press("Оплатить").wantStatus(422).shows("Наибольшая сумма платежа за эту услугу: 100,00 сом")
	app.wantUnchanged("above the bound of today", before)
}

func TestDraftExpired(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "250")
	check := b.at.Path
	for range 7 { // the customer is active but does not pay
		app.advance(10 * time.Minute)
		b.open(check)
	}
	b.shows("Данные устарели", "Ничего не оплачено")
	if b.control("Оплатить").Length() > 0 {
		t.Error("an expired draft can be paid")
	}
	before := app.counts()
	b.follow(http.MethodPost, check, url.Values{"csrf": {b.csrf()}}).wantStatus(422).shows("Данные устарели")
	app.wantUnchanged("an expired draft", before)
	b.press("Вернуться к форме").wantPath("/pay/dostek")
	if b.value("account") != company || b.value("amount") != "250,00" {
		t.Error("what was typed is gone")
	}
	app.wantBalance(holder, 300_00)
}

func TestSessionEndedOnTheCheckPage(t *testing.T) {
	t.Parallel()
	for name, press := range map[string]func(b *browser, check string){
		"pressing": func(b *browser, _ string) { b.press("Оплатить") },
		"pressing, and the browser doesn't say where": func(b *browser, _ string) {
			action, values := b.paying()
			answer := b.ask(http.MethodPost, action, values)
			b.open(answer.Header().Get("Location"))
		},
		"looking": func(b *browser, check string) { b.open(check) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			holder := app.newCustomer(300_00)
			b := app.browserOf(holder).draft(company, "250")
			check := b.at.Path
			before := app.counts()
			app.advance(16 * time.Minute)
			press(b, check)
			b.wantPath("/").shows("Вход закрылся")
			if n := strings.Count(b.text(), "Вход закрылся"); n != 1 {
				t.Errorf("the hold is shown %d times", n)
			}
			b.logIn(holder.Phone, password)
			b.wantPath(check).shows("Проверьте данные", "Оплатить 250,00 сом")
			app.wantUnchanged("a session that ended", before)
			b.press("Оплатить").shows("250,00 сом")
			app.wantBalance(holder, 50_00)

			// Another customer who logs in there doesn't get the form.
			b.draft(company, "10")
			app.advance(16 * time.Minute)
			b.press("Оплатить").wantPath("/")
			b.logIn(app.newCustomer(0).Phone, password)
			b.wantStatus(404)
		})
	}
}

func TestLoggedOutInAnotherTab(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "250")
	check, tab := b.at.Path, app.browser()
	tab.jar = b.jar
	tab.open("/cabinet").press("Выйти")
	before := app.counts()
	b.press("Оплатить").wantPath("/")
	b.logIn(holder.Phone, password)
	b.wantPath(check).shows("Оплатить 250,00 сом")
	app.wantUnchanged("pressing after a logout", before)
}

func TestLevelLimit(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.changeCatalog("    day: none", "    day: \"400\"", "    day: none", "    day: \"400\"", "    day: none", "    day: \"400\"")
	b := app.browserOf(app.newCustomer(1000_00))
	b.draft(company, "250")
	second := app.browser()
	second.jar = b.jar
	second.open("/cabinet").draft(company, "150,01")
	b.press("Оплатить")
	before := app.counts()
	second.press("Оплатить").wantStatus(422).shows("Дневной лимит: сегодня можно отправить ещё 150,00 сом")
	second.draft(company, "150,01").wantStatus(422).wantErrors(map[string]string{"amount": "ещё 150,00 сом"})
	app.wantUnchanged("above the day's limit", before)
	second.draft(company, "150").press("Оплатить").shows("150,00 сом")
}

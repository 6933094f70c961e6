package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"elsom/internal/biller"
	"elsom/internal/testkit"
)

// savedTemplate returns a browser on the list with the template of a payment that it has made.
func (app *testApp) savedTemplate(sum string) (b *browser, receipt, template string) {
	app.t.Helper()
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	b = app.browserOf(app.newCustomer(5000_00))
	b.draft(company, sum).press("Оплатить").waitEnded()
	receipt = b.at.Path
	b.press("Сохранить как шаблон").wantPath(receipt + "/template")
	b.fill("name", "Отчёты 🧾").press("Сохранить шаблон").wantPath("/templates").shows("Шаблон сохранён", "Отчёты 🧾", "0020 7199 6100 17")
	return b, receipt, b.page.Find(".saved-edit").AttrOr("href", "")
}

// A receipt becomes a template, which fills the form in one press from the cabinet.
func TestTemplate(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		b, receipt, template := app.savedTemplate("250,50")
		before := app.counts()
		b.open("/cabinet").press("Отчёты 🧾").wantPath("/pay/dostek")
		if b.value("account") != company || b.value("amount") != "250,50" {
			t.Errorf("the form is filled with %q, %q", b.value("account"), b.value("amount"))
		}
		app.wantUnchanged("a template", before)
		if b.open("/cabinet").page.Find(`main a[href*="repeat="]`).Length() != 0 {
			t.Error("the cabinet offers the payment of a template twice")
		}
		// A second one for the account is that of before.
		b.open(receipt).press("Сохранить как шаблон").wantPath(template).shows("Такой шаблон уже есть")
		b.open("/services").press("Шаблоны").wantPath("/templates")
		b.open(template).fill("name", "").fill("amount", "0").fill("position", "2").press("Сохранить").wantStatus(http.StatusUnprocessableEntity)
		b.wantErrors(map[string]string{"name": "Введите название шаблона.", "amount": "Сумма должна быть больше нуля.", "position": "Введите место числом от 1 до 1."})
		b.fill("name", "Мама").fill("amount", "").fill("position", "1").press("Сохранить").wantPath("/templates").shows("Шаблон изменён", "Мама").showsNot("250,50")
		b.open("/cabinet").press("Мама")
		if b.value("account") != company || b.value("amount") != "" {
			t.Errorf("without a sum the form is filled with %q, %q", b.value("account"), b.value("amount"))
		}
		b.open("/templates?q=" + url.QueryEscape("нет такого")).shows("ничего не нашлось").press("Показать все").shows("Мама")
		b.open(template).press("Удалить шаблон").wantPath("/templates").shows("Шаблон удалён", "Шаблонов пока нет")
		b.open(template).wantStatus(http.StatusNotFound)
		b.open(receipt).wantStatus(http.StatusOK)
	})
}

// Another wallet neither sees, uses, changes nor deletes a template, nor makes one of another's
// payment.
func TestTemplateOfAnotherWallet(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, receipt, template := app.savedTemplate("100")
	other := app.browserOf(app.newCustomer(100_00))
	for _, path := range []string{template, template + "/delete", receipt + "/template"} {
		other.open(path).wantStatus(http.StatusNotFound)
	}
	other.open("/templates").shows("Шаблонов пока нет")
	if other.open("/pay/dostek?template=" + template[len("/templates/"):]); other.value("account") != "" {
		t.Error("another's template fills the form")
	}
	for _, path := range []string{template, receipt + "/template"} {
		values := form(other.open("/cabinet"))
		values.Set("name", "чужой")
		values.Set("position", "1")
		if answer := other.ask(http.MethodPost, path, values); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
	other.ask(http.MethodPost, template+"/delete", form(other.open("/cabinet")))
	b.open(template).wantStatus(http.StatusOK).shows("ИНН компании0020 7199 6100 17")
}

// A template of a service that is no longer offered is shown, can't be used, and can be deleted.
func TestTemplateOfAServiceThatIsGone(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, receipt, template := app.savedTemplate("100")
	app.changeCatalog("services:\n  - code: dostek\n", "services:\n  - code: dostek2\n")
	b.open("/templates").shows("Услуга больше не подключена")
	if b.page.Find(`main a[href*="template="]`).Length() != 0 || b.open("/cabinet").page.Find(`main a[href*="template="]`).Length() != 0 {
		t.Error("it is offered")
	}
	if b.open(receipt).page.Find(`main a[href$="/template"]`).Length() != 0 {
		t.Error("its receipt offers a template")
	}
	b.open(receipt + "/template").wantStatus(http.StatusNotFound)
	b.open("/pay/dostek?template=" + template[len("/templates/"):]).wantStatus(http.StatusNotFound)
	b.open(template).shows("Эта услуга больше не подключена").press("Удалить шаблон").shows("Шаблон удалён")
}

// Only completed payments become templates.
func TestTemplateOfAPaymentThatFailed(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.NoAnswer)
	app.startDeliveries()
	b := app.browserOf(app.newCustomer(500_00))
	none := func(state string) {
		t.Helper()
		receipt := b.shows(state).at.Path
		if b.page.Find(`main a[href$="/template"]`).Length() != 0 {
			t.Errorf("%s: a template is offered", state)
		}
		b.open(receipt + "/template").wantStatus(http.StatusNotFound)
		b.open(receipt)
	}
	b.draft(company, "100").press("Оплатить")
	none("Платёж обрабатывается")
	app.setBiller(testkit.Good, biller.Answer{Outcome: biller.Refused, Result: 5})
	b.draft("00207199610025", "50").press("Оплатить").waitEnded()
	none("деньги возвращены")
}

// The list is searched from eight templates on, and the 101st is refused with its values kept.
func TestManyTemplates(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, receipt, _ := app.savedTemplate("100")
	holder := app.count("SELECT customer_id FROM payment_templates")
	for i := range 99 {
		app.exec(`INSERT INTO payment_templates (id, customer_id, service, identifier, payee, name, amount, position, made_at)
			SELECT ?, ?, service, ?, payee, ?, 0, ?, made_at FROM payment_templates WHERE identifier = ?`, i+1, holder, strconv.Itoa(20451000+i), "Компания "+strconv.Itoa(i), i+2, company)
	}
	b.open("/templates").fill("q", "2045 1042").press("Найти").shows("Компания 42").showsNot("Компания 43")
	app.exec("UPDATE payment_templates SET identifier = '1' WHERE identifier = ?", company)
	b.open(receipt+"/template").fill("name", "Ещё").press("Сохранить шаблон").wantStatus(http.StatusUnprocessableEntity).shows("Шаблонов уже 100")
	if b.value("name") != "Ещё" || strings.Count(b.open("/cabinet").body, "?template=") != 4 {
		t.Error("the typed name is lost, or the cabinet shows another number of templates")
	}
}

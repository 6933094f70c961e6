package web_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/xuri/excelize/v2"

	"elsom/internal/outbox"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// startLists checks and pays lists until the test ends.
func (app *testApp) startLists() {
	app.setBiller(testkit.Good, testkit.Good)
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { outbox.Work(ctx, app.DB, app.Notifier, app.Lists.Worker()) })
	app.t.Cleanup(func() { cancel(); workers.Wait() })
}

// listLines returns a list of n companies that are paid a sum each.
func listLines(n int, sum string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "002071996%05d; %s\n", i, sum)
	}
	return text.String()
}

// list sends a list and waits for its check page.
func (b *browser) list(text string) *browser {
	b.t.Helper()
	b.open("/pay/dostek").press("Оплатить списком").wantPath("/pay/dostek/list")
	return b.fill("list", text).press("Проверить список").waitList("Проверьте список")
}

// waitList reloads the page of a list until it has a title.
func (b *browser) waitList(title string) *browser {
	b.t.Helper()
	at := b.at.Path
	require.Eventually(b.t, "the list's page is «"+title+"»", func() bool { return b.open(at).page.Find("h1").Text() == title })
	return b
}

// A list is pasted, checked, shown as a whole, and paid line by line with receipts of their own.
func TestList(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		app.startLists()
		app.startDeliveries()
		holder := app.newCustomer(5000_00)
		b := app.browserOf(holder).list("ИНН; сумма\n" + listLines(20, "10,50") + "0020 7199 6100 1; 250\n")
		b.shows("Пока ничего не оплачено", "Будут оплачены: 20", "Не будут оплачены: 1", "Платежей20", "210,00 сом", "Останется 4 790,00 сом")
		app.wantBalance(holder, 5000_00)
		at := b.at.Path
		b.press("Исправить").wantPath("/pay/dostek/list")
		if text := b.page.Find("textarea").Text(); strings.Count(text, "\n") != 21 || !strings.Contains(text, "0020 7199 6100 1; 250\n") || !strings.Contains(text, "00207199600000; 10,50\n") {
			t.Errorf("the list to mend is %q", text)
		}
		b.open(at).press("Оплатить 210,00").wantPath(at)
		b.ask(http.MethodPost, at, form(b.open("/cabinet"))) // pressed again
		b.open(at).waitList("Список оплачен").shows("Платежи: 20", "Не будут оплачены: 1")
		receipts := b.page.Find(`main a[href^="/receipt/"]`)
		if n := app.count("SELECT COUNT(*) FROM payments"); receipts.Length() != 20 || n != 20 {
			t.Fatalf("%d receipts, %d payments", receipts.Length(), n)
		}
		app.wantBalance(holder, 4790_00)
		b.open(receipts.Last().AttrOr("href", "")).shows("Платёж проведён", "10,50", "0020 7199 6000 19")
		b.open(at).press("Исправить")
		if text := b.page.Find("textarea").Text(); text != "0020 7199 6100 1; 250\n" {
			t.Errorf("after paying, the list to mend is %q", text)
		}
		app.wantAudit()
	})
}

// upload posts a file to the form of a list.
func (b *browser) upload(name string, data []byte) *browser {
	b.t.Helper()
	b.open("/pay/dostek/list")
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	require.NoError(b.t, parts.WriteField("csrf", b.csrf()))
	require.NoError(b.t, parts.WriteField("list", ""))
	part := require.Value(parts.CreateFormFile("file", name))(b.t)
	require.Value(part.Write(data))(b.t)
	require.NoError(b.t, parts.Close())
	answer := b.send(http.MethodPost, "/pay/dostek/list", &body, "Content-Type", parts.FormDataContentType())
	if answer.Code == http.StatusSeeOther {
		return b.open(answer.Header().Get("Location"))
	}
	return b.read(answer)
}

func TestUploadedList(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startLists()
	b := app.browserOf(app.newCustomer(5000_00))
	book := excelize.NewFile()
	for i := range 100 {
		require.NoError(t, book.SetCellStr("Sheet1", fmt.Sprintf("A%d", i+1), fmt.Sprintf("002071996%05d", i)))
		require.NoError(t, book.SetCellValue("Sheet1", fmt.Sprintf("B%d", i+1), 10.5))
	}
	file := require.Value(book.WriteToBuffer())(t)
	b.upload("list.xlsx", file.Bytes()).waitList("Проверьте список").shows("Будут оплачены: 100", "1 050,00 сом")
	b.upload("list.csv", []byte(listLines(101, "1"))).wantStatus(http.StatusUnprocessableEntity)
	b.wantErrors(map[string]string{"file": "В списке больше 100 строк. Разделите его на части."})
	b.upload("list.csv", bytes.Repeat([]byte("1;1\n"), 262_145)).wantStatus(http.StatusUnprocessableEntity).shows("больше 1 МБ")
	b.upload("list.pdf", []byte("%PDF-1.7\x00")).wantStatus(http.StatusUnprocessableEntity).shows("Этот файл не читается")
	if got := b.upload("list.csv", bytes.Repeat([]byte("1"), 3<<20)).status; got != http.StatusRequestEntityTooLarge {
		t.Errorf("three megabytes: %d", got)
	}
}

// Another wallet neither sees, mends nor pays a list.
func TestListOfAnotherWallet(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startLists()
	b := app.browserOf(app.newCustomer(5000_00)).list(listLines(2, "10"))
	at, other := b.at.Path, app.browserOf(app.newCustomer(5000_00))
	for _, path := range []string{at, at + "/confirm", "/lists/1", "/lists/x"} {
		other.open(path).wantStatus(http.StatusNotFound)
	}
	other.open("/pay/dostek/list?from=" + at[len("/lists/"):])
	if other.page.Find("textarea").Text() != "" {
		t.Error("another's list fills the form")
	}
	for _, path := range []string{at, at + "/confirm", at + "/resend"} {
		if answer := other.ask(http.MethodPost, path, form(other.open("/cabinet"))); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
	if n := app.count("SELECT COUNT(*) FROM payments"); n != 0 {
		t.Errorf("%d payments", n)
	}
}

// A list is confirmed once, on its total, by an SMS code.
func TestLargeListIsConfirmed(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		app.startLists()
		holder := app.newCustomer(20_000_00)
		b := app.browserOf(holder).list(listLines(3, "2000"))
		at := b.at.Path
		b.press("Оплатить").wantPath(at+"/confirm").shows("Подтвердите оплату списком", "6 000,00", "Платежей3")
		if app.wantBalance(holder, 20_000_00); !strings.Contains(app.messages(holder.Phone)[0], "6 000,00 сом") {
			t.Errorf("the SMS is %q", app.messages(holder.Phone)[0])
		}
		b.fill("code", wrongCode(app.code(holder.Phone))).press("Подтвердить").wantStatus(http.StatusUnprocessableEntity)
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath(at)
		require.Eventually(t, "three payments", func() bool { return app.count("SELECT COUNT(*) FROM payments") == 3 })
		app.wantBalance(holder, 14_000_00)
	})
}

// Too little money for the whole list names the missing sum, and nothing is paid.
func TestListBeyondTheBalance(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startLists()
	holder := app.newCustomer(25_00)
	b := app.browserOf(holder).list(listLines(3, "10")).shows("не хватает 5,00 сом", "Пополнить")
	if b.page.Find(".button-pay").Length() != 0 {
		t.Error("it can be paid")
	}
	at := b.at.Path
	if answer := b.ask(http.MethodPost, at, form(b)); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("it is paid: %d", answer.Code)
	}
	app.deposit(holder, 5_00)
	b.open(at).press("Оплатить 30,00").wantPath(at)
	require.Eventually(t, "three payments", func() bool { return app.count("SELECT COUNT(*) FROM payments") == 3 })
}

// A list counts as one try, and lists are limited.
func TestManyLists(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	b := app.browserOf(app.newCustomer(5000_00))
	for range 30 {
		b.open("/pay/dostek/list").fill("list", listLines(100, "1")).press("Проверить список").wantStatus(http.StatusOK)
	}
	b.open("/pay/dostek/list").fill("list", listLines(1, "1")).press("Проверить список").wantStatus(http.StatusTooManyRequests)
	if b.page.Find("textarea").Text() == "" {
		t.Error("the typed list is lost")
	}
	b.draft(company, "100").shows("Проверьте данные") // payments are not counted with them
}

// Templates fill a list.
func TestListOfTemplates(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, _, _ := app.savedTemplate("250,50")
	b.open("/pay/dostek/list").press("Взять из шаблонов")
	if text := b.page.Find("textarea").Text(); text != company+"; 250,50\n" {
		t.Errorf("the list is %q", text)
	}
}

// A list expires, and its lines are kept.
func TestExpiredList(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startLists()
	b := app.browserOf(app.newCustomer(5000_00)).list(listLines(2, "10"))
	at, token := b.at.Path, form(b)
	app.exec("UPDATE payment_lists SET expires_at = made_at")
	if answer := b.ask(http.MethodPost, at, token); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("an expired list is paid: %d", answer.Code)
	}
	b.open(at).shows("Список устарел").press("Вернуться к форме")
	if b.page.Find("textarea").Text() != listLines(2, "10,00") {
		t.Errorf("the lines are %q", b.page.Find("textarea").Text())
	}
	if n := app.count("SELECT COUNT(*) FROM payments"); n != 0 {
		t.Errorf("%d payments", n)
	}
}

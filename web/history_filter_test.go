package web_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/xuri/excelize/v2"

	"elsom/internal/customer"
	"elsom/internal/history"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// busyWallet returns a browser whose wallet has ten operations: payments, one of them
// refunded, a transfer, and money paid in.
func busyWallet(t *testing.T) (*testApp, *browser, customer.Customer) {
	t.Helper()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(0)
	other := app.newCustomer(0)
	for range 4 {
		app.deposit(holder, 100_00)
	}
	b := app.browserOf(holder)
	for _, amount := range []string{"10", "20,50", "30"} {
		b.draft(company, amount).press("Оплатить").waitEnded()
	}
	app.setBiller(testkit.Good, testkit.Refused(5))
	b.draft(company, "40").press("Оплатить").waitEnded()
	require.NoError(t, app.transfer(holder, other, "15"))
	return app, b, holder
}

func today(app *testApp) string { return history.Day(app.DB.Now()).Format("2006-01-02") }

func TestHistoryFilters(t *testing.T) {
	t.Parallel()
	app, b, _ := busyWallet(t)
	year := "/history?from=" + history.Day(app.DB.Now()).AddDate(0, 0, -300).Format("2006-01-02") + "&to=" + today(app)
	for query, want := range map[string]struct {
		rows    int
		in, out string
	}{
		"":                                  {9, "400,00", "75,50"},
		"&direction=in":                     {4, "400,00", ""},
		"&direction=out":                    {5, "", "75,50"},
		"&kind=payment":                     {4, "0,00", "60,50"},
		"&kind=sent":                        {1, "0,00", "15,00"},
		"&service=dostek":                   {4, "0,00", "60,50"},
		"&state=refunded":                   {1, "0,00", "0,00"},
		"&state=completed&kind=payment":     {3, "0,00", "60,50"},
		"&q=0020%207199%206100%2017":        {4, "0,00", "60,50"},
		"&q=ала-тоо":                        {4, "0,00", "60,50"},
		"&q=%D0%BD%D0%B8%D1%87%D0%B5%D0%B3": {0, "", ""},
	} {
		b.open(year + query).wantStatus(200)
		if n := b.page.Find("main tr.op").Length(); n != want.rows {
			t.Errorf("%s: %d rows, want %d", query, n, want.rows)
		}
		sums := line(b.page.Find("dl.sums").Text())
		for _, sum := range []string{want.in, want.out} {
			if !strings.Contains(sums, sum) {
				t.Errorf("%s: no %s in %s", query, sum, sums)
			}
		}
		if want.rows == 0 {
			b.shows("Ничего не найдено")
		}
	}
	b.open(year+"&state=refunded").shows("Возвращено", "40,00")
	b.open(year).shows("По месяцам")
	if n := b.page.Find("svg rect").Length(); n < 20 || b.page.Find("table.months tbody tr").Length() < 10 {
		t.Errorf("a chart of %d bars", n)
	}
	// Another wallet's operations are not found.
	if other := app.browserOf(app.newCustomer(0)).open(year); other.page.Find("main tr.op").Length() != 0 {
		t.Error("another wallet's operations are found")
	}
}

func TestHistoryFilterRefuses(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(100_00))
	for query, want := range map[string]struct{ field, words string }{
		"from=2026-02-31":                    {"from", "Введите дату"},
		"from=2026-01-01&to=не-дата":         {"to", "Введите дату"},
		"from=2026-03-02&to=2026-03-01":      {"to", "раньше первого"},
		"from=2025-01-01&to=2026-03-01":      {"from", "не длиннее 366 дней"},
		"kind=gift":                          {"kind", "из списка"},
		"state=lost":                         {"state", "из списка"},
		"q=" + strings.Repeat("я", 101):      {"q", "до 100 знаков"},
		"service=" + strings.Repeat("x", 41): {"service", "из списка"},
	} {
		for _, path := range []string{"/history?", "/history.csv?", "/history.xlsx?"} {
			b.open(path + query).wantStatus(422).shows(want.words)
			if b.page.Find("#"+want.field+"[aria-invalid=true]").Length() != 1 {
				t.Errorf("%s%s: the field is not marked", path, query)
			}
		}
	}
	b.open("/history?from=2026-02-31&q=ТОО&kind=sent").wantStatus(422)
	if b.value("from") != "2026-02-31" || b.value("q") != "ТОО" || b.page.Find("#kind option[selected]").AttrOr("value", "") != "sent" {
		t.Error("what was typed is lost")
	}
	for query, field := range map[string]string{"from=2026-02-31": "from", "from=2026-03-02&to=2026-03-01": "to", "from=2020-01-01&to=2026-03-01": "from"} {
		for _, path := range []string{"/statement?", "/statement.pdf?"} {
			b.open(path + query).wantStatus(422)
			if b.page.Find("#"+field+"[aria-invalid=true]").Length() != 1 {
				t.Errorf("%s%s: the field is not marked", path, query)
			}
		}
	}
}

// file returns a file of the wallet.
func (b *browser) file(path, contentType string) []byte {
	b.t.Helper()
	answer := b.ask(http.MethodGet, path, nil)
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != contentType || !strings.HasPrefix(answer.Header().Get("Content-Disposition"), "attachment; ") {
		b.t.Fatalf("%s: %d, %v", path, answer.Code, answer.Header())
	}
	return answer.Body.Bytes()
}

// rows returns the rows of the table on the page: time, sum and state.
func (b *browser) rows() (rows [][3]string) {
	b.page.Find("main tr.op").Each(func(_ int, s *goquery.Selection) {
		sum := strings.TrimSuffix(line(s.Find(".row-sum").Text()), " сом")
		rows = append(rows, [3]string{line(s.Find(".op-at").Text()), strings.ReplaceAll(strings.TrimPrefix(strings.ReplaceAll(sum, "−", "-"), "+"), " ", ""), line(s.Find(".op-state").Text())})
	})
	return rows
}

// Page, CSV, XLSX and PDF show the same figures.
func TestFilesShowTheSameFigures(t *testing.T) {
	t.Parallel()
	app, b, holder := busyWallet(t)
	query := "from=" + today(app) + "&to=" + today(app)
	b.open("/history?" + query)
	shown := b.rows()
	if len(shown) != 9 {
		t.Fatalf("%d rows", len(shown))
	}
	content := b.file("/history.csv?"+query, "text/csv; charset=utf-8")
	text, marked := bytes.CutPrefix(content, []byte("\uFEFF"))
	table := csv.NewReader(bytes.NewReader(text))
	table.Comma = ';'
	lines, err := table.ReadAll()
	require.NoError(t, err)
	if !marked || len(lines) != len(shown)+1 || lines[0][6] != "Сумма, сом" {
		t.Fatalf("marked %v: %q", marked, lines)
	}
	book, err := excelize.OpenReader(bytes.NewReader(b.file("/history.xlsx?"+query, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))
	require.NoError(t, err)
	cells, err := book.GetRows("Sheet1", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	for i, want := range shown {
		if got := [3]string{lines[i+1][0], lines[i+1][6], lines[i+1][8]}; got != want {
			t.Errorf("CSV: %v, the page %v", got, want)
		}
		sum, err := strconv.ParseFloat(cells[i+1][6], 64)
		require.NoError(t, err)
		if got := strings.ReplaceAll(fmt.Sprintf("%.2f", sum), ".", ","); got != want[1] || cells[i+1][8] != want[2] {
			t.Errorf("XLSX: %v, the page %v", cells[i+1], want)
		}
	}
	b.open("/statement?"+query).wantStatus(200).shows("Остаток на начало", "0,00", "440,00", "115,50", "Остаток на конец", "324,50", "10 записей")
	stated := b.rows()
	command := exec.Command("pdftotext", "-layout", "-", "-")
	command.Stdin = bytes.NewReader(b.file("/statement.pdf?"+query, "application/pdf"))
	out, err := command.Output()
	require.NoError(t, err)
	document := strings.ReplaceAll(strings.ReplaceAll(string(out), "\u00a0", " "), "−", "-")
	for _, words := range []string{"440,00 сом", "115,50 сом", "324,50 сом", "10 записей", "Кыргызский Инвестиционно-Кредитный Банк"} {
		if !strings.Contains(document, words) {
			t.Errorf("the PDF has no %q: %s", words, document)
		}
	}
	for _, row := range stated {
		if !strings.Contains(document, row[1]) || !strings.Contains(document, row[0]) {
			t.Errorf("the PDF has no %v: %s", row, document)
		}
	}
	app.wantBalance(holder, 324_50)
}

// Statements of a month without operations, and of one before the wallet.
func TestEmptyStatement(t *testing.T) {
	t.Parallel()
	app, b, holder := busyWallet(t)
	for _, period := range []string{"from=2020-02-01&to=2020-02-29", "from=" + history.Day(app.DB.Now()).AddDate(0, 0, -60).Format("2006-01-02") + "&to=" + history.Day(app.DB.Now()).AddDate(0, 0, -31).Format("2006-01-02")} {
		b.open("/statement?"+period).wantStatus(200).shows("В этом периоде операций не было", "0,00")
		if !bytes.HasPrefix(b.file("/statement.pdf?"+period, "application/pdf"), []byte("%PDF-")) {
			t.Error("no PDF")
		}
	}
	app.advance(40 * 24 * time.Hour)
	b = app.browserOf(holder)
	b.open("/statement").wantStatus(200).shows("324,50", "В этом периоде операций не было")
}

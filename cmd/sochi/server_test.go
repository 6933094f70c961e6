package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

const ourINN = "00207199610017"

// standIn is a running stand-in.
type standIn struct {
	t       *testing.T
	server  *server
	address string
}

func open(t *testing.T, path string) *standIn {
	t.Helper()
	b, err := openBooks(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	h := newServer(b, time.Now)
	server := httptest.NewServer(h.handler())
	t.Cleanup(func() { h.stop(); server.Close(); b.close() })
	return &standIn{t: t, server: h, address: server.URL}
}

func fresh(t *testing.T) *standIn {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "books", "sochi.db"))
}

func (s *standIn) do(method, path, accept string, form url.Values) (status int, body string, header http.Header) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", accept)
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
		return 0, "", nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Error(err)
	}
	return response.StatusCode, string(text), response.Header
}

func query(command, txnID, account, sum string) string {
	v := url.Values{"command": {command}, "txn_id": {txnID}, "account": {account}, "sum": {sum}}
	if command == commandPay {
		v.Set("txn_date", "20261122150000")
	}
	return v.Encode()
}

// ask calls a provider and reads its XML.
func (s *standIn) ask(path, query string) response {
	s.t.Helper()
	status, body, header := s.do(http.MethodGet, path+"?"+query, "", nil)
	var reply response
	if err := xml.Unmarshal([]byte(body), &reply); err != nil || status != http.StatusOK {
		s.t.Errorf("%s?%s: %d, %v: %s", path, query, status, err, body)
	}
	if kind := header.Get("Content-Type"); kind != "text/xml; charset=utf-8" {
		s.t.Errorf("Content-Type %q", kind)
	}
	return reply
}

func (s *standIn) pay(txnID, account, sum string) response {
	s.t.Helper()
	return s.ask("/pay", query(commandPay, txnID, account, sum))
}

func (s *standIn) balance(path string) int64 {
	s.t.Helper()
	status, body, _ := s.do(http.MethodGet, path, "application/json", nil)
	var account struct{ Balance *int64 }
	if err := json.Unmarshal([]byte(body), &account); err != nil || status != http.StatusOK || account.Balance == nil {
		s.t.Fatalf("%s: %d %s", path, status, body)
	}
	return *account.Balance
}

func (s *standIn) wantBalance(want int64) {
	s.t.Helper()
	if got := s.balance("/companies/" + ourINN); got != want {
		s.t.Errorf("the balance is %d tyiyn, want %d", got, want)
	}
}

func (s *standIn) page(path string, status int) *goquery.Document {
	s.t.Helper()
	got, body, header := s.do(http.MethodGet, path, "text/html", nil)
	if got != status {
		s.t.Errorf("%s: status %d, want %d", path, got, status)
	}
	if header.Get("Content-Security-Policy") != policy || header.Get("X-Content-Type-Options") != "nosniff" {
		s.t.Errorf("%s: headers %v", path, header)
	}
	document, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(body, "⟨") {
		s.t.Errorf("%s: a message is missing", path)
	}
	if n := document.Find("script, [style], style, [onclick]").Length(); n > 0 {
		s.t.Errorf("%s: %d scripts or inline styles", path, n)
	}
	return document
}

func TestCheckReturnsName(t *testing.T) {
	s := fresh(t)
	for path, account := range map[string]string{"/pay": ourINN, "/pay/hoster": "12345", "/pay/aknet": "AB12cd"} {
		reply := s.ask(path, query(commandCheck, "77", account, "0.00"))
		if reply.Result != 0 || reply.TxnID != "77" || reply.Fields == nil || reply.Fields.Name.Name != "FIO" || reply.Fields.Name.Text == "" {
			t.Errorf("%s: %+v", path, reply)
		}
		again := s.ask(path, query(commandCheck, "78", account, "1.00"))
		if again.Fields == nil || again.Fields.Name.Text != reply.Fields.Name.Text {
			t.Errorf("%s: another name was returned", path)
		}
	}
	s.wantBalance(0)
}

func TestPayBooksOnce(t *testing.T) {
	s := fresh(t)
	first := s.pay("1763798400000123456", ourINN, "250.50")
	if first.Result != 0 || first.TxnID != "1763798400000123456" || first.Sum != "250.50" || first.Reference == "" {
		t.Errorf("%+v", first)
	}
	s.wantBalance(25050)
	if again := s.pay("1763798400000123456", ourINN, "250.5"); again.Reference != first.Reference || again.Result != 0 {
		t.Errorf("the repeat got %+v, want %+v", again, first)
	}
	s.wantBalance(25050)
	for _, other := range []response{
		s.pay("1763798400000123456", ourINN, "250.51"),
		s.pay("1763798400000123456", "00207199610018", "250.50"),
	} {
		if other.Result != 300 || other.Reference != "" {
			t.Errorf("the same txn_id for another payment got %+v", other)
		}
	}
	s.wantBalance(25050)
	if got := s.balance("/companies/00207199610018"); got != 0 {
		t.Errorf("another company got %d", got)
	}
	// An id with a leading zero is another id.
	s.pay("01763798400000123456", ourINN, "1")
	s.wantBalance(25150)
}

func TestRefusalsAreStored(t *testing.T) {
	s := fresh(t)
	for i, c := range []struct {
		path, account, sum string
		want               int
	}{
		{"/pay", "0020719961001", "1.00", 4}, {"/pay", "002071996100170", "1.00", 4}, {"/pay", "0020719961001x", "1.00", 4},
		{"/pay", "", "1.00", 4}, {"/pay", "0020 7199 6100 17", "1.00", 4}, {"/pay", "００２０７１９９６１００１７", "1.00", 4},
		{"/pay/hoster", "12", "1.00", 4}, {"/pay/aknet", "договор", "1.00", 4}, {"/pay/aknet", strings.Repeat("1", 21), "1.00", 4},
		{"/pay", ourINN, "0", 241}, {"/pay", ourINN, "0.00", 241}, {"/pay", ourINN, "-5.00", 241},
	} {
		id := fmt.Sprint(100 + i)
		first := s.ask(c.path, query(commandPay, id, c.account, c.sum))
		again := s.ask(c.path, query(commandPay, id, c.account, c.sum))
		if first.Result != c.want || again.Result != c.want || again.Reference != first.Reference || first.Reference == "" {
			t.Errorf("%+v: %+v, then %+v", c, first, again)
		}
		if check := s.ask(c.path, query(commandCheck, id, c.account, c.sum)); c.want == 4 && check.Result != 4 {
			t.Errorf("check %+v: %+v", c, check)
		}
	}
	s.wantBalance(0)
}

func TestMalformedRequests(t *testing.T) {
	s := fresh(t)
	good := query(commandPay, "5", ourINN, "1.00")
	for _, spoiled := range []string{
		strings.Replace(good, "command=pay", "command=cancel", 1),
		strings.Replace(good, "command=pay", "", 1),
		strings.Replace(good, "txn_id=5", "txn_id=5a", 1),
		strings.Replace(good, "txn_id=5", "txn_id=", 1),
		strings.Replace(good, "txn_id=5", "txn_id="+strings.Repeat("5", 29), 1),
		strings.Replace(good, "sum=1.00", "sum=1.001", 1),
		strings.Replace(good, "sum=1.00", "sum=1,00", 1),
		strings.Replace(good, "sum=1.00", "sum=1e3", 1),
		strings.Replace(good, "sum=1.00", "sum=", 1),
		strings.Replace(good, "sum=1.00", "sum=9999999999999999", 1),
		strings.Replace(good, "txn_date=20261122150000", "txn_date=20261322150000", 1),
		strings.Replace(good, "txn_date=20261122150000", "", 1),
		strings.Replace(good, "account="+ourINN, "account="+strings.Repeat("1", 201), 1),
		good + "&sum=1.00", good + "&txn_id=5",
	} {
		if reply := s.ask("/pay", spoiled); reply.Result != 300 || reply.Reference != "" {
			t.Errorf("%s: %+v", spoiled, reply)
		}
	}
	s.wantBalance(0)
	if reply := s.ask("/pay", good); reply.Result != 0 {
		t.Errorf("a malformed request was stored: %+v", reply)
	}
}

func TestPostIsAccepted(t *testing.T) {
	s := fresh(t)
	form, _ := url.ParseQuery(query(commandPay, "9", ourINN, "3.00"))
	if status, body, _ := s.do(http.MethodPost, "/pay", "", form); status != 200 || !strings.Contains(body, "<result>0</result>") {
		t.Errorf("%d %s", status, body)
	}
	s.wantBalance(300)
}

func TestServicesHaveSeparateAccounts(t *testing.T) {
	s := fresh(t)
	for _, path := range []string{"/pay", "/pay/hoster", "/pay/aknet"} {
		if reply := s.ask(path, query(commandPay, "1", ourINN, "1.00")); reply.Result != 0 {
			t.Errorf("%s: %+v", path, reply)
		}
	}
	s.wantBalance(100)
	if s.balance("/contracts/hoster/"+ourINN) != 100 || s.balance("/contracts/aknet/"+ourINN) != 100 {
		t.Error("the other services' balances are wrong")
	}
}

func TestBalanceOverflow(t *testing.T) {
	s := fresh(t)
	if err := s.server.books.db.Gorm(t.Context()).Exec(`INSERT INTO accounts VALUES ('dostek', ?, 9223372036854775800)`, ourINN).Error; err != nil {
		t.Fatal(err)
	}
	if reply := s.pay("1", ourINN, "0.08"); reply.Result != 242 {
		t.Errorf("%+v", reply)
	}
	s.wantBalance(9223372036854775800)
	if reply := s.pay("2", ourINN, "0.07"); reply.Result != 0 {
		t.Errorf("%+v", reply)
	}
}

func TestConcurrentRepeatsBookOnce(t *testing.T) {
	s := fresh(t)
	var wait sync.WaitGroup
	references := make([]string, 50)
	for i := range references {
		wait.Go(func() {
			reply := s.pay("42", ourINN, "7.00")
			if reply.Result != 0 {
				t.Errorf("%+v", reply)
			}
			references[i] = reply.Reference
		})
	}
	for i := range 50 { // and others to the same company meanwhile
		wait.Go(func() { s.pay(fmt.Sprint(1000+i), ourINN, "1.00") })
	}
	wait.Wait()
	for _, reference := range references {
		if reference != references[0] || reference == "" {
			t.Errorf("references differ: %q", references)
			break
		}
	}
	s.wantBalance(700 + 5000)
}

func TestRestartKeepsPayments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sochi.db")
	var first response
	t.Run("before", func(t *testing.T) {
		s := open(t, path)
		first = s.pay("1", ourINN, "10.00")
	})
	t.Run("after", func(t *testing.T) {
		s := open(t, path)
		s.wantBalance(1000)
		if again := s.pay("1", ourINN, "10.00"); again.Reference != first.Reference {
			t.Errorf("%+v, want %+v", again, first)
		}
		s.wantBalance(1000)
	})
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "elsom.db")
	b, err := openBooks(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`DROP TABLE accounts`, `CREATE TABLE accounts (id BIGINT)`} {
		if err := b.db.Gorm(t.Context()).Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
	b.close()
	if b, err := openBooks(t.Context(), path); err == nil {
		b.close()
		t.Error("another program's tables were accepted")
	}
}

package main_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// site is a portal with its stand-in for DosTek's side, each a process.
type site struct {
	base, company string // addresses of the two
	companies     string // path of the stand-in's books
	database      string
	agent         [2]string // name and password of the terminals
	program       string    // the portal's
	portal        *program
	stand         *program
	env           []string
}

// newSite starts both on a fresh database. The environment given is added.
func newSite(t testing.TB, database string, env ...string) *site {
	t.Helper()
	s := &site{database: database, agent: [2]string{"kicb", "dev-kicb"}, program: "elsom"}
	listen, company := freeAddress(t), freeAddress(t)
	s.base, s.company = "http://"+listen, "http://"+company
	s.companies = filepath.Join(t.TempDir(), "sochi.db")
	s.stand = start(t, "sochi", []string{"SOCHI_LISTEN=" + company, "SOCHI_DATABASE=" + s.companies})
	s.env = append([]string{
		"ELSOM_MODE=development",
		"ELSOM_LISTEN=" + listen,
		"ELSOM_DATABASE_URL=" + database,
		"ELSOM_DOSTEK_URL=" + s.company + "/pay",
	}, env...)
	s.open(t)
	s.stand.serves(t, s.company)
	return s
}

// open starts the portal, also again.
func (s *site) open(t testing.TB) {
	t.Helper()
	s.portal = start(t, s.program, s.env, "serve")
	s.portal.serves(t, s.base)
}

// The many visitors of a test come from one address.
const withoutRateLimits = "ELSOM_RATE_LIMITS=off"

var persons atomic.Int64

// person is somebody with a phone, a company and a password.
type person struct{ phone, inn, email, password string }

// somebody gives a person whom nobody knows yet.
func somebody() person {
	n := persons.Add(1)
	return person{
		phone:    fmt.Sprintf("+996700%06d", 100000+n),
		inn:      fmt.Sprintf("002071996%05d", n),
		email:    fmt.Sprintf("visitor%d@example.kg", n),
		password: "көк-дөңгөлөк 2026",
	}
}

// message is an SMS as the handset lists it.
type message struct {
	Phone     string    `json:"phone"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// messages lists a number's SMS, newest first.
func (s *site) messages(t testing.TB, phone string) []message {
	t.Helper()
	var list []message
	s.get(t, s.base+"/dev/sms?phone="+url.QueryEscape(phone), &list)
	return list
}

// message waits for an SMS that matches and gives its text.
func (s *site) message(t testing.TB, phone string, like *regexp.Regexp) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		for _, m := range s.messages(t, phone) {
			if like.MatchString(m.Text) {
				return m.Text
			}
		}
	}
	t.Fatalf("no SMS to %s is like %s: %v", phone, like, s.messages(t, phone))
	return ""
}

var sixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

// smsCode waits for the code in an SMS: the first group of six digits.
func (s *site) smsCode(t testing.TB, phone string) string {
	t.Helper()
	return keepCode(sixDigits.FindStringSubmatch(s.message(t, phone, sixDigits))[1])
}

func (s *site) get(t testing.TB, address string, into any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %.300s", address, answer.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v: %.300s", address, err, body)
	}
}

// company tells what a company has on its account at DosTek, in tyiyn.
func (s *site) companyBalance(t testing.TB, inn string) int64 {
	t.Helper()
	var company struct {
		INN     string `json:"inn"`
		Balance int64  `json:"balance"`
	}
	s.get(t, s.company+"/companies/"+inn, &company)
	if company.INN != inn {
		t.Fatalf("asked for %s, told of %s", inn, company.INN)
	}
	return company.Balance
}

// switchStand tells the stand-in how to behave, by the fields of its page.
func (s *site) switchStand(t testing.TB, fields ...string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	answer, err := http.PostForm(s.company+"/switches", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("switches: %s", answer.Status)
	}
}

// osmpAnswer is what a terminal is told.
type osmpAnswer struct {
	TxnID   string `xml:"osmp_txn_id"`
	PrvTxn  string `xml:"prv_txn"`
	Sum     string `xml:"sum"`
	Result  int    `xml:"result"`
	Comment string `xml:"comment"`
}

var terminalRun = time.Now().UnixMilli()
var terminalCount atomic.Int64

// terminal sends one request of the site's agent.
func (s *site) terminal(t testing.TB, command, txnID, phone, sum string) osmpAnswer {
	t.Helper()
	told, err := s.terminalRequest(command, txnID, phone, sum)
	if err != nil {
		t.Fatalf("terminal: %v", err)
	}
	return told
}

func (s *site) terminalRequest(command, txnID, phone, sum string) (told osmpAnswer, err error) {
	form := url.Values{
		"command": {command}, "txn_id": {txnID}, "account": {phone}, "sum": {sum},
		"txn_date": {time.Now().Format("20060102150405")},
	}
	request, err := http.NewRequest(http.MethodPost, s.base+"/osmp", strings.NewReader(form.Encode()))
	if err != nil {
		return told, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(s.agent[0], s.agent[1])
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return told, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return told, errors.New(answer.Status)
	}
	return told, xml.NewDecoder(answer.Body).Decode(&told)
}

// fill puts money into a wallet as a terminal does: check, then pay.
func (s *site) fill(t testing.TB, phone, sum string) {
	t.Helper()
	id := fmt.Sprintf("%d%05d", terminalRun, terminalCount.Add(1))
	if told := s.terminal(t, "check", id, phone, sum); told.Result != 0 {
		t.Fatalf("check of %s: %+v", phone, told)
	}
	if told := s.terminal(t, "pay", id, phone, sum); told.Result != 0 || told.Sum != sum || told.PrvTxn == "" {
		t.Fatalf("cash into %s: %+v", phone, told)
	}
}

// audit proves the books.
func (s *site) audit(t testing.TB, flags ...string) {
	t.Helper()
	if told := operate(t, []string{"ELSOM_DATABASE_URL=" + s.database}, append([]string{"audit"}, flags...)...); told.code != 0 {
		t.Errorf("the books don't hold (%d):\n%s%s", told.code, told.out, told.err)
	}
}

// luhn tells whether a payment code is what it should be: twelve digits, the
// last of them by Luhn's rule.
func luhn(code string) bool {
	if len(code) != 12 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	sum := 0
	digits := []byte(code)
	slices.Reverse(digits)
	for i, d := range digits {
		n := int(d - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

package chaos_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// outcome is the outcome of a request as its client sees it.
type outcome int

const (
	notSent outcome = iota
	gotAccepted
	gotRefused // no money was taken
	gotUnknown // no answer, or one that leaves the outcome open
)

// order is a payment in the clients' log.
type order struct {
	customer *customer
	inn      string
	amount   int64 // tyiyn
	draft    string
	outcome  outcome
	// answers are all answers, for failure messages.
	answers []string
}

// cash is a cash-in in the clients' log.
type cash struct {
	customer *customer
	id       string
	amount   int64
	outcome  outcome
}

// clientLog is what all clients sent and were answered.
type clientLog struct {
	mu     sync.Mutex
	orders []*order
	cash   []*cash
	// internalErrors counts answers of HTTP 500, which leave the outcome open.
	internalErrors int
}

// post sends a form to a portal as the customer's browser would.
func (h *customer) post(s *system.Site, path string, values url.Values) (status int, location, page string, err error) {
	form := url.Values{}
	for name, v := range h.token {
		form[name] = v
	}
	for name, v := range values {
		form[name] = v
	}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	for name, value := range map[string]string{
		"Sec-Fetch-Site": "same-origin", "Accept": "text/html", "Accept-Language": "ru", "Origin": s.BaseURL,
		"Content-Type": "application/x-www-form-urlencoded",
	} {
		request.Header.Set(name, value)
	}
	answer, err := h.client.Do(request)
	if err != nil {
		return 0, "", "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header.Get("Location"), string(body), err
}

// draft makes a draft of a payment. The error says why there is none.
func (d *scenario) draft(s *system.Site, c *customer) (*order, error) {
	a := &order{customer: c, inn: system.NewPerson().INN, amount: int64(100 + d.random.intN(900))}
	sum := fmt.Sprintf("%d,%02d", a.amount/100, a.amount%100)
	status, location, _, err := c.post(s, "/pay/dostek", url.Values{"account": {a.inn}, "amount": {sum}})
	if err != nil {
		return nil, err
	}
	draft, found := strings.CutPrefix(location, "/check/")
	if status != http.StatusSeeOther || !found {
		return nil, fmt.Errorf("no draft: %d %s", status, location)
	}
	a.draft = draft
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	d.log.orders = append(d.log.orders, a)
	return a, nil
}

// drafts makes n drafts, concurrently for all customers.
func (d *scenario) drafts(n int) []*order {
	d.t.Helper()
	made := make([]*order, n)
	var all sync.WaitGroup
	for i, c := range d.customers {
		s := d.anyPortal()
		all.Go(func() {
			for j := i; j < n; j += len(d.customers) {
				a, err := d.draft(s, c)
				if err != nil {
					d.t.Errorf("a draft without a fault: %v", err)
					return
				}
				made[j] = a
			}
		})
	}
	all.Wait()
	if d.t.Failed() {
		d.t.FailNow()
	}
	return made
}

// unknownTexts are messages of pages that leave the outcome open.
var unknownTexts = []string{i18n.RU.T("outcome.unknown"), i18n.RU.T("outcome.unknown_transfer"), i18n.RU.T("outcome.unclear")}

// press sends «Оплатить» to a portal and records the answer.
func (d *scenario) press(s *system.Site, a *order) outcome {
	status, location, page, err := a.customer.post(s, "/check/"+a.draft, nil)
	got, note := gotUnknown, fmt.Sprint(status)
	switch {
	case err != nil:
		note = err.Error()
	case status == http.StatusSeeOther && location == "/receipt/"+a.draft:
		got = gotAccepted
	case status == http.StatusInternalServerError:
		note = "500"
	case status == http.StatusServiceUnavailable && !slices.ContainsFunc(unknownTexts, func(text string) bool { return strings.Contains(page, text) }):
		got = gotRefused
	case status == http.StatusSeeOther && location == "/": // the session has expired
		got = gotRefused
	case status == http.StatusUnprocessableEntity, status == http.StatusTooManyRequests:
		got = gotRefused
	case status != http.StatusServiceUnavailable:
		d.t.Errorf("pressing «Оплатить» answered %d, %s", status, location)
	}
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	if status == http.StatusInternalServerError {
		d.log.internalErrors++
	}
	if a.outcome == gotAccepted && got == gotRefused {
		d.t.Errorf("the payment %s was accepted and is now refused: %s", a.draft, note)
	}
	if a.outcome != gotAccepted { // an accepted payment stays accepted
		a.outcome = got
	}
	a.answers = append(a.answers, [...]string{"", "ok", "refused", "unknown"}[got]+" ("+note+")")
	return got
}

// cashIn puts money into a wallet. The terminal repeats the request until it gets an
// answer.
func (d *scenario) cashIn(c *customer, amount int64) {
	sent := &cash{customer: c, id: system.NewTxnID(), amount: amount, outcome: gotUnknown}
	d.log.mu.Lock()
	d.log.cash = append(d.log.cash, sent)
	d.log.mu.Unlock()
	sum := fmt.Sprintf("%d.%02d", amount/100, amount%100)
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		s := d.Site
		if len(d.portals) > 0 {
			s = d.anyPortal()
		}
		answer, err := s.TerminalRequest("pay", sent.id, c.Phone, sum)
		if err == nil && answer.Result == 0 {
			d.log.mu.Lock()
			sent.outcome = gotAccepted
			d.log.mu.Unlock()
			return
		}
	}
	d.t.Errorf("the terminal got no final answer about %s", sent.id)
}

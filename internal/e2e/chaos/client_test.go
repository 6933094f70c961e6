package chaos_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// word is what a client was told of an act.
type word int

const (
	notAsked word = iota
	isOK
	isRefused // and the page says that no money was taken
	isUnknown // no answer, or one that leaves it open
)

// act is a payment in the client's log.
type act struct {
	who    *holder
	inn    string
	amount int64 // tyiyn
	draft  string
	told   word
	// was is all that the client was told, for a failure's words.
	was []string
}

// cash is money that a terminal brought in.
type cash struct {
	who    *holder
	id     string
	amount int64
	told   word
}

// clientLog is the first of the three books.
type clientLog struct {
	mu   sync.Mutex
	acts []*act
	cash []*cash
	// unclear counts answers that don't say whether money was taken, though
	// they could: HTTP 500.
	unclear int
}

// post sends a form as the holder's browser would, to any portal.
func (h *holder) post(s *system.Site, path string, values url.Values) (status int, location, page string, err error) {
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

// draft leads a holder to the check page of a new payment; nil and the reason
// where the house would not.
func (d *disaster) draft(s *system.Site, who *holder) (*act, error) {
	a := &act{who: who, inn: system.NewPerson().INN, amount: int64(100 + d.dice.below(900))}
	sum := fmt.Sprintf("%d,%02d", a.amount/100, a.amount%100)
	status, location, _, err := who.post(s, "/pay/dostek", url.Values{"account": {a.inn}, "amount": {sum}})
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
	d.log.acts = append(d.log.acts, a)
	return a, nil
}

// drafts makes n drafts, the holders at the same time, at living portals.
func (d *disaster) drafts(n int) []*act {
	d.t.Helper()
	made := make([]*act, n)
	var all sync.WaitGroup
	for i, who := range d.holders {
		s := d.any()
		all.Go(func() {
			for j := i; j < n; j += len(d.holders) {
				a, err := d.draft(s, who)
				if err != nil {
					d.t.Errorf("a draft in quiet times: %v", err)
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

// The words that leave an outcome open.
var openWords = []string{i18n.RU.T("door.unknown"), i18n.RU.T("door.unclear")}

// press presses «Оплатить» at a portal and writes down what was said.
func (d *disaster) press(s *system.Site, a *act) word {
	status, location, page, err := a.who.post(s, "/check/"+a.draft, nil)
	said, note := isUnknown, fmt.Sprint(status)
	switch {
	case err != nil:
		note = err.Error()
	case status == http.StatusSeeOther && location == "/receipt/"+a.draft:
		said = isOK
	case status == http.StatusInternalServerError:
		note = "500, which says nothing"
	case status == http.StatusServiceUnavailable && !strings.Contains(page, openWords[0]) && !strings.Contains(page, openWords[1]):
		said = isRefused
	case status == http.StatusSeeOther && location == "/": // the session is over
		said = isRefused
	case status == http.StatusUnprocessableEntity, status == http.StatusTooManyRequests:
		said = isRefused
	case status != http.StatusServiceUnavailable:
		d.t.Errorf("pressing «Оплатить» answered %d, %s", status, location)
	}
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	if status == http.StatusInternalServerError {
		d.log.unclear++
	}
	if a.told == isOK && said == isRefused {
		d.t.Errorf("the payment %s was accepted and is refused now: %s", a.draft, note)
	}
	if a.told != isOK { // who has the receipt keeps it
		a.told = said
	}
	a.was = append(a.was, [...]string{"", "ok", "refused", "unknown"}[said]+" ("+note+")")
	return said
}

// bring puts money into a wallet by a terminal, which repeats until it is told.
func (d *disaster) bring(who *holder, amount int64) {
	c := &cash{who: who, id: system.NewTxnID(), amount: amount, told: isUnknown}
	d.log.mu.Lock()
	d.log.cash = append(d.log.cash, c)
	d.log.mu.Unlock()
	sum := fmt.Sprintf("%d.%02d", amount/100, amount%100)
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
		s := d.Site
		if len(d.portals) > 0 {
			s = d.any()
		}
		answer, err := s.TerminalRequest("pay", c.id, who.Phone, sum)
		if err == nil && answer.Result == 0 {
			d.log.mu.Lock()
			c.told = isOK
			d.log.mu.Unlock()
			return
		}
	}
	d.t.Errorf("the terminal was never told about %s", c.id)
}

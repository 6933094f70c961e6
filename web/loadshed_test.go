package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
	"elsom/web"
)

// stuck keeps everybody from writing until the hand is opened.
func (app *testApp) stuck() (open func()) {
	app.t.Helper()
	held, hand := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := app.DB.InTx(context.Background(), func(context.Context, *database.Tx) error {
			close(held)
			<-hand
			return nil
		})
		if err != nil {
			app.t.Error(err)
		}
	})
	<-held
	open = sync.OnceFunc(func() { close(hand); wg.Wait() })
	app.t.Cleanup(open)
	return open
}

// payer is somebody who is about to press «Оплатить».
type payer struct {
	*browser
	holder customer.Customer
	action string
	values url.Values
}

func (app *testApp) payer() payer {
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder).draft(company, "100")
	action, values := b.paying()
	return payer{b, holder, action, values}
}

func (p payer) pay() *httptest.ResponseRecorder {
	return p.ask(http.MethodPost, p.action, p.values)
}

// answered is what somebody was told.
type answered struct {
	by     payer
	answer *httptest.ResponseRecorder
}

// race lets several pay at once.
func race(payers ...payer) <-chan answered {
	told := make(chan answered, len(payers))
	for _, p := range payers {
		go func() { told <- answered{p, p.pay()} }()
	}
	return told
}

// Who comes when too many are inside is told at once, in all languages, and
// nothing is done; who only looks, and the other doors, don't notice.
func TestRequestLimits(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Limits = web.Limits{Posts: 1, Gets: 10, Machines: 1} }})
	one, other := app.payer(), app.payer()
	open := app.stuck()
	told := race(one, other)
	turned := <-told
	if turned.answer.Code != http.StatusServiceUnavailable || turned.answer.Header().Get("Retry-After") != "1" ||
		!strings.Contains(turned.answer.Body.String(), "Сервис временно недоступен") || !strings.Contains(turned.answer.Body.String(), "<section lang=en>") {
		t.Errorf("answered %d: %s", turned.answer.Code, turned.answer.Body)
	}
	if look := turned.by.ask(http.MethodGet, "/cabinet", nil); look.Code != http.StatusOK {
		t.Errorf("the cabinet: %d", look.Code)
	}
	terminals := make(chan string, 2)
	for range 2 {
		go func() { terminals <- app.osmp("1", turned.by.holder) }()
	}
	if body := <-terminals; !strings.Contains(body, "<result>1</result>") || !strings.Contains(body, "<osmp_txn_id>1<") {
		t.Errorf("a crowded terminal door: %s", body)
	}
	open()
	if inside := <-told; inside.answer.Code != http.StatusSeeOther {
		t.Errorf("who was inside: %d", inside.answer.Code)
	}
	if body := <-terminals; !strings.Contains(body, "<result>0</result>") {
		t.Errorf("the terminal that was inside: %s", body)
	}
	if again := turned.by.pay(); again.Code != http.StatusSeeOther {
		t.Errorf("again: %d", again.Code)
	}
	app.wantBalance(turned.by.holder, 907_31)
	app.wantAudit()
}

// osmp brings cash by the terminals' door.
func (app *testApp) osmp(txnID string, holder customer.Customer) (body string) {
	r := httptest.NewRequest(http.MethodGet, "/osmp?command=pay&txn_id="+txnID+"&txn_date=20261122120005&sum=7.31&account="+
		url.QueryEscape(strings.TrimPrefix(holder.Phone.String(), "+")), nil)
	r.SetBasicAuth("kicb", "terminal's word")
	answer := httptest.NewRecorder()
	app.server.ServeHTTP(answer, r)
	return answer.Body.String()
}

// Who sends slowly takes no place.
func TestSlowSendersAreNotCounted(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Limits = web.Limits{Posts: 1, Gets: 10, Machines: 1} }})
	p := app.payer()
	body, sender := io.Pipe()
	slow := make(chan int)
	go func() {
		r := httptest.NewRequest(http.MethodPost, "/login", body)
		answer := httptest.NewRecorder()
		app.server.ServeHTTP(answer, r)
		slow <- answer.Code
	}()
	read := make(chan struct{})
	go func() { _, _ = sender.Write([]byte("phone=")); close(read) }()
	select {
	case <-read:
	case code := <-slow:
		t.Fatalf("came in before it was read: %d", code)
	}
	if answer := p.pay(); answer.Code != http.StatusSeeOther {
		t.Errorf("answered %d", answer.Code)
	}
	_ = sender.CloseWithError(io.ErrUnexpectedEOF)
	if code := <-slow; code != http.StatusBadRequest {
		t.Errorf("who went away: %d", code)
	}
}

// Where the books' queue is full, who pays is told so at once, and nothing was
// done; what waits is done, and who presses again gets the same receipt.
func TestLedgerQueueFull(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{newDB: databasetest.Postgres, ledger: ledger.Options{Writers: 1, Queue: 1}})
	payers := []payer{app.payer(), app.payer(), app.payer()}
	open := app.locked(payers[0].holder.ID)
	told := race(payers[0])
	for app.waiting() == 0 { // it flies, and meets the lock
		time.Sleep(time.Millisecond)
	}
	rest := race(payers[1:]...)
	refused := <-rest
	if refused.answer.Code != http.StatusServiceUnavailable || refused.answer.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d: %s", refused.answer.Code, refused.answer.Body)
	}
	late := refused.by
	if body := app.osmp("3", late.holder); !strings.Contains(body, "<result>1</result>") {
		t.Errorf("the terminal hears %s", body)
	}
	open()
	for _, done := range []answered{<-told, <-rest} {
		if done.answer.Code != http.StatusSeeOther || done.by.pay().Header().Get("Location") != done.answer.Header().Get("Location") {
			t.Errorf("who waited: %d", done.answer.Code)
		}
		app.wantBalance(done.by.holder, 900_00)
	}
	app.wantBalance(late.holder, 1000_00)
	if again := late.pay(); again.Code != http.StatusSeeOther {
		t.Errorf("again: %d", again.Code)
	}
	if body := app.osmp("3", late.holder); !strings.Contains(body, "<result>0</result>") {
		t.Errorf("the terminal hears %s", body)
	}
	app.wantBalance(late.holder, 907_31)
	app.wantAudit()
}

// Who hangs up while the books are busy has paid all the same, once, and finds
// the receipt.
func TestDisconnectWhilePaying(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	p := app.payer()
	open := app.stuck()
	ctx, hangUp := context.WithCancel(t.Context())
	p.ctx = ctx
	told := race(p)
	time.Sleep(300 * time.Millisecond) // by now it waits for the books
	hangUp()
	open()
	<-told
	p.ctx = nil
	if again := p.pay(); again.Code != http.StatusSeeOther || !strings.HasPrefix(again.Header().Get("Location"), "/receipt/") {
		t.Errorf("again: %d", again.Code)
	}
	app.wantBalance(p.holder, 900_00)
	app.wantAudit()
}

// locked keeps everybody from an account, on PostgreSQL, until it is opened.
func (app *testApp) locked(account int64) (open func()) {
	app.t.Helper()
	tx, err := app.DB.Pool().BeginTx(context.Background(), nil)
	require.NoError(app.t, err)
	open = sync.OnceFunc(func() { _ = tx.Rollback() })
	app.t.Cleanup(open)
	_, err = tx.ExecContext(context.Background(), "SELECT id FROM accounts WHERE id = $1 FOR UPDATE", account)
	require.NoError(app.t, err)
	return open
}

// waiting counts who waits for a lock.
func (app *testApp) waiting() (n int) {
	app.t.Helper()
	require.NoError(app.t, app.DB.Pool().QueryRowContext(context.Background(),
		"SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())").Scan(&n))
	return n
}

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

// blockWrites keeps a write transaction open until unblock is called.
func (app *testApp) blockWrites() (unblock func()) {
	app.t.Helper()
	locked, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := app.DB.InTx(context.Background(), func(context.Context, *database.Tx) error {
			close(locked)
			<-release
			return nil
		})
		if err != nil {
			app.t.Error(err)
		}
	})
	<-locked
	unblock = sync.OnceFunc(func() { close(release); wg.Wait() })
	app.t.Cleanup(unblock)
	return unblock
}

// payer is a browser on a check page.
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

// response is the response to a payer.
type response struct {
	by     payer
	answer *httptest.ResponseRecorder
}

// race sends the payments of several payers concurrently.
func race(payers ...payer) <-chan response {
	responses := make(chan response, len(payers))
	for _, p := range payers {
		go func() { responses <- response{p, p.pay()} }()
	}
	return responses
}

// A payment above the limit is answered at once in all languages and changes
// nothing. GETs and other routes are not affected.
func TestRequestLimits(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Limits = web.Limits{Posts: 1, Gets: 10, Machines: 1} }})
	one, other := app.payer(), app.payer()
	unblock := app.blockWrites()
	responses := race(one, other)
	refused := <-responses
	if refused.answer.Code != http.StatusServiceUnavailable || refused.answer.Header().Get("Retry-After") != "1" ||
		!strings.Contains(refused.answer.Body.String(), "Сервис временно недоступен") || !strings.Contains(refused.answer.Body.String(), "<section lang=en>") {
		t.Errorf("answered %d: %s", refused.answer.Code, refused.answer.Body)
	}
	if get := refused.by.ask(http.MethodGet, "/cabinet", nil); get.Code != http.StatusOK {
		t.Errorf("the cabinet: %d", get.Code)
	}
	terminals := make(chan string, 2)
	for range 2 {
		go func() { terminals <- app.osmp("1", refused.by.holder) }()
	}
	if body := <-terminals; !strings.Contains(body, "<result>1</result>") || !strings.Contains(body, "<osmp_txn_id>1<") {
		t.Errorf("a terminal above the limit: %s", body)
	}
	unblock()
	if done := <-responses; done.answer.Code != http.StatusSeeOther {
		t.Errorf("the payment in flight: %d", done.answer.Code)
	}
	if body := <-terminals; !strings.Contains(body, "<result>0</result>") {
		t.Errorf("the terminal in flight: %s", body)
	}
	if again := refused.by.pay(); again.Code != http.StatusSeeOther {
		t.Errorf("the repeat: %d", again.Code)
	}
	app.wantBalance(refused.by.holder, 907_31)
	app.wantAudit()
}

// osmp sends a cash-in by a terminal.
func (app *testApp) osmp(txnID string, holder customer.Customer) (body string) {
	r := httptest.NewRequest(http.MethodGet, "/osmp?command=pay&txn_id="+txnID+"&txn_date=20261122120005&sum=7.31&account="+
		url.QueryEscape(strings.TrimPrefix(holder.Phone.String(), "+")), nil)
	r.SetBasicAuth("kicb", "terminal's word")
	answer := httptest.NewRecorder()
	app.server.ServeHTTP(answer, r)
	return answer.Body.String()
}

// A slow sender does not count as in flight.
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
		t.Fatalf("handled before its body was read: %d", code)
	}
	if answer := p.pay(); answer.Code != http.StatusSeeOther {
		t.Errorf("answered %d", answer.Code)
	}
	_ = sender.CloseWithError(io.ErrUnexpectedEOF)
	if code := <-slow; code != http.StatusBadRequest {
		t.Errorf("the disconnected sender: %d", code)
	}
}

// If the ledger's queue is full, a payment is refused at once and changes nothing.
// Queued payments complete, and a repeat leads to the same receipt.
func TestLedgerQueueFull(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{newDB: databasetest.Postgres, ledger: ledger.Options{Writers: 1, Queue: 1}})
	payers := []payer{app.payer(), app.payer(), app.payer()}
	unlock := app.lockAccount(payers[0].holder.ID)
	responses := race(payers[0])
	for app.lockWaits() == 0 { // it is in flight and waits for the lock
		time.Sleep(time.Millisecond)
	}
	rest := race(payers[1:]...)
	refused := <-rest
	if refused.answer.Code != http.StatusServiceUnavailable || refused.answer.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d: %s", refused.answer.Code, refused.answer.Body)
	}
	late := refused.by
	if body := app.osmp("3", late.holder); !strings.Contains(body, "<result>1</result>") {
		t.Errorf("the terminal got %s", body)
	}
	unlock()
	for _, done := range []response{<-responses, <-rest} {
		if done.answer.Code != http.StatusSeeOther || done.by.pay().Header().Get("Location") != done.answer.Header().Get("Location") {
			t.Errorf("a queued payment: %d", done.answer.Code)
		}
		app.wantBalance(done.by.holder, 900_00)
	}
	app.wantBalance(late.holder, 1000_00)
	if again := late.pay(); again.Code != http.StatusSeeOther {
		t.Errorf("the repeat: %d", again.Code)
	}
	if body := app.osmp("3", late.holder); !strings.Contains(body, "<result>0</result>") {
		t.Errorf("the terminal got %s", body)
	}
	app.wantBalance(late.holder, 907_31)
	app.wantAudit()
}

// A browser that disconnects while the ledger is busy has paid once, and a repeat
// leads to the receipt.
func TestDisconnectWhilePaying(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	p := app.payer()
	unblock := app.blockWrites()
	ctx, hangUp := context.WithCancel(t.Context())
	p.ctx = ctx
	responses := race(p)
	time.Sleep(300 * time.Millisecond) // it waits for the ledger by now
	hangUp()
	unblock()
	<-responses
	p.ctx = nil
	if again := p.pay(); again.Code != http.StatusSeeOther || !strings.HasPrefix(again.Header().Get("Location"), "/receipt/") {
		t.Errorf("the repeat: %d", again.Code)
	}
	app.wantBalance(p.holder, 900_00)
	app.wantAudit()
}

// lockAccount locks an account on PostgreSQL until unlock is called.
func (app *testApp) lockAccount(account int64) (unlock func()) {
	app.t.Helper()
	tx, err := app.DB.Pool().BeginTx(context.Background(), nil)
	require.NoError(app.t, err)
	unlock = sync.OnceFunc(func() { _ = tx.Rollback() })
	app.t.Cleanup(unlock)
	_, err = tx.ExecContext(context.Background(), "SELECT id FROM accounts WHERE id = $1 FOR UPDATE", account)
	require.NoError(app.t, err)
	return unlock
}

// lockWaits returns the number of waiting lock requests.
func (app *testApp) lockWaits() (n int) {
	app.t.Helper()
	require.NoError(app.t, app.DB.Pool().QueryRowContext(context.Background(),
		"SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())").Scan(&n))
	return n
}

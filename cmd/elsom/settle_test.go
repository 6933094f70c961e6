package main_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/testkit/system"
	"elsom/internal/wallet"
)

// wallet opens a wallet for a number, as a release did that signed no rows.
func (m *operator) wallet(id int64, number string) {
	m.t.Helper()
	m.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES ($1, $2, '', 'ru', '', FALSE, 1, 'standard', $3)`, id, number, m.db.Now())
	err := m.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error { return wallet.Open(ctx, tx, id) })
	if err != nil {
		m.t.Fatal(err)
	}
}

// pay makes a cash-in and returns OSMP's result.
func (m *operator) pay(agent, txnID, sum string) string {
	m.t.Helper()
	_, body := m.call(agent, callerPassword, http.MethodGet,
		"/osmp?command=pay&txn_id="+txnID+"&txn_date=20261130120000&account=0700123456&sum="+sum, "")
	_, rest, _ := strings.Cut(body, "<result>")
	result, _, _ := strings.Cut(rest, "</result>")
	return result
}

// An agent at its ceiling can take cash again after a settlement. Every settlement
// is recorded once, and the audit passes.
func TestSettleAgent(t *testing.T) {
	eachOperator(t, func(m *operator) {
		metrics := system.FreeAddress(t)
		m.env = append(m.env, "ELSOM_METRICS_LISTEN="+metrics)
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
		m.wantOutput("there is no agent", 1, "", "settle", "agent", "tiller", "5", "--reference", "R")
		m.serve()
		m.wallet(77, "+996700123456")
		if got := m.pay("till", "1", "450.00"); got != "0" {
			t.Fatalf("result %s", got)
		}
		m.eventually("a warning before the ceiling", func() bool { return strings.Contains(m.log(), "close to its ceiling") })
		if got := m.pay("till", "2", "51.00"); got != "7" {
			t.Errorf("above the ceiling: %s", got)
		}
		if !strings.Contains(m.log(), `"msg":"cashin: refused by the agent's ceiling`) {
			t.Error("the refusal is not in the log")
		}
		answer, err := http.Get("http://" + metrics + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		page := new(strings.Builder)
		_ = answer.Write(page)
		_ = answer.Body.Close()
		for _, want := range []string{`elsom_agent_ceiling_refusals_total{agent="till"} 1`, `elsom_agent_ceiling_used_ratio{agent="till"} 0.9`} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("no metric %s", want)
			}
		}
		settle := func(words string, code int, sum, reference string, more ...string) {
			t.Helper()
			m.wantOutput(words, code, "", append([]string{"settle", "agent", "till", sum, "--reference", reference}, more...)...)
		}
		settle("owes 450,00 som, and not 450,01", 1, "450.01", "A")
		settle("It owes 250,00 som", 0, "200", "П/П 417", "--staff", "Айгүл", "--reason", "statement of 30 November")
		settle("recorded before on", 0, "200", " П/П  417 ")
		settle("another payment needs a reference of its own", 1, "201", "П/П 417")
		settle("owes 250,00", 1, "250.01", "B")
		settle("above zero", 1, "0", "B")
		settle("not an amount", 80, "1e3", "B")
		settle("the reference", 1, "1", "")
		settle("the reference", 1, "1", strings.Repeat("x", 36))
		m.wantOutput("--reference", 80, "", "settle", "agent", "till", "5")
		m.wantOutput("250,00", 0, "", "agent", "list")
		if got := m.pay("till", "3", "250.00"); got != "0" {
			t.Errorf("after the settlement: %s", got)
		}
		if got := m.pay("till", "2", "51.00"); got != "7" {
			t.Errorf("a refused payment is credited later: %s", got)
		}
		var staff, reason string
		var logged int
		if err := m.db.Pool().QueryRow("SELECT staff, reason FROM settlements").Scan(&staff, &reason); err != nil || staff != "Айгүл" || reason != "statement of 30 November" {
			t.Errorf("%s, %s, %v", staff, reason, err)
		}
		if err := m.db.Pool().QueryRow(`SELECT COUNT(*) FROM operator_log WHERE command = 'settle agent' AND subject = 'agent till'
			AND staff = 'Айгүл' AND state_before = '{"owed":45000}' AND state_after = '{"owed":25000,"reference":"П/П 417","settled":20000}'`).Scan(&logged); err != nil || logged != 1 {
			t.Errorf("%d entries of the settlement, %v", logged, err)
		}
		// The ceiling can be changed under load, but not below what is owed.
		m.wantOutput("owes 500,00 som already", 1, "", "agent", "set", "till", "--ceiling", "499.99")
		m.wantOutput("is changed", 0, "", "agent", "set", "till", "--ceiling", "600")
		if got := m.pay("till", "4", "100.00"); got != "0" {
			t.Errorf("above the old ceiling: %s", got)
		}
		m.wantOutput("All holds", 0, "", "audit")
		m.wantOutput("All of it holds", 0, "", "audit", "--since", "24h")
	})
}

// Concurrent settlements record no more than is owed, and each reference once.
func TestSettleConcurrently(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "1000", "--allow", "any")
		m.serve()
		m.wallet(77, "+996700123456")
		if got := m.pay("till", "1", "1000.00"); got != "0" {
			t.Fatalf("result %s", got)
		}
		var all sync.WaitGroup
		codes := make([]int, 6)
		for i := range codes {
			all.Go(func() { // three references, each twice; two of them fit
				codes[i] = system.Run(t, m.env, "settle", "agent", "till", "400", "--reference", fmt.Sprint("R", i/2)).Code
			})
		}
		all.Wait()
		done := 0
		for _, code := range codes {
			if code == 0 {
				done++
			} else if code != 1 {
				t.Errorf("ended with %d", code)
			}
		}
		if done != 4 {
			t.Errorf("%d of 6 done: %v", done, codes)
		}
		m.wantOutput("200,00", 0, "", "agent", "list")
		m.wantOutput("All holds", 0, "", "audit")
	})
}

func TestSettleBiller(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.wantOutput("no payment to a biller dostek was ever completed", 1, "", "settle", "biller", "dostek", "5", "--reference", "R")
		m.exec("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (50, 'payable', 'dostek', 'KGS', 0, $1), (51, 'losses', 'test', 'KGS', 0, $1)", m.db.Now())
		m.exec("INSERT INTO stripes (account_id, stripe, balance) VALUES (50, 0, 60000), (50, 1, 40000), (51, 0, -100000)")
		m.exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES (60, 'test', '', 'wallet.transfer', $1)", m.db.Now())
		m.exec("INSERT INTO entries (transfer_id, line, account_id, amount) VALUES (60, 0, 50, 100000), (60, 1, 51, -100000)")
		m.wantOutput("dostek is owed 1\u00a0000,00 som, and not 1\u00a0000,01", 1, "", "settle", "biller", "dostek", "1000.01", "--reference", "R")
		m.wantOutput("It is owed 250,00 som", 0, "", "settle", "biller", "dostek", "750", "--reference", "R")
		m.wantOutput("recorded before", 0, "", "settle", "biller", "dostek", "750", "--reference", "R")
		m.wantOutput("is owed 250,00", 1, "", "settle", "biller", "dostek", "250.01", "--reference", "S")
		out := m.run(1, "", "audit") // of the test's own transfer only
		if n := strings.Count(out, "VIOLATION"); n != 1 {
			t.Errorf("%d violations:\n%s", n, out)
		}
	})
}

package audit_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
	"elsom/internal/operatorlog"
	"elsom/internal/origin"
	"elsom/internal/payment"
	"elsom/internal/settlement"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
	"elsom/internal/translog"
)

// manipulations are statements by table, each of which the audit finds. They are run one
// after another on the same books; those of attempts are of a refused payment each.
var manipulations = []struct{ table, statement string }{
	{"cash_ins", "INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at) SELECT 5, agent, '5', txn_date, account, sum, 5, 0, received_at FROM cash_ins WHERE result = 5"},
	{"cash_ins", "INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at, mac, key_id) SELECT 6, agent, '6', txn_date, account, sum, 5, 0, received_at, mac, key_id FROM cash_ins WHERE txn_id = '2'"},
	{"cash_ins", "UPDATE cash_ins SET txn_date = '20261122120009' WHERE txn_id = '1'"},
	{"cash_ins", "DELETE FROM cash_ins WHERE txn_id = '2'"},
	{"wallet_transfers", "UPDATE wallet_transfers SET receiver_phone = '+996700000000'"},
	{"wallet_transfers", "INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at, mac, key_id) SELECT 7, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at, mac, key_id FROM wallet_transfers"},
	{"wallet_transfers", "DELETE FROM wallet_transfers WHERE id > 7"},
	{"payment_decisions", "UPDATE payment_decisions SET staff = 'nobody' WHERE staff = 'aigul'"},
	{"payment_decisions", "INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, made_at) SELECT 8, payment_id, 'other', decision, reason, made_at FROM payment_decisions WHERE staff = 'bakyt'"},
	{"payment_decisions", "DELETE FROM payment_decisions WHERE staff = 'bakyt'"},
	{"payment_claims", "INSERT INTO payment_claims (payment_id, reference, made_at) SELECT MIN(id), 'late', MIN(accepted_at) FROM payments WHERE refund_ground = 'refused'"},
	{"payment_claims", "DELETE FROM payment_claims WHERE reference <> 'late'"},
	{"payment_claims", "UPDATE payment_claims SET mac = (SELECT mac FROM cash_ins WHERE txn_id = '1'), key_id = (SELECT key_id FROM cash_ins WHERE txn_id = '1')"},
	{"payment_claims", "UPDATE payment_claims SET key_id = '01234567'"},
	{"payment_attempts", "UPDATE payment_attempts SET outcome = 'refused', result = 5, ended_at = started_at WHERE outcome IS NULL"},
	{"payment_attempts", "UPDATE payment_attempts SET outcome = 'unknown' WHERE payment_id = (SELECT id FROM payments WHERE refund_ground = 'refused' ORDER BY id LIMIT 1)"},
	{"payment_attempts", "UPDATE payment_attempts SET reference = 'x' WHERE outcome = 'good'"},
	{"payment_attempts", "DELETE FROM payment_attempts WHERE payment_id = (SELECT id FROM payments WHERE refund_ground = 'refused' ORDER BY id LIMIT 1 OFFSET 1)"},
	{"payment_attempts", "UPDATE payment_attempts SET payment_id = (SELECT MIN(id) FROM payments), number = 8 WHERE payment_id = (SELECT id FROM payments WHERE refund_ground = 'refused' ORDER BY id LIMIT 1 OFFSET 2)"},
	{"payment_attempts", "INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 5, MIN(id), 9, MIN(accepted_at), 'good' FROM payments"},
	{"payment_attempts", "INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome, mac, key_id) SELECT 6, payment_id, 10, started_at, outcome, mac, key_id FROM payment_attempts WHERE outcome = 'good' AND number = 1"},
	{"promises", "INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT 7, 'biller:hoster', '7', '{}', 'open', due_at, accepted_at FROM payments WHERE state = 'processing'"},
	{"promises", "INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT 8, 'biller:hoster', CAST(id AS VARCHAR), '{}', 'open', accepted_at, accepted_at FROM payments WHERE state = 'processing'"},
	{"promises", "UPDATE promises SET lane = 'biller:aknet' WHERE id = 8"},
	{"accounts", "UPDATE accounts SET balance = balance + 100000 WHERE id = (SELECT MIN(id) FROM customers)"},
	{"accounts", "UPDATE accounts SET floor = -100000 WHERE id = (SELECT MIN(id) FROM customers)"},
	{"accounts", "UPDATE accounts SET closed_at = opened_at WHERE id = (SELECT MAX(id) FROM customers)"},
	{"stripes", "UPDATE stripes SET balance = balance - 1 WHERE account_id = (SELECT id FROM accounts WHERE kind = 'transit' AND subject = 'dostek')"},
	{"stripes", "INSERT INTO stripes (account_id, stripe, balance) SELECT id, 0, 100 FROM accounts WHERE kind = 'wallet' AND id = (SELECT MAX(id) FROM customers)"},
	{"stripes", "DELETE FROM stripes WHERE account_id = (SELECT id FROM accounts WHERE kind = 'transit' AND subject = 'dostek')"},
	{"settlements", "UPDATE settlements SET staff = 'nobody'"},
	{"settlements", "INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at, mac, key_id) SELECT 9, kind, party, 2, 'again', amount, staff, reason, settled_at, mac, key_id FROM settlements"},
	{"settlements", "DELETE FROM settlements WHERE id <> 9"},
	{"agents", "UPDATE agents SET ceiling = (SELECT ceiling FROM old_agents), mac = (SELECT mac FROM old_agents), key_id = (SELECT key_id FROM old_agents)"},
	{"agents", "UPDATE agents SET ceiling = ceiling + 1"},
	{"agents", "INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at, mac, key_id) SELECT 'evil', name, password_hash, allowed, ceiling, 10, disabled, created_at, mac, key_id FROM agents"},
	{"agents", "DELETE FROM agents WHERE code = 'kicb'"},
	{"catalog_billers", "INSERT INTO catalog_billers (code, name, url, answers_stored_outcome, deadline_ms, retired) VALUES ('evil', 'x', 'https://evil.example/', FALSE, 1000, TRUE)"},
	{"catalog_billers", "UPDATE catalog_billers SET url = 'https://evil.example/' WHERE code = 'dostek'"},
	{"catalog_billers", "UPDATE catalog_billers SET answers_stored_outcome = TRUE WHERE code = 'hoster'"},
	{"catalog_services", "UPDATE catalog_services SET fee_fixed = 100 WHERE code = 'dostek'"},
	{"catalog_services", "UPDATE catalog_services SET biller = 'dostek' WHERE code = 'hoster'"},
	{"catalog_services", "UPDATE catalog_services SET retired = TRUE WHERE code = 'aknet'"},
	{"catalog_levels", "UPDATE catalog_levels SET month = (SELECT month FROM old_levels WHERE code = 'basic') WHERE code = 'basic'"},
	{"catalog_levels", "UPDATE catalog_levels SET operation = operation + 1 WHERE code = 'standard'"},
	{"catalog_levels", "UPDATE catalog_levels SET retired = TRUE WHERE code = 'video'"},
	{"catalog_state", "UPDATE catalog_state SET default_level = 'standard'"},
	{"catalog_state", "UPDATE catalog_state SET version = 1"},
	{"catalog_state", "UPDATE catalog_state SET version = 98"},
	{"catalog_versions", "UPDATE catalog_versions SET content = content || ' '"},
	{"catalog_versions", "INSERT INTO catalog_versions (version, content, put_at, staff, os_user, origin, restored_from) SELECT 99, content, put_at, staff, os_user, origin, restored_from FROM catalog_versions WHERE version = 1"},
	{"catalog_versions", "DELETE FROM catalog_versions WHERE version = 1"},
	{"customers", "UPDATE customers SET level = (SELECT level FROM old_customers), mac = (SELECT mac FROM old_customers), key_id = (SELECT key_id FROM old_customers) WHERE id = (SELECT id FROM old_customers)"},
	{"customers", "UPDATE customers SET level = 'video' WHERE id = (SELECT MIN(id) FROM customers)"},
	{"customers", "UPDATE customers SET phone = '+996700999999' WHERE id = (SELECT MAX(id) FROM customers)"},
	{"customers", "UPDATE customers SET spent_month = 1 WHERE id = (SELECT MIN(id) FROM customers WHERE id > (SELECT id FROM old_customers))"},
	{"customers", "DELETE FROM customers WHERE id = (SELECT MIN(id) FROM customers WHERE id > (SELECT id FROM old_customers))"},
	{"customers", "UPDATE customers SET password_hash = (SELECT password_hash FROM old_customers), login_mac = (SELECT login_mac FROM old_customers), login_key_id = (SELECT login_key_id FROM old_customers) WHERE id = (SELECT id FROM old_customers)"},
	{"customers", "UPDATE customers SET password_hash = 'x' WHERE id = (SELECT MAX(id) FROM customers)"},
	{"gateways", "UPDATE gateways SET scopes = 'ussd' WHERE code = 'kannel'"},
	{"gateways", "INSERT INTO gateways (id, code, name, password_hash, allowed, disabled, created_at, scopes, inputs, mac, key_id) SELECT 7, 'evil', name, password_hash, allowed, disabled, created_at, scopes, inputs, mac, key_id FROM gateways WHERE code = 'ussd'"},
	{"gateways", "DELETE FROM gateways WHERE code = 'kannel'"},
	{"payments", "UPDATE payments SET due_at = NULL WHERE state = 'processing'"},
	{"payments", "UPDATE payments SET identifier = '00207199610018' WHERE state = 'processing'"},
	{"payments", "UPDATE payments SET state = 'processing', ended_at = NULL WHERE refund_ground = 'decided'"},
	{"payments", "DELETE FROM payments"},
	{"signing_starts", "UPDATE signing_starts SET origin = 'x'"},
	{"signing_starts", "INSERT INTO signing_starts (id, started_at, origin, mac, key_id) SELECT 12, started_at, origin, mac, key_id FROM signing_starts"},
	{"signing_starts", "DELETE FROM signing_starts WHERE id <> 12"},
	{"operator_log", "UPDATE operator_log SET staff = 'nobody' WHERE command = 'agent set'"},
	{"operator_log", "INSERT INTO operator_log (id, done_at, command, os_user, staff, reason, subject, state_before, state_after, mac, key_id) SELECT 13, done_at, command, os_user, staff, reason, subject, state_before, state_after, mac, key_id FROM operator_log WHERE command = 'settle agent'"},
	{"operator_log", "UPDATE operator_log SET mac = NULL, key_id = '' WHERE command = 'settle agent'"},
	{"operator_log", "DELETE FROM operator_log WHERE command = 'agent set'"},
	{"entries", "UPDATE entries SET amount = amount * 2 WHERE transfer_id = (SELECT MIN(id) FROM transfers)"},
	{"entries", "DELETE FROM entries WHERE transfer_id = (SELECT MAX(id) FROM transfers)"},
	{"entries", "INSERT INTO entries (transfer_id, line, account_id, amount) SELECT transfer_id, 7, account_id, amount FROM entries WHERE transfer_id = (SELECT MIN(id) FROM transfers) AND line = 0"},
	{"transfers", "UPDATE transfers SET request_hash = 'x' WHERE id = (SELECT MIN(id) FROM transfers WHERE id > (SELECT MIN(id) FROM transfers))"},
	{"transfers", "INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 11, 'x', '', act, posted_at FROM transfers WHERE id = (SELECT MIN(id) FROM transfers)"},
	{"transfers", "DELETE FROM transfers WHERE id = (SELECT MAX(id) FROM transfers)"},
}

// mayChange are the tables that the program's role may change, because the program does:
// there the audit must find what that role manipulates.
var mayChange = []string{"accounts", "promises", "customers", "agents", "gateways", "catalog_billers", "catalog_services", "catalog_levels", "catalog_state"}

// At least three manipulations of each table with money are found when the program's role
// makes them, or that role is refused. Rows were sealed before.
func TestManipulations(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manipulatedBooks(t, db)
		refused := map[string]bool{}
		wantEachFound(t, db, func(table, statement string) bool {
			err := db.Gorm(t.Context()).Exec(statement).Error
			refused[table] = refused[table] || err != nil
			return err == nil
		})
		for _, m := range manipulations {
			if !refused[m.table] && !slices.Contains(mayChange, m.table) {
				t.Errorf("the program's role may manipulate %s", m.table)
			}
		}
	})
}

// They are found too when the owner of the tables makes them, with the triggers off and
// on again.
func TestManipulationsByTheOwner(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manipulatedBooks(t, db)
		wantEachFound(t, db, func(_, statement string) bool {
			databasetest.Tamper(t, db, statement)
			return true
		})
	})
}

// wantEachFound makes the manipulations one after another; each that was made must lead
// to a violation that was not there before.
func wantEachFound(t *testing.T, db *database.DB, made func(table, statement string) bool) {
	t.Helper()
	before := lines(t, db)
	if len(before) > 1 { // the operation of the test's deposits
		t.Fatalf("the books don't hold: %q", before)
	}
	for _, m := range manipulations {
		if !made(m.table, m.statement) {
			continue
		}
		now := lines(t, db)
		if !slices.ContainsFunc(now, func(line string) bool { return !slices.Contains(before, line) }) {
			t.Errorf("not found: %s", m.statement)
		}
		before = now
	}
}

// A decision without an id, which would have no signature to look at, is found.
func TestDecisionWithoutID(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manipulatedBooks(t, db)
		databasetest.Tamper(t, db, "UPDATE payment_decisions SET id = NULL WHERE staff = 'aigul'")
		if now := lines(t, db); !slices.ContainsFunc(now, func(line string) bool { return strings.Contains(line, "has no id") }) {
			t.Errorf("%q", now)
		}
	})
}

// An attempt without an id, which would have no signature to look at, is found.
func TestAttemptWithoutID(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manipulatedBooks(t, db)
		databasetest.Tamper(t, db, "UPDATE payment_attempts SET id = NULL WHERE outcome = 'good'")
		if now := lines(t, db); !slices.ContainsFunc(now, func(line string) bool { return strings.Contains(line, "attempt 1 has no id") }) {
			t.Errorf("%q", now)
		}
	})
}

// lines returns the violations, also those of the test's own operation.
func lines(t *testing.T, db *database.DB) []string {
	t.Helper()
	result, err := audit.Run(t.Context(), db, audit.Outside{})
	require.NoError(t, err)
	return result.Violations
}

// manipulatedBooks makes books with rows of every kind, and seals them.
func manipulatedBooks(t *testing.T, db *database.DB) {
	t.Helper()
	ctx, a := t.Context(), testkit.New(t, db, testkit.Options{NoRateLimits: true})
	require.NoError(t, origin.Start(ctx, db))
	from, to := a.NewCustomer(1000_00), a.NewCustomer(0)
	a.NewCustomer(0)
	require.NoError(t, a.Agents.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "a good password", Ceiling: 1_000_00}))
	for _, code := range []string{"kannel", "ussd"} {
		require.NoError(t, a.Gateways.Add(ctx, credential.NewGateway{
			Code: code, Name: code, Password: "a good password", Allowed: credential.Anywhere(), Scopes: []credential.Scope{credential.Receipts},
		}))
	}
	databasetest.Tamper(t, db, "CREATE TABLE old_agents AS SELECT * FROM agents")
	seal(t, db)
	more := money.Amount(2_000_00)
	require.NoError(t, a.Agents.ChangeAgent(operatorlog.With(ctx, operatorlog.Command{Name: "agent set"}), "kicb", cashin.AgentChange{Ceiling: &more}))
	agents, err := a.Agents.ListAgents(ctx)
	require.NoError(t, err)
	for txn, account := range map[string]string{"1": to.Phone.String(), "2": "0555999888"} {
		_, err := a.CashIn.PayIn(ctx, agents[0], cashin.Request{TxnID: txn, TxnDate: "20261122120005", Account: account, Sum: 100_00})
		require.NoError(t, err)
	}
	databasetest.Tamper(t, db, "CREATE TABLE old_levels AS SELECT * FROM catalog_levels")
	testkit.EditCatalog(t, a.Catalog, `url: .*`, `url: "http://127.0.0.1:1/"`, `^    month: .*$`, `    month: "100000"`)
	manipulatedPayments(t, a, from)
	sent, err := a.Transfers.Quote(ctx, from, transfer.Order{Phone: to.Phone.String(), Amount: "20", Channel: customer.Web})
	require.NoError(t, err)
	_, err = a.Transfers.Accept(ctx, from, customer.Web, sent.ID)
	require.NoError(t, err)
	_, err = settlement.New(db, a.Ledger).Settle(operatorlog.With(ctx, operatorlog.Command{Name: "settle agent"}), settlement.Order{PartyType: settlement.Agent, Party: "kicb", Amount: 50_00, Reference: "417", Staff: "aigul"})
	require.NoError(t, err)
	databasetest.Tamper(t, db, "CREATE TABLE old_customers AS SELECT * FROM customers WHERE id = (SELECT MIN(id) FROM customers)")
	require.NoError(t, db.Gorm(ctx).Exec("UPDATE customers SET password_hash = 'new'").Error)
	databasetest.Resign(t, db, signature.Login)
	_, err = a.Customers.SetLevel(ctx, from.ID, "basic", customer.StaffAction{Staff: "aigul", Reason: "seen"})
	require.NoError(t, err)
	seal(t, db)
}

// manipulatedPayments makes a payment that two people refunded and the biller booked
// late, three that it refused, and one that is processing, whose call is running.
func manipulatedPayments(t *testing.T, a *testkit.App, from customer.Customer) {
	t.Helper()
	ctx := t.Context()
	pay := func() payment.Payment {
		draft, err := a.Payments.Quote(ctx, from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
		require.NoError(t, err)
		paid, err := a.Payments.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		return paid.Payment
	}
	working, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { a.Payments.Deliver(working) })
	defer workers.Wait()
	defer stop()
	a.Biller.Block()
	late := pay()
	require.Eventually(t, "called", func() bool { return a.Biller.Calls(late.TxnID) == 1 })
	for _, staff := range []string{"aigul", "bakyt"} {
		_, err := a.Payments.Decide(ctx, payment.Decision{PaymentID: late.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "letter"})
		require.NoError(t, err)
	}
	a.Biller.Unblock()
	require.Eventually(t, "a claim", func() bool { return a.Count("SELECT COUNT(*) FROM payment_claims") == 1 })
	a.Biller.SetScript(testkit.Refused(5))
	for range 3 {
		pay()
	}
	require.Eventually(t, "refused", func() bool { return a.Count("SELECT COUNT(*) FROM payments WHERE refund_ground = 'refused'") == 3 })
	stop()
	workers.Wait()
	pay()
	running, err := a.Payments.Worker("dostek").Acquire(ctx, 1)
	require.NoError(t, err)
	if len(running) != 1 {
		t.Fatalf("%d deliveries are acquired", len(running))
	}
}

// seal seals what is queued. What changed before a seal is told apart from what it was
// only by another seal between.
func seal(t *testing.T, db *database.DB) {
	t.Helper()
	log := translog.New(db, translog.Options{})
	for {
		n, err := log.Seal(t.Context())
		require.NoError(t, err)
		if n == 0 {
			return
		}
	}
}

package audit_test

import (
	"slices"
	"strings"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/cashin"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/settlement"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
	"elsom/internal/translog"
)

// manipulations are statements by table, each of which the audit finds. They are run one
// after another on the same books.
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
	{"payment_claims", "INSERT INTO payment_claims (payment_id, reference, made_at) SELECT id, 'late', accepted_at FROM payments WHERE state = 'refunded'"},
	{"payment_claims", "UPDATE payment_claims SET mac = (SELECT mac FROM cash_ins WHERE txn_id = '1'), key_id = (SELECT key_id FROM cash_ins WHERE txn_id = '1')"},
	{"payment_claims", "UPDATE payment_claims SET key_id = '01234567'"},
	{"settlements", "UPDATE settlements SET staff = 'nobody'"},
	{"settlements", "INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at, mac, key_id) SELECT 9, kind, party, 2, 'again', amount, staff, reason, settled_at, mac, key_id FROM settlements"},
	{"settlements", "DELETE FROM settlements WHERE id <> 9"},
	{"agents", "UPDATE agents SET ceiling = (SELECT ceiling FROM old_agents), mac = (SELECT mac FROM old_agents), key_id = (SELECT key_id FROM old_agents)"},
	{"agents", "UPDATE agents SET ceiling = ceiling + 1"},
	{"agents", "INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at, mac, key_id) SELECT 'evil', name, password_hash, allowed, ceiling, 10, disabled, created_at, mac, key_id FROM agents"},
	{"agents", "DELETE FROM agents WHERE code = 'kicb'"},
	{"catalog_versions", "UPDATE catalog_versions SET content = content || ' '"},
	{"catalog_versions", "INSERT INTO catalog_versions (version, content, put_at, staff, os_user, origin, restored_from) SELECT 99, content, put_at, staff, os_user, origin, restored_from FROM catalog_versions"},
	{"catalog_versions", "DELETE FROM catalog_versions WHERE version = 1"},
	{"customers", "UPDATE customers SET level = (SELECT level FROM old_customers), mac = (SELECT mac FROM old_customers), key_id = (SELECT key_id FROM old_customers) WHERE id = (SELECT id FROM old_customers)"},
	{"customers", "UPDATE customers SET level = 'video' WHERE id = (SELECT MIN(id) FROM customers)"},
	{"customers", "UPDATE customers SET phone = '+996700999999' WHERE id = (SELECT MAX(id) FROM customers)"},
	{"customers", "DELETE FROM customers WHERE id = (SELECT MIN(id) FROM customers WHERE id > (SELECT id FROM old_customers))"},
	{"payments", "UPDATE payments SET identifier = '00207199610018' WHERE state = 'refunded'"},
	{"payments", "UPDATE payments SET state = 'processing', ended_at = NULL WHERE state = 'refunded'"},
	{"payments", "DELETE FROM payments"},
	{"entries", "UPDATE entries SET amount = amount * 2 WHERE transfer_id = (SELECT MIN(id) FROM transfers)"},
	{"entries", "DELETE FROM entries WHERE transfer_id = (SELECT MAX(id) FROM transfers)"},
	{"entries", "INSERT INTO entries (transfer_id, line, account_id, amount) SELECT transfer_id, 7, account_id, amount FROM entries WHERE transfer_id = (SELECT MIN(id) FROM transfers) AND line = 0"},
	{"transfers", "UPDATE transfers SET request_hash = 'x' WHERE id = (SELECT MIN(id) FROM transfers WHERE id > (SELECT MIN(id) FROM transfers))"},
	{"transfers", "INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 11, 'x', '', act, posted_at FROM transfers WHERE id = (SELECT MIN(id) FROM transfers)"},
	{"transfers", "DELETE FROM transfers WHERE id = (SELECT MAX(id) FROM transfers)"},
}

// mayChange are the tables that the program's role may change, because the program does:
// there the audit must find what that role manipulates.
var mayChange = []string{"customers", "agents"}

// At least three manipulations of each table with money are found, whoever makes them:
// the program's role, where it is not refused, and the owner with the triggers off and on
// again. Rows were sealed before.
func TestManipulations(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		manipulatedBooks(t, db)
		before := lines(t, db)
		if len(before) > 1 { // the operation of the test's deposits
			t.Fatalf("the books don't hold: %q", before)
		}
		refused := map[string]bool{}
		for _, m := range manipulations {
			if err := db.Gorm(t.Context()).Exec(m.statement).Error; err != nil {
				refused[m.table] = true
				databasetest.Tamper(t, db, m.statement)
			}
			now := lines(t, db)
			if !slices.ContainsFunc(now, func(line string) bool { return !slices.Contains(before, line) }) {
				t.Errorf("not found: %s", m.statement)
			}
			before = now
		}
		for _, m := range manipulations {
			if !refused[m.table] && !slices.Contains(mayChange, m.table) {
				t.Errorf("the program's role may manipulate %s", m.table)
			}
		}
	})
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

// lines returns the violations, also those of the test's own operation.
func lines(t *testing.T, db *database.DB) []string {
	t.Helper()
	result, err := audit.Run(t.Context(), db)
	require.NoError(t, err)
	return result.Violations
}

// manipulatedBooks makes books with rows of every kind but claims, and seals them.
func manipulatedBooks(t *testing.T, db *database.DB) {
	t.Helper()
	ctx, a := t.Context(), testkit.New(t, db, testkit.Options{NoRateLimits: true})
	from, to := a.NewCustomer(1000_00), a.NewCustomer(0)
	a.NewCustomer(0)
	require.NoError(t, a.Agents.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "a good password", Ceiling: 1_000_00}))
	databasetest.Tamper(t, db, "CREATE TABLE old_agents AS SELECT * FROM agents")
	seal(t, db)
	more := money.Amount(2_000_00)
	require.NoError(t, a.Agents.ChangeAgent(ctx, "kicb", cashin.AgentChange{Ceiling: &more}))
	agents, err := a.Agents.ListAgents(ctx)
	require.NoError(t, err)
	for txn, account := range map[string]string{"1": to.Phone.String(), "2": "0555999888"} {
		_, err := a.CashIn.PayIn(ctx, agents[0], cashin.Request{TxnID: txn, TxnDate: "20261122120005", Account: account, Sum: 100_00})
		require.NoError(t, err)
	}
	draft, err := a.Payments.Quote(ctx, from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
	require.NoError(t, err)
	paid, err := a.Payments.Accept(ctx, from, customer.Web, draft.ID)
	require.NoError(t, err)
	for _, staff := range []string{"aigul", "bakyt"} {
		_, err := a.Payments.Decide(ctx, payment.Decision{PaymentID: paid.Payment.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "letter"})
		require.NoError(t, err)
	}
	sent, err := a.Transfers.Quote(ctx, from, transfer.Order{Phone: to.Phone.String(), Amount: "20", Channel: customer.Web})
	require.NoError(t, err)
	_, err = a.Transfers.Accept(ctx, from, customer.Web, sent.ID)
	require.NoError(t, err)
	_, err = settlement.New(db, a.Ledger).Settle(ctx, settlement.Order{PartyType: settlement.Agent, Party: "kicb", Amount: 50_00, Reference: "417", Staff: "aigul"})
	require.NoError(t, err)
	databasetest.Tamper(t, db, "CREATE TABLE old_customers AS SELECT * FROM customers WHERE id = (SELECT MIN(id) FROM customers)")
	_, err = a.Customers.SetLevel(ctx, from.ID, "basic", customer.StaffAction{Staff: "aigul", Reason: "seen"})
	require.NoError(t, err)
	seal(t, db)
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

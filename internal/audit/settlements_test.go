package audit_test

import (
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// settled inserts a settlement with its number and amount, and its transfer of the
// posted amount.
func settled(kind, party string, number, amount int64, account string, posted int64) []string {
	bank := -posted
	return []string{
		fmt.Sprintf("INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at) SELECT 950, '%s', '%s', %d, 'R', %d, 's', '', posted_at FROM transfers WHERE id = {end 12}", kind, party, number, amount),
		"INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) SELECT 300, 'bank', 'settlement', 'KGS', " + fmt.Sprint(bank) +
			", posted_at FROM transfers WHERE id = {end 12}",
		fmt.Sprintf("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 78, 'settle:%[1]s:%[2]s:R', '', 'settle.%[1]s', posted_at FROM transfers WHERE id = {end 12}", kind, party),
		fmt.Sprintf("INSERT INTO entries VALUES (78, 0, %s, %d), (78, 1, 300, %d)", account, posted, bank),
		fmt.Sprintf("UPDATE accounts SET balance = balance + %d WHERE id = %s", posted, account),
	}
}

// A correct settlement has no violations, so that wrong ones are found for what is
// wrong with them.
func TestCorrectSettlement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		names := b.names()
		for _, statement := range settled("biller", "dostek", 1, 350_00, "{payable}", -350_00) {
			b.tamper(names.Replace(statement))
		}
		if p := runAudit(t, db); !p.OK() {
			t.Error(p.Violations)
		}
	})
}

func TestWrongSettlementsAreFound(t *testing.T) {
	wantFound(t, settlementCases, func(*book) {})
}

var settlementCases = []violationCase{
	{
		"a settlement is not posted", settled("agent", "kicb", 1, 100_00, "201", 100_00)[:1],
		[]string{"settlements: settle:agent:kicb:R was never posted"},
	},
	{
		"a settlement's row is missing", settled("agent", "kicb", 1, 100_00, "201", 100_00)[1:],
		[]string{"settlements: transfer 78 (settle:agent:kicb:R, settle.agent) has no settlement"},
	},
	{
		"a settlement is of another sum", settled("agent", "kicb", 1, 100_00, "201", 50_00),
		[]string{"settlements: settlement agent kicb R was posted with a wrong sum or account"},
	},
	{
		"a settlement goes the wrong way", settled("biller", "dostek", 1, 100_00, "{payable}", 100_00),
		[]string{"settlements: settlement biller dostek R was posted with a wrong sum or account"},
	},
	{
		"a biller is paid more than it is owed", settled("biller", "dostek", 1, 400_00, "{payable}", -400_00),
		[]string{"settlements: account {payable} (payable dostek) has a balance of −50,00"},
	},
	{
		"an agent pays more than it owes", settled("agent", "kicb", 1, 2000_00, "201", 2000_00),
		[]string{"settlements: account 201 (till kicb) has a balance of 500,00"},
	},
	{
		"an earlier settlement is missing", settled("agent", "kicb", 2, 100_00, "201", 100_00),
		[]string{"settlements: the numbers of settlements of agent kicb have gaps"},
	},
}

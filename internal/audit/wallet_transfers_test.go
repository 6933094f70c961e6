package audit_test

import (
	"slices"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/transfer"
)

// send adds a transfer between the wallets: 40 som from Aizada to Bakyt.
func (b *book) send() {
	b.t.Helper()
	b.post(transfer.Key(21), "wallet.transfer", ledger.Subject{Type: ledger.WalletTransfer, ID: 21}, ledger.Entry{Account: aizada, Amount: -40_00, LimitUse: &ledger.LimitUse{}}, ledger.Entry{Account: bakyt, Amount: 40_00})
	b.exec(`INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at)
		VALUES (21, ?, ?, '+996700000101', '+996700000102', '', '', 4000, 'web', ?)`, aizada, bakyt, b.db.Now())
}

func TestCorrectWalletTransfer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		newBook(t, db).send()
		p := runAudit(t, db)
		if !p.OK() || !slices.Equal(p.WalletTransfers, []audit.Total{{Name: "web", Count: 1, Amount: 40_00}}) {
			t.Fatal(printed(t, p))
		}
	})
}

func TestWrongWalletTransfersAreFound(t *testing.T) {
	wrong := "between wallets: transfer 21 was posted with a wrong amount or wallet"
	wantFound(t, []violationCase{
		{"a transfer's row is erased", []string{"DELETE FROM wallet_transfers"},
			[]string{"between wallets: transfer {sent 21} (transfer:21, wallet.transfer) has no sender"}},
		{"a transfer without money", []string{
			"INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at) " +
				"SELECT 22, sender_id, receiver_id, sender_phone, receiver_phone, '', '', amount, channel, accepted_at FROM wallet_transfers",
		}, []string{"between wallets: transfer:22 was never posted"}},
		{"a transfer's amount is changed", []string{"UPDATE wallet_transfers SET amount = amount + 1"}, []string{wrong}},
		{"a transfer changes its direction", []string{"UPDATE wallet_transfers SET sender_id = receiver_id, receiver_id = sender_id"}, []string{wrong}},
		{"a transfer goes elsewhere", []string{"UPDATE wallet_transfers SET receiver_id = {payable}"}, []string{wrong}},
	}, (*book).send)
}

package transfer_test

import (
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/signature"
	"elsom/internal/transfer"
)

// A transfer between wallets is signed and queued for the log, once.
func TestTransfersAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		h.send(from, to, "20")
		h.send(from, to, "30")
		databasetest.WantSigned(t, db, "wallet_transfers", 2)
		if n := databasetest.Queued(t, db, signature.WalletTransfer); n != 2 {
			t.Errorf("%d are queued for the log", n)
		}
		var rows []struct {
			transfer.Transfer `gorm:"embedded"`
			MAC               []byte `gorm:"column:mac"`
			KeyID             string
		}
		if err := db.Gorm(t.Context()).Raw("SELECT " + database.ColumnsOf[transfer.Transfer]() + ", mac, key_id FROM wallet_transfers").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := db.Verify(t.Context(), r.Record(), r.MAC, r.KeyID); err != nil {
				t.Error(err)
			}
		}
	})
}

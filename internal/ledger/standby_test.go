package ledger_test

import (
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
)

// A transfer that no standby has received is Unknown, also when its key is posted
// again: a failover could lose it. Its accounts have no floor, because a
// transaction that locks rows would wait for the standby at its commit anyway.
func TestReplayIsUnknownWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	b := newBooks(t, db)
	fees := b.account(ledger.Fees, "x")
	if err := server.SetSynchronousStandbys("nobody"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if receipt, err := b.post("k", b.bank, fees, 1_00); !fault.Is(err, fault.Unknown) {
			t.Errorf("without the standby: %+v, %v", receipt, err)
		}
	}
	if err := server.SetSynchronousStandbys(""); err != nil {
		t.Fatal(err)
	}
	if receipt, err := b.post("k", b.bank, fees, 1_00); err != nil || !receipt.Replayed {
		t.Errorf("with the standby: %+v, %v", receipt, err)
	}
	b.wantBalance(fees, 1_00)
}

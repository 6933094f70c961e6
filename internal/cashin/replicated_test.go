package cashin_test

import (
	"context"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// Neither a credit nor a refusal is final while its row is on the primary only: a
// failover could lose it after the terminal has kept the cash or given it back.
func TestNoAnswerIsFinalWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	d := newFixture(t, db)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(server.SetSynchronousStandbys("nobody"))
	credit, refusal, other := request("1", asel.String(), 100), request("2", "0555000000", 100), request("1", asel.String(), 101)
	open := func(r cashin.Request) {
		t.Helper()
		answer, err := d.PayIn(context.Background(), d.agents["kicb"], r)
		if !fault.Is(err, fault.Unknown) {
			t.Errorf("txn_id %s is answered %+v, %v", r.TxnID, answer, err)
		}
	}
	for range 2 {
		open(credit)
		open(refusal)
	}
	open(other)
	if d.balance(asel) != 100 || d.rows() == 0 {
		t.Error("the rows are not on the primary")
	}
	must(server.SetSynchronousStandbys(""))
	first := d.pay("kicb", "1", asel.String(), 100, cashin.Done)
	if again := d.pay("kicb", "1", asel.String(), 100, cashin.Done); again != first || d.balance(asel) != 100 {
		t.Errorf("%+v, then %+v; the wallet holds %s", first, again, d.balance(asel))
	}
	d.pay("kicb", "2", "0555000000", 100, cashin.NoWallet)
	if _, err := d.PayIn(context.Background(), d.agents["kicb"], other); !fault.Is(err, fault.Conflict) {
		t.Errorf("another sum: %v", err)
	}
}

package cashin_test

import (
	"context"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// Cash whose rows stand on the primary alone is not acknowledged, however often
// the terminal asks, and neither is a refusal: the terminal would keep the cash,
// or give it back, and a failover would forget why.
func TestNothingIsFinalWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	d := newDesk(t, db)
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
	if d.holds(asel) != 100 || d.rows() == 0 {
		t.Error("the rows can't be read: nothing was tried")
	}
	must(server.SetSynchronousStandbys(""))
	first := d.pay("kicb", "1", asel.String(), 100, cashin.Done)
	if again := d.pay("kicb", "1", asel.String(), 100, cashin.Done); again != first || d.holds(asel) != 100 {
		t.Errorf("%+v, then %+v; the wallet holds %s", first, again, d.holds(asel))
	}
	d.pay("kicb", "2", "0555000000", 100, cashin.NoWallet)
	if _, err := d.PayIn(context.Background(), d.agents["kicb"], other); !fault.Is(err, fault.Conflict) {
		t.Errorf("another sum: %v", err)
	}
}

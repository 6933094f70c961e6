package transfer_test

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// fixture is transfers on an app whose biller never answers.
type fixture struct {
	*testkit.App
	*transfer.Transfers
	t *testing.T
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	app := testkit.New(t, db, testkit.Options{Biller: testkit.NewBiller(testkit.NoAnswer)})
	return &fixture{App: app, Transfers: app.Transfers, t: t}
}

func order(to customer.Customer, amount string) transfer.Order {
	return transfer.Order{Phone: to.Phone.String(), Amount: amount, Channel: customer.Web, Address: "127.0.0.1"}
}

func (h *fixture) quote(from, to customer.Customer, amount string) transfer.Draft {
	h.t.Helper()
	draft, err := h.Quote(context.Background(), from, order(to, amount))
	require.NoError(h.t, err)
	return draft
}

// send quotes and accepts.
func (h *fixture) send(from, to customer.Customer, amount string) transfer.Transfer {
	h.t.Helper()
	t, err := h.Accept(context.Background(), from, customer.Web, h.quote(from, to, amount).ID)
	require.NoError(h.t, err)
	return t.Transfer
}

// level changes a limit of all levels.
func (h *fixture) level(column string, amount money.Amount) {
	h.t.Helper()
	h.SetLimit(column, amount.Dot())
}

func kindIs(t *testing.T, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	f := fault.As(err)
	if err == nil || f.Kind != kind || f.Reason != reason || f.Field != field {
		t.Fatalf("got %v, want %s %s at %q", err, kind, reason, field)
	}
}

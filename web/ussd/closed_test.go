package ussd_test

import (
	"context"
	"strings"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
)

// closeWallet closes an empty wallet, as the site does, without a password.
func (h *fixture) closeWallet(c customer.Customer) {
	h.t.Helper()
	require.NoError(h.t, h.DB.InTx(h.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		at, err := ledger.CloseWallet(tx, c.ID)
		if err != nil {
			return err
		}
		_, err = h.Customers.Close(ctx, tx, c, at, customer.Spent{})
		return err
	}))
}

// A wallet that is closed during a session refuses every operation; the next call
// says that it is closed and offers a new one.
func TestClosedWallet(t *testing.T) {
	h := sqlite(t)
	const pin = "7391"
	for what, keys := range map[string][]string{
		"balance": {"8", "1", pin}, "operations": {"8", "4", pin}, "PIN": {"8", "3", pin}, "language": {"8", "2", "2"},
		"quote": {"3", "3", "14", "14", company, "100"}, "payment": {"3", "3", "14", "14", company, "100", pin},
		"transfer": {"1", "0550 999 999", "10"},
	} {
		number := h.holder(pin, 0)
		c, err := h.Customers.ByPhone(t.Context(), number)
		require.NoError(t, err)
		call := h.dial(number)
		call.all(keys[:len(keys)-1]...)
		h.closeWallet(c)
		if got := call.press(keys[len(keys)-1]); !strings.HasPrefix(got, "END Кошелек закрыт") {
			t.Errorf("%s: %s", what, got)
		}
		call = h.dial(number)
		if !strings.HasPrefix(call.screen, "CON Кошелек закрыт. Новый: / Тил / Язык / Language / 1 Кыргызча") {
			t.Errorf("%s, dialed again: %s", what, call.screen)
		}
	}
	number := h.number()
	h.register(number, "ru")
	first, err := h.Customers.ByPhone(t.Context(), number)
	require.NoError(t, err)
	h.closeWallet(first)
	h.register(number, "ky")
	next, err := h.Customers.ByPhone(t.Context(), number)
	require.NoError(t, err)
	if next.ID == first.ID || next.Closed || next.Lang != "ky" {
		t.Errorf("the new wallet: %+v", next)
	}
	if got := h.dial(number).screen; !strings.Contains(got, "8 ") || strings.Contains(got, "жабык") {
		t.Errorf("the new wallet's menu: %s", got)
	}
}

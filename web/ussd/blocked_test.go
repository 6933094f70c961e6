package ussd_test

import (
	"strings"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// A wallet that is blocked during a session refuses every operation.
func TestWalletBlockedDuringSession(t *testing.T) {
	h := sqlite(t)
	const pin = "7391"
	for what, keys := range map[string][]string{
		"language": {"8", "2", "1"}, "balance": {"8", "1", pin}, "operations": {"8", "4", pin},
		"old PIN": {"8", "3", pin}, "new PIN": {"8", "3", pin, "8264"}, "change of PIN": {"8", "3", pin, "8264", "8264"},
		"quote": {"3", "3", "14", "14", company, "100"}, "payment": {"3", "3", "14", "14", company, "100", pin},
	} {
		number := h.holder(pin, 100_000)
		c, err := h.Customers.ByPhone(t.Context(), number)
		require.NoError(t, err)
		call := h.dial(number)
		call.all(keys[:len(keys)-1]...)
		testkit.Block(t, h.Customers, c.ID)
		if got := call.press(keys[len(keys)-1]); !strings.Contains(got, "0312 986 000") || !strings.HasPrefix(got, "END К") {
			t.Errorf("%s: %s", what, got)
		}
		testkit.Unblock(t, h.Customers, c.ID)
		after, err := h.Customers.ByPhone(t.Context(), number)
		require.NoError(t, err)
		if err := h.Customers.CheckPIN(t.Context(), c.ID, pin, customer.ForBalance, ""); err != nil || after.Lang != "ru" || h.balance(number) != 100_000 {
			t.Errorf("%s: checking the PIN returns %v, the language is %s", what, err, after.Lang)
		}
	}
	number := h.number()
	h.register(number, "ru")
	first := h.pin(number)
	c, err := h.Customers.ByPhone(t.Context(), number)
	require.NoError(t, err)
	call := h.dial(number)
	call.press("8")
	testkit.Block(t, h.Customers, c.ID)
	if got := call.press("5"); !strings.HasPrefix(got, "END Кошелёк заблокирован") || h.pin(number) != first {
		t.Errorf("a new PIN: %s", got)
	}
}

// Amounts tried without the PIN don't reveal the balance.
func TestBalanceNeedsPIN(t *testing.T) {
	h := sqlite(t)
	number, other := h.holder("7391", 100_000), h.holder("8264", 0)
	call := h.dial(number)
	for _, amount := range []string{"999,99", "1000,01", "5000"} {
		if got := call.toCheck(amount); !strings.HasSuffix(got, "Введите ПИН: / 0 Назад") {
			t.Errorf("%s: %s", amount, got)
		}
		call.all("0", "0", "0", "0", "0", "0")
	}
	if got := call.all("3", "3", "14", "14", company, "1000,01", "7391"); got != "END Недостаточно средств. Деньги не списаны." {
		t.Error(got)
	}
	call = h.dial(number)
	if got := call.all("1", other.National(), "2000"); !strings.HasSuffix(got, "Введите ПИН: / 0 Назад") {
		t.Error(got)
	}
	if got := call.press("7391"); got != "END Недостаточно средств. Деньги не списаны." {
		t.Error(got)
	}
	if h.balance(number) != 100_000 || h.balance(other) != 0 {
		t.Error("money moved")
	}
}

// The accepted offer is the edition that was shown.
func TestAcceptedOfferIsTheOneShown(t *testing.T) {
	h := sqlite(t)
	number := h.number()
	if got := h.handler.Register(t.Context(), number, "Бакыт Асанов", person, "0.9"); !strings.HasPrefix(got, "Оферта обновилась.") {
		t.Error(got)
	}
	if _, err := h.Customers.ByPhone(t.Context(), number); err == nil {
		t.Fatal("a wallet was opened under an offer that was not shown")
	}
	h.dial(number).all("2", "1", "Бакыт Асанов", person, "1", "1")
	c, err := h.Customers.ByPhone(t.Context(), number)
	require.NoError(t, err)
	if list, err := h.Customers.Acceptances(t.Context(), c.ID); err != nil || len(list) != 1 || list[0].Version != customer.OfferVersion {
		t.Errorf("%+v, %v", list, err)
	}
}

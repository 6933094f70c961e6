package ussd_test

import (
	"strings"
	"testing"
)

// Amounts below one som are refused with the minimum.
func TestAmountsBelowMinimumAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		from, to := h.holder("7391", 100_00), h.holder("7391", 0)
		for name, keys := range map[string][]string{
			"payment": {"3", "3", "14", "14", company}, "transfer": {"1", to.String()},
		} {
			call := h.dial(from)
			call.all(keys...)
			for _, sum := range []string{"0.01", "0,99"} {
				if screen := call.press(sum); !strings.HasPrefix(screen, "CON Не меньше 1,00 сом.") {
					t.Errorf("%s of %s: %s", name, sum, screen)
				}
			}
			if screen := call.press("1"); !strings.Contains(screen, "1,00") || !strings.Contains(screen, "ПИН") {
				t.Errorf("%s of a som: %s", name, screen)
			}
		}
	})
}

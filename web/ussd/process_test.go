package ussd_test

import (
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// The requests of one session alternate between two processes, and each repeat
// reaches the other one: a cached session never wins over the database.
func TestSessionOnTwoProcesses(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		servers := []*echo.Echo{h.server, h.second()}
		call := h.dial(number)
		for i, line := range [][2]string{
			{"3", "3 Оплатить счёт"}, {"3", "14 Другие услуги"}, {"14", "14 Достэк"}, {"14", "14 цифр"},
			{"00207199610017", "Введите сумму"}, {"100", "Введите ПИН"}, {"7391", "END Платёж принят. Код"},
		} {
			h.server = servers[(i+1)%2]
			got := call.press(line[0])
			if !strings.Contains(got, line[1]) {
				t.Fatalf("%s: %s, want %s", line[0], got, line[1])
			}
			h.server = servers[i%2]
			if again := call.send(); again != got {
				t.Errorf("the other process: %s, was %s", again, got)
			}
		}
		if b := h.balance(number); b != 90_000 {
			t.Errorf("the balance is %s", b)
		}
	})
}

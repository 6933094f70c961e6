package ussd_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/credential"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/internal/testkit/require"
)

const lostSession = "END Сеанс окончен. Если Вы подтвердили платёж, не повторяйте: итог придёт в СМС."

// ask sends one request of a session and returns its screen on one line.
func (h *fixture) ask(number phone.Number, session, code, text string) string {
	h.t.Helper()
	status, body := h.post(url.Values{
		"sessionId": {session}, "serviceCode": {code}, "phoneNumber": {number.String()}, "text": {text},
	}, "ussd", "dev-ussd")
	if status != http.StatusOK {
		h.t.Errorf("status %d: %s", status, body)
	}
	return strings.ReplaceAll(body, "\n", " / ")
}

// Inputs dialed with the code have the effect of the same inputs sent one by one,
// in whichever field the gateway sends them, and the session continues from there.
func TestDialedInputs(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 1_000_00)
		want := h.dial(number).all("3", "3")
		balance := h.balance(number)
		for _, first := range [][2]string{
			{"*900*3*3#", ""}, {"*900#", "3*3"}, {"*900*3*3#", "3*3"}, {"*900#", "*900*3*3#"}, {" *900*3*3# ", "*900*3*3#"}, {"*900#", "3**3*"},
		} {
			call := &phoneCall{h: h, number: number, session: "dialed " + first[0] + " " + first[1], text: first[1]}
			for range 2 { // the second is a repeat
				if got := h.ask(number, call.session, first[0], first[1]); got != want {
					t.Errorf("%q: %s, want %s", first, got, want)
				}
			}
			if got := call.all("14", "14", company, "10", "7391"); !strings.HasPrefix(got, "END Платёж принят. Код") {
				t.Errorf("%q, the next screen: %s", first, got)
			}
			if balance -= 10_00; h.balance(number) != balance {
				t.Errorf("%q: the balance is %s, want %s", first, h.balance(number), balance)
			}
		}
		for dialed, like := range map[string]string{
			"3*9":                            "CON Нет такого пункта. / Платежи/Комм.услуги / 3 Оплатить счёт",
			"0":                              "CON Нет такого пункта. / 1 Перевод",
			"3*3*14*14*" + company + "*1e3":  "CON Неверная сумма. / Введите сумму",
			"3*3*14*14*0020719961001*5":      "CON ИНН - это 14 цифр. / Достэк",
			"8":                              "CON Баланс/Настройки / 1 Баланс",
			strings.Repeat("8*0*", 30) + "8": "CON ЭЛСОМ / 1 Перевод",
		} {
			if got := h.ask(number, "first "+dialed, "*900#", dialed); !strings.HasPrefix(got, like) {
				t.Errorf("%s: %s", dialed, got)
			}
		}
	})
}

// Dialed inputs never move money, take a PIN or accept terms.
func TestDialedInputsConfirmNothing(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number, other := h.holder("7391", 100_000), h.holder("7391", 0)
		check := h.dial(number).toCheck("100")
		path := "3*3*14*14*" + company + "*100"
		if got := h.ask(number, "to the check", "*900*"+path+"#", ""); got != check {
			t.Errorf("%s, want %s", got, check)
		}
		// With the PIN: dialed inputs stop at the screen that asks for it; a text may
		// repeat a confirmation, so its screen does not ask to pay again.
		if got := h.ask(number, "with PIN", "*900*"+path+"*7391#", ""); got != check {
			t.Errorf("%s, want %s", got, check)
		}
		if got := h.ask(number, "text with PIN", "*900#", path+"*7391"); got != lostSession {
			t.Error(got)
		}
		national := strings.TrimPrefix(other.String(), "+996")
		if got := h.ask(number, "transfer", "*900*1*"+national+"*100*7391#", ""); !strings.HasSuffix(got, "Введите ПИН: / 0 Назад") {
			t.Error(got)
		}
		for _, dialed := range []string{"8*1*7391", "8*3*7391*8264*8264", "8*2*3"} {
			h.ask(number, "does "+dialed, "*900*"+dialed+"#", "")
		}
		if got := h.dial(number).all("8", "1", "7391"); got != "END Баланс: 1 000,00 сом" {
			t.Errorf("an operation was run: %s", got)
		}
		// A number without a wallet starts with the language, and no wallet is opened.
		unregistered := h.number()
		start := h.dial(unregistered).screen
		for _, dialed := range []string{"3*3", "2*1*Бакыт Асанов*" + person + "*1*1"} {
			if got := h.ask(unregistered, "unregistered "+dialed, "*900*"+dialed+"#", dialed); got != start {
				t.Errorf("%s: %s, want %s", dialed, got, start)
			}
		}
		if got := h.ask("+996700123456", "O!", "*900*3*3#", "3*3"); !strings.HasPrefix(got, "END *900# работает у Megacom и Beeline") {
			t.Error(got)
		}
		for _, code := range []string{"*900", "900#", "*9001#", "*900*3", "*901*3#", "*900#3#"} {
			if got := h.ask(number, "code", code, ""); got != "END Нет такой команды. Наберите *900#" {
				t.Errorf("%s: %s", code, got)
			}
		}
	})
}

// A gateway that reuses a session id after END starts a new session; a repeat of
// an earlier input still gets the END screen.
func TestSessionIDIsReused(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 1_000_00)
		call := h.dial(number)
		start := call.screen
		for round, again := range []string{"", "8", "*900#"} {
			call.toCheck("100")
			end := call.press("7391")
			if !strings.HasPrefix(end, "END Платёж принят. Код") {
				t.Fatalf("round %d: %s", round, end)
			}
			for _, text := range []string{call.text, call.text + "*1", strings.TrimSuffix(call.text, "*7391")} {
				if got := h.ask(number, call.session, "*900#", text); got != end {
					t.Errorf("round %d, %s: %s", round, text, got)
				}
			}
			call.text = again
			want := start
			if again == "8" {
				want = h.dial(number).press("8")
			}
			for range 2 {
				if got := call.send(); got != want {
					t.Fatalf("round %d, reused: %s, want %s", round, got, want)
				}
			}
			if again == "8" {
				call.press("0")
			}
		}
		if b := h.balance(number); b != 1_000_00-3*100_00 {
			t.Errorf("the balance is %s", b)
		}
		// A refused caller gets the refusal again; a first screen stays the same.
		for range 3 {
			if got := h.ask("+996700123456", "O!", "*900#", ""); !strings.HasPrefix(got, "END *900# работает у Megacom и Beeline") {
				t.Error(got)
			}
		}
	})
}

// lastInputs sets the gateway to send only the last input.
func (h *fixture) lastInputs() {
	h.t.Helper()
	gateways := h.parts.Gateways.(*credential.Gateways)
	require.NoError(h.t, gateways.Change(h.t.Context(), "ussd", credential.GatewayChange{Inputs: credential.LastInput}))
}

func TestLastInputs(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 1_000_000)
		whole := h.dial(number)
		screens := []string{whole.screen}
		inputs := []string{"3", "3", "14", "14", company, "1500"}
		for _, input := range inputs {
			screens = append(screens, whole.press(input))
		}
		h.lastInputs()
		for round, first := range []string{"", "*900#"} { // in one session, one after the other
			say := func(text string) string {
				t.Helper()
				h.wait(2 * time.Second) // as long as a person needs
				return h.ask(number, "last", "*900#", text)
			}
			for i, input := range append([]string{first}, inputs...) {
				if got := say(input); got != screens[i] {
					t.Fatalf("round %d, %q: %s, want %s", round, input, got, screens[i])
				}
			}
			// The gateway repeats the amount: it is not taken for a PIN.
			if got := say("1500"); got != screens[len(screens)-1] {
				t.Errorf("the sum again: %s", got)
			}
			var all sync.WaitGroup
			answers := make([]string, 6)
			for i := range answers {
				all.Go(func() { answers[i] = h.ask(number, "last", "*900#", "7391") })
			}
			all.Wait()
			for _, got := range slices.Concat(answers, []string{say("7391")}) {
				if got != answers[0] || !strings.HasPrefix(got, "END Платёж принят. Код") {
					t.Errorf("round %d: %s, first %s", round, got, answers[0])
				}
			}
			if b := h.balance(number); b != 1_000_000-150_000*money.Amount(1+round) {
				t.Errorf("round %d: the balance is %s", round, b)
			}
		}
		// No PIN attempt was counted.
		h.ask(number, "tries", "*900*8*1#", "")
		if got := h.ask(number, "tries", "*900#", "0000"); !strings.Contains(got, "осталось 4") {
			t.Error(got)
		}
		// The same PIN some time later is a new input.
		call := "pin like the sum"
		for _, text := range []string{"*900*3*3*14*14*" + company + "#", "7391", "7391"} {
			h.wait(2 * time.Second)
			h.ask(number, call, "*900#", text)
		}
		h.wait(16 * time.Second)
		if got := h.ask(number, call, "*900#", "7391"); !strings.HasPrefix(got, "END") {
			t.Error(got)
		}
	})
}

// The screen for an expired session does not ask to dial again and pay.
func TestLastInputOfExpiredSession(t *testing.T) {
	h := sqlite(t)
	number := h.holder("7391", 100_000)
	h.lastInputs()
	for _, text := range []string{"7391", company, "100"} {
		if got := h.ask(number, "gone "+text, "*900#", text); got != lostSession {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := h.ask(number, "dialed", "*900#", "8"); !strings.HasPrefix(got, "CON Баланс/Настройки / 1 Баланс") {
		t.Error(got)
	}
}

// A gateway that is registered for whole texts but sends last inputs gets the
// current screen, and the log names the command that corrects it.
func TestWrongStyleIsLogged(t *testing.T) {
	h := sqlite(t)
	number := h.holder("7391", 0)
	call := h.dial(number)
	at := call.press("3")
	for range 2 { // "3" again is a repeat, "14" continues nothing
		call.text = "14"
		if got := call.send(); got != at {
			t.Error(got)
		}
	}
	if !strings.Contains(logged.String(), "run elsom gateway set CODE --inputs last") {
		t.Error("nothing was logged")
	}
}

func TestKannelDialedInputs(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 100_000)
		want := h.dial(number).all("3", "3")
		call := h.call(number)
		if got := call.send(1, "*900*3*3#"); got != want || call.again() != want {
			t.Errorf("%s, want %s", got, want)
		}
		for _, text := range []string{"14", "14", company, "100"} {
			call.send(18, text)
		}
		end := call.send(18, "7391")
		if !strings.HasPrefix(end, "END Платёж принят") || call.again() != end || h.balance(number) != 90_000 {
			t.Errorf("%s; the balance is %s", end, h.balance(number))
		}
		if got := call.send(1, "*900*3*3#"); got != want { // the same octet right after the END
			t.Errorf("reused: %s", got)
		}
	})
}

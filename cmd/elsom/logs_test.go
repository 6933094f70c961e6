package main_test

import (
	"bufio"
	"os"
	"regexp"
	"sync"
	"testing"
)

// Whatever a program of any test of this package printed is searched, when it
// has ended, for what no log may hold.
var (
	loggedPhone = regexp.MustCompile(`(^|\D)(996|0)\d{9}(\D|$)|\+996[ \d]{9,}`)
	loggedINN   = regexp.MustCompile(`(^|\D)[012]\d{13}(\D|$)`)
	loggedPIN   = regexp.MustCompile(`(?i)(pin|пин)["=: ]+\d{4}(\D|$)`)
)

// told are the codes and PINs that came by SMS in any test.
var told struct {
	sync.Mutex
	codes map[string]bool
	pins  map[string]bool
}

// typed is four digits that stand by themselves as a text: a count is no text.
var typed = regexp.MustCompile(`(?:^|["<= *])(\d{4})(?:$|["> &*])`)

// keepPIN remembers a PIN that came by SMS.
func keepPIN(pin string) string {
	told.Lock()
	defer told.Unlock()
	if told.pins == nil {
		told.pins = map[string]bool{}
	}
	told.pins[pin] = true
	return pin
}

// keepCode remembers a code that came by SMS.
func keepCode(code string) string {
	told.Lock()
	defer told.Unlock()
	if told.codes == nil {
		told.codes = map[string]bool{}
	}
	told.codes[code] = true
	return code
}

// private gives why a line may not stand in a log; empty where it may.
func private(line string) string {
	switch {
	case loggedPhone.MatchString(line):
		return "a phone number"
	case loggedINN.MatchString(line):
		return "an ИНН"
	case loggedPIN.MatchString(line):
		return "a PIN"
	}
	told.Lock()
	defer told.Unlock()
	for _, found := range sixDigits.FindAllStringSubmatchIndex(line, -1) {
		// What follows a point is a fraction.
		if at := found[2]; told.codes[line[at:found[3]]] && (at == 0 || line[at-1] != '.') {
			return "an SMS code"
		}
	}
	for _, found := range typed.FindAllStringSubmatch(line, -1) {
		if told.pins[found[1]] {
			return "a PIN from an SMS"
		}
	}
	return ""
}

// discreet searches what a program printed.
func discreet(t testing.TB, name, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		count++
		if what := private(lines.Text()); what != "" {
			t.Errorf("%s logged %s: %s", name, what, lines.Text())
		}
	}
	if count == 0 && name == "elsom" {
		t.Error("the portal printed nothing: nothing was searched")
	}
	if err := lines.Err(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestPrivateIsKnown(t *testing.T) {
	t.Parallel()
	keepCode("314159")
	keepPIN("7391")
	for line, wrong := range map[string]bool{
		`{"msg":"x","phone":"+996700123456"}`: true, `to=996700123456 x`: true, `phone=0700123456`: true, `+996 700 123 456`: true,
		`account=00207199610017&sum=1`: true, `pin=4711`: true, `"pin":"4711"`: true, `code=314159`: true,
		`Starting to service <7391>`: true, `"text":"7391"`: true, `3*3*14*7391`: true, `"ms":7391,`: false,
		`took=1.314159s`: false, `task=118062350926030412`: false, `listen 127.0.0.1:43123`: false,
		`"time":"2026-11-22T18:57:37.314159Z"`: false, `txn_id=1234567890123456789`: false,
	} {
		if got := private(line) != ""; got != wrong {
			t.Errorf("%s: %v", line, got)
		}
	}
}

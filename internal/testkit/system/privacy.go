package system

import (
	"bufio"
	"os"
	"regexp"
	"sync"
	"testing"
)

// Patterns of private data, which no log may contain.
var (
	loggedPhone = regexp.MustCompile(`(^|\D)(996|0)\d{9}(\D|$)|\+996[ \d]{9,}`)
	loggedINN   = regexp.MustCompile(`(^|\D)[012]\d{13}(\D|$)`)
	loggedPIN   = regexp.MustCompile(`(?i)(pin|пин)["=: ]+\d{4}(\D|$)`)
)

// received contains the codes and PINs received by SMS in all tests of the process.
var received struct {
	sync.Mutex
	codes map[string]bool
	pins  map[string]bool
}

// typed matches four digits that are a text of their own; a count is not.
var typed = regexp.MustCompile(`(?:^|["<= *])(\d{4})(?:$|["> &*])`)

// KeepPIN records a PIN, which no log may contain, and returns it.
func KeepPIN(pin string) string {
	received.Lock()
	defer received.Unlock()
	if received.pins == nil {
		received.pins = map[string]bool{}
	}
	received.pins[pin] = true
	return pin
}

// KeepCode records a code, which no log may contain, and returns it.
func KeepCode(code string) string {
	received.Lock()
	defer received.Unlock()
	if received.codes == nil {
		received.codes = map[string]bool{}
	}
	received.codes[code] = true
	return code
}

// privateData names the private data in a line of a log; empty if there is none.
func privateData(line string) string {
	switch {
	case loggedPhone.MatchString(line):
		return "a phone number"
	case loggedINN.MatchString(line):
		return "an ИНН"
	case loggedPIN.MatchString(line):
		return "a PIN"
	}
	received.Lock()
	defer received.Unlock()
	for _, found := range SixDigits.FindAllStringSubmatchIndex(line, -1) {
		// Digits after a point are a fraction.
		if at := found[2]; received.codes[line[at:found[3]]] && (at == 0 || line[at-1] != '.') {
			return "an SMS code"
		}
	}
	for _, found := range typed.FindAllStringSubmatch(line, -1) {
		if received.pins[found[1]] {
			return "a PIN from an SMS"
		}
	}
	return ""
}

// searchLog reports an error for each line of a log with private data.
func searchLog(t testing.TB, name, path string) {
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
		if what := privateData(lines.Text()); what != "" {
			t.Errorf("%s logged %s: %s", name, what, lines.Text())
		}
	}
	if count == 0 && name == "elsom" {
		t.Error("the portal logged nothing")
	}
	if err := lines.Err(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

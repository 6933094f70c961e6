package terminal

import (
	"net/url"
	"strings"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/fault"
)

func FuzzParse(f *testing.F) {
	f.Add("command=check&txn_id=1&account=0700123456&sum=0.00", "")
	f.Add("command=pay&txn_id=1&txn_date=20261122120005&account=%2B996700123456&sum=250.50", "")
	f.Add("", "command=pay&txn_id=01&txn_date=20261122120005&account=&sum=99999999999999999999")
	f.Add("command=pay&sum=1", "sum=1&txn_id=1")
	f.Add("sum=%", ";")
	f.Fuzz(func(t *testing.T, query, form string) {
		a, err := parse(query, form)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		if a.Sum < 0 || a.Sum > cashin.TooLargeSum || a.TxnID == "" || len(a.TxnID) > 28 ||
			(a.command != commandCheck && a.command != commandPay) {
			t.Fatalf("%+v", a)
		}
		// Formatted again, it is the same request.
		values := url.Values{"command": {a.command}, "txn_id": {a.TxnID}, "account": {a.Account}, "sum": {a.Sum.Dot()}}
		if a.TxnDate != "" {
			values.Set("txn_date", a.TxnDate)
		}
		for _, again := range [][2]string{{values.Encode(), ""}, {"", values.Encode()}} {
			b, err := parse(again[0], again[1])
			if err != nil || a != b {
				t.Fatalf("%+v, then %+v, %v", a, b, err)
			}
		}
	})
}

func TestParseSum(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0.00", "0.00": "0.00", "1": "1.00", "1.5": "1.50", "250.50": "250.50", "007.10": "7.10",
		"999999999999.99": "999999999999.99", "1000000000000.00": "too large", strings.Repeat("9", 30): "too large",
		strings.Repeat("9", 31): "wrong", "": "wrong", "1.": "wrong", ".1": "wrong", "+1": "wrong", " 1": "wrong", "1\n": "wrong",
	} {
		sum, err := parseSum(text, false)
		got := sum.Dot()
		switch {
		case err != nil:
			got = "wrong"
		case sum == cashin.TooLargeSum:
			got = "too large"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

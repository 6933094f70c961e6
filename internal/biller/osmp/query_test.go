package osmp

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/money"
)

var noon = time.Date(2026, 11, 22, 18, 5, 9, 123456000, time.UTC)

func TestQueryOfCheckAndPay(t *testing.T) {
	r := ours
	r.Date = noon
	for command, want := range map[string]string{
		commandCheck: "command=check&txn_id=1763798400000123456&account=00207199610017&sum=250.50",
		commandPay:   "command=pay&txn_id=1763798400000123456&txn_date=20261123000509&account=00207199610017&sum=250.50",
	} {
		got, err := query(command, r)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v\nwant %q", command, got, err, want)
		}
	}
	// An account can't add a parameter.
	r.Account = "7&sum=0.01#%"
	const escaped = "command=check&txn_id=1763798400000123456&account=7%26sum%3D0.01%23%25&sum=250.50"
	if got, err := query(commandCheck, r); err != nil || got != escaped {
		t.Errorf("%q, %v\nwant %q", got, err, escaped)
	}
}

func TestQueryThatBreaksTheProtocol(t *testing.T) {
	good := biller.Request{TxnID: "1", Date: noon, Account: "a", Sum: 1}
	if _, err := query(commandPay, good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*biller.Request){
		"no id":          func(r *biller.Request) { r.TxnID = "" },
		"id of letters":  func(r *biller.Request) { r.TxnID = "12a" },
		"id too long":    func(r *biller.Request) { r.TxnID = strings.Repeat("1", 29) },
		"no account":     func(r *biller.Request) { r.Account = "" },
		"long account":   func(r *biller.Request) { r.Account = strings.Repeat("Ң", 201) },
		"line break":     func(r *biller.Request) { r.Account = "1\r\nX: y" },
		"broken account": func(r *biller.Request) { r.Account = "\xff" },
		"zero sum":       func(r *biller.Request) { r.Sum = 0 },
		"negative sum":   func(r *biller.Request) { r.Sum = -1 },
		"sum too large":  func(r *biller.Request) { r.Sum = money.Max + 1 },
		"no date":        func(r *biller.Request) { r.Date = time.Time{} },
	} {
		r := good
		spoil(&r)
		if got, err := query(commandPay, r); err == nil {
			t.Errorf("%s: sent as %q", name, got)
		}
	}
	good.Sum, good.Date = 0, time.Time{}
	if _, err := query(commandCheck, good); err != nil {
		t.Errorf("a check may ask about nothing: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for text, want := range map[string]bool{
		"http://127.0.0.1:8090/pay":                     true,
		"https://user:pa%40ss@biller.kg/osmp?service=7": true,
		"":                          false,
		"127.0.0.1:8090/pay":        false,
		"ftp://biller.kg/":          false,
		"http:///pay":               false,
		"http://biller.kg/#x":       false,
		"http://biller.kg/?sum=1":   false,
		"http://biller.kg/?a=%zz":   false,
		"http:biller.kg":            false,
		"http://secret:pw@[::1/pay": false,
	} {
		err := CheckURL(text)
		if (err == nil) != want {
			t.Errorf("CheckURL(%q) = %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats the address: %v", err)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("1763798400000123456", "00207199610017", int64(25050))
	f.Add("0", "a&sum=1.00#?+ %", int64(1))
	f.Fuzz(func(t *testing.T, txnID, account string, sum int64) {
		got, err := query(commandPay, biller.Request{TxnID: txnID, Date: noon, Account: account, Sum: money.Amount(sum)})
		if err != nil {
			return
		}
		values, err := url.ParseQuery(got)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		want := map[string]string{"command": "pay", "txn_id": txnID, "txn_date": "20261123000509", "account": account, "sum": money.Amount(sum).Dot()}
		if len(values) != len(want) {
			t.Errorf("%q says more than asked", got)
		}
		for name, value := range want {
			if len(values[name]) != 1 || values.Get(name) != value {
				t.Errorf("%s = %q, want %q", name, values[name], value)
			}
		}
		if back, err := money.Parse(values.Get("sum")); err != nil || int64(back) != sum {
			t.Errorf("the sum reads back as %d, %v", back, err)
		}
	})
}

package osmp

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/biller"
	"elsom/internal/money"
)

// The commands of the protocol; errors name them too.
const (
	commandCheck = "check"
	commandPay   = "pay"
)

// Bounds of the protocol: old terminals use numbers of 20 digits, some of 28.
const (
	txnIDLength   = 28
	accountLength = 200
	dateLayout    = "20060102150405"
)

// A request that violates the protocol is never sent. These errors name the
// parameter and never its value.
var (
	errTxnID   = errors.New("txn_id is not 1 to 28 digits")
	errAccount = errors.New("account is empty, too long or has control characters")
	errSum     = errors.New("sum is out of bounds")
	errDate    = errors.New("txn_date is not set")
)

var errURL = errors.New("osmp: the biller's address must be http(s)://host/…, without a fragment and without the protocol's own parameters")

// parameters are the names that the client adds itself.
var parameters = []string{"command", "txn_id", "txn_date", "account", "sum"}

// CheckURL returns an error unless text can be a biller's address. The error
// doesn't contain the text, which may have a password.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	//mutant:replace (u.Scheme != "http" && u.Scheme != "https") => u.Scheme == "" TestCheckURL
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" {
		return nil, errURL
	}
	own, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errURL
	}
	for _, name := range parameters {
		if own.Has(name) {
			return nil, errURL
		}
	}
	return u, nil
}

// bishkek is the time zone of the protocol's dates. Kyrgyzstan has kept UTC+6 since
// 2005; the fixed zone is for machines without a time zone database.
var bishkek = func() *time.Location {
	if zone, err := time.LoadLocation("Asia/Bishkek"); err == nil {
		return zone
	}
	return time.FixedZone("Asia/Bishkek", 6*60*60)
}()

// query returns the protocol's parameters in the protocol's order.
func query(command string, r biller.Request) (string, error) {
	if !digits(r.TxnID) || len(r.TxnID) > txnIDLength {
		return "", errTxnID
	}
	if !accountFits(r.Account) {
		return "", errAccount
	}
	if r.Sum < 0 || r.Sum > money.Max || (command == commandPay && r.Sum == 0) {
		return "", errSum
	}
	var b strings.Builder
	b.WriteString("command=" + command + "&txn_id=" + r.TxnID)
	if command == commandPay {
		if r.Date.IsZero() {
			return "", errDate
		}
		b.WriteString("&txn_date=" + r.Date.In(bishkek).Format(dateLayout))
	}
	//mutant:replace url.QueryEscape(r.Account) => r.Account TestQueryOfCheckAndPay
	b.WriteString("&account=" + url.QueryEscape(r.Account) + "&sum=" + r.Sum.Dot())
	return b.String(), nil
}

func accountFits(account string) bool {
	return account != "" && utf8.ValidString(account) &&
		utf8.RuneCountInString(account) <= accountLength && !strings.ContainsFunc(account, unicode.IsControl)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

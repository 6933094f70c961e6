package terminal

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"

	"elsom/internal/cashin"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// The two commands of a terminal.
const (
	commandCheck = "check"
	commandPay   = "pay"
)

// Bounds of a request: OSMP's parameters take a few hundred bytes.
const (
	maxQuery = 8 << 10
	maxBody  = 8 << 10
	maxSum   = 30
)

// asked is a request that could be read.
type asked struct {
	command string
	cashin.Request
}

var errMalformed = fault.New(fault.Invalid, "osmp.read", "")

// read takes a request out of the query and, with POST, the form. A POST
// without a body may have everything in the query, whatever its Content-Type.
// The fault is Invalid; the txn_id is returned even then, where it is one, to be
// echoed.
func read(r *http.Request) (asked, error) {
	query := r.URL.RawQuery
	form := ""
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil || len(body) > maxBody {
			return asked{}, errMalformed
		}
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if len(body) > 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
			return asked{}, errMalformed
		}
		form = string(body)
	}
	if len(query) > maxQuery {
		return asked{}, errMalformed
	}
	return parse(query, form)
}

// parse reads the parameters; each that means something may stand once only,
// in the query or in the form, so that no two readers see two requests in one.
func parse(query, form string) (asked, error) {
	inQuery, err1 := url.ParseQuery(query)
	inForm, err2 := url.ParseQuery(form)
	if err1 != nil || err2 != nil {
		return asked{}, errMalformed
	}
	given := map[string]string{}
	for _, name := range []string{"command", "txn_id", "txn_date", "account", "sum"} {
		values := append(inQuery[name], inForm[name]...)
		if len(values) > 1 {
			return asked{}, errMalformed
		}
		if len(values) == 1 {
			given[name] = values[0]
		}
	}
	var a asked
	if !txnForm.MatchString(given["txn_id"]) {
		return a, errMalformed
	}
	a.TxnID = given["txn_id"]
	account, hasAccount := given["account"]
	a.command, a.Account = given["command"], account
	a.TxnDate = given["txn_date"]
	sum, err := parseSum(given["sum"], a.command == commandCheck)
	if err != nil || !hasAccount || (a.command != commandCheck && a.command != commandPay) {
		return a, errMalformed
	}
	a.Sum = sum
	return a, nil
}

var (
	txnForm = regexp.MustCompile(`\A[0-9]{1,28}\z`)
	sumForm = regexp.MustCompile(`\A[0-9]+(\.[0-9]{1,2})?\z`)
)

// parseSum reads a sum with a dot and at most two decimals. A check may come
// without one.
func parseSum(text string, optional bool) (money.Amount, error) {
	if text == "" && optional {
		return 0, nil
	}
	if len(text) > maxSum || !sumForm.MatchString(text) {
		return 0, errMalformed
	}
	sum, err := money.Parse(text)
	if errors.Is(err, money.ErrTooLarge) {
		return cashin.TooLargeSum, nil
	}
	return sum, err
}

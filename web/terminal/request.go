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

// The commands of a terminal.
const (
	commandCheck = "check"
	commandPay   = "pay"
)

// Maximum sizes in bytes; a request of OSMP takes a few hundred.
const (
	maxQuery = 8 << 10
	maxBody  = 8 << 10
	maxSum   = 30
)

// request is a well-formed request.
type request struct {
	command string
	cashin.Request
}

var errMalformed = fault.New(fault.Invalid, "osmp.read", "")

// read parses a request from the query and, for POST, the form. A POST without a
// body may carry everything in the query, whatever its Content-Type. For a
// malformed request it returns fault.Invalid, with the TxnID, if that is
// well-formed, for the answer.
func read(r *http.Request) (request, error) {
	query := r.URL.RawQuery
	form := ""
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil || len(body) > maxBody {
			return request{}, errMalformed
		}
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if len(body) > 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
			return request{}, errMalformed
		}
		form = string(body)
	}
	if len(query) > maxQuery {
		return request{}, errMalformed
	}
	return parse(query, form)
}

// parse parses the parameters. A known parameter may appear only once, in the
// query or in the form: otherwise two programs could read one request differently.
func parse(query, form string) (request, error) {
	inQuery, err1 := url.ParseQuery(query)
	inForm, err2 := url.ParseQuery(form)
	if err1 != nil || err2 != nil {
		return request{}, errMalformed
	}
	given := map[string]string{}
	//mutant:replace "sum"} => "sum", "data1"} TestExtraParametersAreIgnored
	for _, name := range []string{"command", "txn_id", "txn_date", "account", "sum"} {
		values := append(inQuery[name], inForm[name]...)
		//mutant:drop TestMalformedRequests
		if len(values) > 1 {
			return request{}, errMalformed
		}
		if len(values) == 1 {
			given[name] = values[0]
		}
	}
	var r request
	if !txnForm.MatchString(given["txn_id"]) {
		return r, errMalformed
	}
	r.TxnID = given["txn_id"]
	account, hasAccount := given["account"]
	r.command, r.Account = given["command"], account
	r.TxnDate = given["txn_date"]
	sum, err := parseSum(given["sum"], r.command == commandCheck)
	if err != nil || !hasAccount || (r.command != commandCheck && r.command != commandPay) {
		return r, errMalformed
	}
	r.Sum = sum
	return r, nil
}

var (
	txnForm = regexp.MustCompile(`\A[0-9]{1,28}\z`)
	sumForm = regexp.MustCompile(`\A[0-9]+(\.[0-9]{1,2})?\z`)
)

// parseSum parses a sum with a dot and at most two decimals. The empty text is zero
// if the sum is optional. A sum that the ledger can't store is cashin.TooLargeSum.
func parseSum(text string, optional bool) (money.Amount, error) {
	if text == "" && optional {
		return 0, nil
	}
	//mutant:replace !sumForm.MatchString(text) => false TestParseSum
	if len(text) > maxSum || !sumForm.MatchString(text) {
		return 0, errMalformed
	}
	sum, err := money.Parse(text)
	if errors.Is(err, money.ErrTooLarge) {
		return cashin.TooLargeSum, nil
	}
	return sum, err
}

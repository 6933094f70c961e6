package terminal

import (
	"encoding/xml"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// Results that stand for an error; the others are those of cashin.Result.
const (
	resultTemporary   = 1
	resultNotFinished = 90
	resultOther       = 300
)

// resultOf returns the result for an error. Only a malformed request, or one that
// contradicts an earlier one, is final: a refusal for another reason is a stored
// answer of the service, never an error.
func resultOf(err error) int {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict:
		return resultOther
	case fault.Unknown:
		return resultNotFinished
	case fault.NotFound, fault.Forbidden, fault.Insufficient, fault.Limit,
		fault.TooMany, fault.Unavailable, fault.Internal:
		return resultTemporary
	}
	return resultTemporary
}

// comments explain the results to a person who reads a terminal's journal.
var comments = map[int]string{
	int(cashin.Done):       "OK",
	resultTemporary:        "Temporary failure, repeat",
	int(cashin.BadAccount): "Not a wallet number",
	int(cashin.NoWallet):   "No such wallet",
	int(cashin.Refused):    "Refused",
	int(cashin.Blocked):    "The wallet is blocked",
	resultNotFinished:      "Not finished, repeat",
	int(cashin.TooSmall):   "The sum is too small",
	int(cashin.TooLarge):   "The sum is too large",
	resultOther:            "Wrong request",
}

// answer is OSMP's answer; prv_txn and sum are set for pay.
type answer struct {
	XMLName   xml.Name `xml:"response"`
	TxnID     string   `xml:"osmp_txn_id"`
	Reference string   `xml:"prv_txn,omitempty"`
	Sum       string   `xml:"sum,omitempty"`
	Result    int      `xml:"result"`
	Comment   string   `xml:"comment"`
}

func write(c echo.Context, a answer) error {
	a.Comment = comments[a.Result]
	body, err := xml.Marshal(a)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	//mutant:replace ; charset=utf-8 => TestGoldenAnswers
	return c.Blob(http.StatusOK, "application/xml; charset=utf-8", append([]byte(xml.Header), append(body, '\n')...))
}

// formatSum formats a sum with a dot. A sum that the ledger can't store is empty.
func formatSum(sum money.Amount) string {
	if sum == cashin.TooLargeSum {
		return ""
	}
	return sum.Dot()
}

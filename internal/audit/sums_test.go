package audit_test

import (
	"testing"
)

// Each sum of a wallet is compared with its entries, also where it is missing.
func TestSumsOfWallets(t *testing.T) {
	var cases []violationCase
	for _, column := range []string{"moves", "count_in", "count_out", "sum_out", "spent_on", "spent_day", "spent_month"} {
		line := "balance is its entries: the sums of account 101 (wallet aizada) are not those of its entries"
		if column[0] == 's' && column != "sum_out" {
			line = "balance is its entries: what was spent from account 101 (wallet aizada) is not that of its entries"
		}
		cases = append(cases, violationCase{column, []string{"UPDATE accounts SET " + column + " = " + column + " + 1 WHERE id = 101"}, []string{line}})
		if column != "moves" {
			cases = append(cases, violationCase{"no " + column, []string{"UPDATE accounts SET " + column + " = NULL WHERE id = 101"}, []string{line}})
		}
	}
	cases = append(cases, violationCase{
		"nothing was spent", []string{"UPDATE accounts SET spent_on = spent_on + 200, spent_day = 0, spent_month = 0 WHERE id = 101"},
		[]string{"balance is its entries: what was spent from account 101 (wallet aizada) is not that of its entries"},
	})
	wantFound(t, cases, func(*book) {})
}

package limit

import (
	"elsom/internal/database"
)

// spendingRider writes no rows: the ledger stores what was spent.
//
//mutant:replace checkSpending => nil ./internal/payment TestAcceptSeesChangesSinceTheRequest
var spendingRider = &database.RiderKind[spending]{Name: "spending", Check: checkSpending}

// countOpenPayments returns the number of payments that have not ended. It reads the open
// payments of all customers, by their index, because they are fewer than all of a customer
// may be: the plus keeps the index of the customer's payments out.
func countOpenPayments(tx *database.Tx, customerID int64) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM payments WHERE +customer_id = ? AND state = 'processing'", customerID).Scan(&n).Error
	return n, err
}

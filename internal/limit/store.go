package limit

import (
	"elsom/internal/database"
)

// debitRider writes no rows: the ledger stores what was spent.
//
//mutant:replace checkDebits => nil ./internal/payment TestAcceptSeesChangesSinceTheRequest
var debitRider = &database.RiderKind[debit]{Name: "debit", Check: checkDebits}

// countOpenPayments returns the number of payments that have not ended. It reads the open
// payments of all customers, by their index, because they are fewer than all of a customer
// may be: the plus keeps the index of the customer's payments out.
func countOpenPayments(tx *database.Tx, customerID int64) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM payments WHERE +customer_id = ? AND state = 'processing'", customerID).Scan(&n).Error
	return n, err
}

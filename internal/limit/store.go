package limit

import (
	"context"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/money"
)

// spendingRider writes no rows: spent amounts are read from payments and transfers.
//
//mutant:replace checkSpending => nil ./internal/payment TestLimits
var spendingRider = &database.RiderKind[spending]{Name: "spending", Check: checkSpending}

// spent is what left a wallet in the current day and month in Bishkek, including
// what closed wallets of the same number spent: a new wallet does not reset the
// limits.
type spent struct {
	ID    int64
	Day   money.Amount
	Month money.Amount
}

func readSpent(ctx context.Context, db *database.DB, customerID int64) (map[int64]spent, error) {
	return selectSpent(db.Gorm(ctx), db.Dialect(), []int64{customerID}, db.Now())
}

func sumSpent(tx *database.Tx, customers []int64) (map[int64]spent, error) {
	return selectSpent(tx.Gorm(), tx.Dialect(), customers, tx.Now())
}

// countOpenPayments returns the number of payments that have not ended.
func countOpenPayments(tx *database.Tx, customerID int64) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM payments WHERE customer_id = ? AND state = 'processing'", customerID).Scan(&n).Error
	return n, err
}

func selectSpent(g *gorm.DB, dialect database.Dialect, customers []int64, now time.Time) (map[int64]spent, error) {
	sums := map[int64]spent{}
	if len(customers) == 0 {
		return sums, nil
	}
	day, month := periods(now)
	these, list := database.InList(dialect, customers)
	//mutant:replace = ?) => = ? AND FALSE) ./web TestClosingDoesNotResetLimits
	//mutant:replace AND state <> 'refunded' => ./internal/payment TestRefundRestoresLimits
	//mutant:replace WHERE sender_id => WHERE FALSE AND sender_id ./internal/transfer TestLimitsAreShared
	rows, err := database.ScanAll(g.Raw(`SELECT s.id, CAST(SUM(s.in_day) AS BIGINT), CAST(SUM(s.in_month) AS BIGINT)
		FROM (SELECT customer_id AS id, CASE WHEN accepted_at >= ? THEN amount + fee ELSE 0 END AS in_day, amount + fee AS in_month
				FROM payments WHERE customer_id `+these+` AND accepted_at >= ? AND state <> 'refunded'
			UNION ALL SELECT sender_id AS id, CASE WHEN accepted_at >= ? THEN amount ELSE 0 END, amount
				FROM wallet_transfers WHERE sender_id `+these+` AND accepted_at >= ?
			UNION ALL SELECT id, CASE WHEN spent_at >= ? THEN spent_day ELSE 0 END, spent_month
				FROM customers WHERE id `+these+` AND spent_at >= ?) s GROUP BY s.id`,
		day, list, month, day, list, month, day, list, month), func(s *spent) []any { return []any{&s.ID, &s.Day, &s.Month} })
	for _, r := range rows {
		sums[r.ID] = r
	}
	return sums, err
}

package spending

import (
	"context"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/money"
)

// outlays only judge: what was spent is read from the payments and transfers
// themselves.
var outlays = &database.Family[outlay]{Name: "spending", Judge: judge}

// spent is what left a wallet in the day and in the month of Bishkek.
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

func selectSpent(g *gorm.DB, dialect database.Dialect, customers []int64, now time.Time) (map[int64]spent, error) {
	sums := map[int64]spent{}
	if len(customers) == 0 {
		return sums, nil
	}
	day, month := periods(now)
	these, list := database.Among(dialect, customers)
	rows, err := database.Collect(g.Raw(`SELECT s.id, CAST(SUM(CASE WHEN s.accepted_at >= ? THEN s.total ELSE 0 END) AS BIGINT),
		CAST(SUM(s.total) AS BIGINT)
		FROM (SELECT customer_id AS id, accepted_at, amount + fee AS total FROM payments
				WHERE customer_id `+these+` AND accepted_at >= ? AND state <> 'refunded'
			UNION ALL SELECT sender_id AS id, accepted_at, amount AS total FROM wallet_transfers
				WHERE sender_id `+these+` AND accepted_at >= ?) s GROUP BY s.id`,
		day, list, month, list, month), func(s *spent) []any { return []any{&s.ID, &s.Day, &s.Month} })
	for _, r := range rows {
		sums[r.ID] = r
	}
	return sums, err
}

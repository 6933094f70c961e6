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
	return selectSpent(db.Gorm(ctx), []int64{customerID}, db.Now())
}

func sumSpent(tx *database.Tx, customers []int64) (map[int64]spent, error) {
	return selectSpent(tx.Gorm(), customers, tx.Now())
}

func selectSpent(g *gorm.DB, customers []int64, now time.Time) (map[int64]spent, error) {
	sums := map[int64]spent{}
	if len(customers) == 0 {
		return sums, nil
	}
	day, month := periods(now)
	var rows []spent
	err := g.Raw(`SELECT s.id, CAST(SUM(CASE WHEN s.accepted_at >= ? THEN s.total ELSE 0 END) AS BIGINT) AS day,
		CAST(SUM(s.total) AS BIGINT) AS month
		FROM (SELECT customer_id AS id, accepted_at, amount + fee AS total FROM payments
				WHERE customer_id IN ? AND accepted_at >= ? AND state <> 'refunded'
			UNION ALL SELECT sender_id AS id, accepted_at, amount AS total FROM wallet_transfers
				WHERE sender_id IN ? AND accepted_at >= ?) s GROUP BY s.id`,
		day, customers, month, customers, month).Scan(&rows).Error
	for _, r := range rows {
		sums[r.ID] = r
	}
	return sums, err
}

package payment

import (
	"context"
	"time"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/money"
)

func listAttempts(ctx context.Context, db *database.DB, id int64) ([]Attempt, error) {
	rows, err := readAttemptRows(db.Gorm(ctx), db.Dialect(), []int64{id})
	attempts := make([]Attempt, len(rows[id]))
	for i, r := range rows[id] {
		r.markUnverified(db.Verify(ctx, r.Record(), r.MAC, r.KeyID))
		attempts[i] = Attempt{
			Number: r.Number, StartedAt: r.StartedAt.UTC(), Outcome: r.Outcome, Result: biller.ResultNone, Reference: r.Reference, Remark: r.Remark,
		}
		if r.Result != nil {
			attempts[i].Result = int(*r.Result)
		}
		if r.EndedAt != nil {
			attempts[i].EndedAt = r.EndedAt.UTC()
		}
	}
	return attempts, err
}

func readClaim(ctx context.Context, db *database.DB, id int64) (*ClaimMade, error) {
	var rows []ClaimMade
	err := db.Gorm(ctx).Raw("SELECT made_at, reference FROM payment_claims WHERE payment_id = ?", id).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	rows[0].MadeAt = rows[0].MadeAt.UTC()
	return &rows[0], nil
}

// listTransfers returns the transfers of a payment, oldest first, with their entries.
func listTransfers(ctx context.Context, db *database.DB, id int64) ([]PostedTransfer, error) {
	var rows []struct {
		ID            int64
		Act           string
		PostedAt      time.Time
		Kind, Subject string
		Amount        money.Amount
	}
	err := db.Gorm(ctx).Raw(`SELECT t.id, t.act, t.posted_at, a.kind, a.subject, e.amount
		FROM transfers t JOIN entries e ON e.transfer_id = t.id JOIN accounts a ON a.id = e.account_id
		WHERE t.request_key IN ? ORDER BY t.posted_at, t.id, e.line`, []string{AcceptKey(id), EndKey(id)}).Scan(&rows).Error
	var list []PostedTransfer
	for _, r := range rows {
		if len(list) == 0 || list[len(list)-1].ID != r.ID {
			list = append(list, PostedTransfer{ID: r.ID, Op: r.Act, PostedAt: r.PostedAt.UTC()})
		}
		last := &list[len(list)-1]
		last.Entries = append(last.Entries, PostedEntry{r.Kind + " " + r.Subject, r.Amount})
	}
	return list, err
}

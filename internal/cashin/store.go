package cashin

import (
	"context"
	"errors"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/money"
	"elsom/internal/signature"
)

// row is a cash-in with its final result.
type row struct {
	ID         int64
	Agent      string
	TxnID      string
	TxnDate    string
	Account    string
	Sum        money.Amount
	Result     Result
	CustomerID int64
	ReceivedAt time.Time
	MAC        []byte `gorm:"column:mac"`
	KeyID      string
}

// record returns the canonical form of a row, which its signature covers: all of it. It
// is stored in signatures and in the log, so it never changes.
func (r row) record() *signature.Record {
	return signature.NewRecord(signature.CashIn, r.ID).Text(r.Agent).Text(r.TxnID).Text(r.TxnDate).Text(r.Account).
		Int(int64(r.Sum)).Int(int64(r.Result)).Int(r.CustomerID).Time(r.ReceivedAt)
}

const insertRow = `INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at, mac, key_id) VALUES `

// signedValues signs a row and returns its values.
func (r row) signedValues(tx *database.Tx, now time.Time) []any {
	r.ReceivedAt = now
	//mutant:replace tx.Sign(r.record()) => nil, "" TestCashInsAreSigned
	r.MAC, r.KeyID = tx.Sign(r.record())
	return []any{r.ID, r.Agent, r.TxnID, r.TxnDate, r.Account, r.Sum, r.Result, r.CustomerID, now, r.MAC, r.KeyID}
}

// cashIns inserts the rows of credited cash-ins together with their transfers. Its
// check refuses a cash-in whose txn_id was answered meanwhile, so that its transfer
// is not posted. If another transaction inserts the row between check and write, the
// unique key is violated and the batch is retried.
var cashIns = &database.RiderKind[row]{
	Name: "cash-in",
	Check: func(tx *database.Tx, rows []row) (func(int) error, error) {
		decided, err := readDecided(tx, rows)
		if err != nil {
			return nil, err
		}
		return func(i int) error {
			if decided[key{rows[i].Agent, rows[i].TxnID}] {
				return errDecided
			}
			return nil
		}, nil
	},
	Write: func(tx *database.Tx, rows []row) error {
		values := make([]any, 0, len(rows)*11)
		now := tx.Now()
		for _, r := range rows {
			values = append(values, r.signedValues(tx, now)...)
		}
		result := tx.Gorm().Exec(insertRow+"(?,?,?,?,?,?,?,?,?,?,?)"+strings.Repeat(",(?,?,?,?,?,?,?,?,?,?,?)", len(rows)-1), values...)
		if result.Error == nil && result.RowsAffected != int64(len(rows)) {
			return database.ErrRowCount
		}
		return result.Error
	},
}

type key struct{ agent, txnID string }

func readDecided(tx *database.Tx, rows []row) (map[key]bool, error) {
	values := make([]any, 0, len(rows)*2)
	for _, r := range rows {
		values = append(values, r.Agent, r.TxnID)
	}
	var found []row
	err := tx.Gorm().Raw("SELECT agent, txn_id FROM cash_ins WHERE (agent, txn_id) IN (VALUES (?,?)"+
		strings.Repeat(",(?,?)", len(rows)-1)+")", values...).Scan(&found).Error
	if err != nil {
		return nil, err
	}
	decided := make(map[key]bool, len(found))
	for _, r := range found {
		decided[key{r.Agent, r.TxnID}] = true
	}
	return decided, nil
}

func readRow(ctx context.Context, db *database.DB, agent, txnID string) (row, bool, error) {
	var rows []row
	err := db.Gorm(ctx).Raw("SELECT "+database.ColumnsOf[row]()+" FROM cash_ins WHERE agent = ? AND txn_id = ?", agent, txnID).
		Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return row{}, false, err
	}
	return rows[0], true, nil
}

// writeRefusal commits the row unless its txn_id has one. Then nothing is committed,
// also no record for the log.
func writeRefusal(ctx context.Context, db *database.DB, r row) error {
	err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec(insertRow+"(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (agent, txn_id) DO NOTHING", r.signedValues(tx, tx.Now())...)
		//mutant:drop TestRepeatedRefusalIsLoggedOnce
		if result.Error == nil && result.RowsAffected == 0 {
			return errDecided
		}
		return result.Error
	})
	if errors.Is(err, errDecided) {
		return nil
	}
	return err
}

package settlement

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/money"
	"elsom/internal/signature"
)

// row is a settlement to insert.
type row struct {
	id int64
	Order
	number int64
}

// record returns the canonical form of a settlement's row, which its signature covers:
// all of it. It is stored in signatures and in the log, so it never changes.
func (r row) record(settledAt time.Time) *signature.Record {
	return signature.NewRecord(signature.Settlement, r.id).Text(string(r.PartyType)).Text(r.Party).Int(r.number).Text(r.Reference).
		Int(int64(r.Amount)).Text(r.Staff).Text(r.Reason).Time(settledAt)
}

// settlements inserts settlements in the transaction of their transfers.
var settlements = &database.RiderKind[row]{
	Name: "settlement",
	Write: func(tx *database.Tx, rows []row) error {
		now := tx.Now()
		for _, r := range rows { // one for each command
			//mutant:replace tx.Sign(r.record(now)) => []byte(nil), "" TestSettleTwiceAtOnce
			mac, keyID := tx.Sign(r.record(now))
			err := tx.Gorm().Exec(`INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at, mac, key_id)
				VALUES (?,?,?,?,?,?,?,?,?,?,?)`, r.id, string(r.PartyType), r.Party, r.number, r.Reference, r.Amount, r.Staff, r.Reason, now, mac, keyID).Error
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// stored is a settlement as recorded.
type stored struct {
	Number int64
	Amount money.Amount
}

func readSettlement(ctx context.Context, db *database.DB, o Order) (s stored, known bool, err error) {
	var all []stored
	err = db.Gorm(ctx).Raw("SELECT number, amount FROM settlements WHERE kind = ? AND party = ? AND reference = ?",
		string(o.PartyType), o.Party, o.Reference).Scan(&all).Error
	if err != nil || len(all) == 0 {
		return stored{}, false, err
	}
	return all[0], true, nil
}

func nextNumber(ctx context.Context, db *database.DB, o Order) (number int64, err error) {
	err = db.Gorm(ctx).Raw("SELECT COALESCE(MAX(number), 0) + 1 FROM settlements WHERE kind = ? AND party = ?",
		string(o.PartyType), o.Party).Scan(&number).Error
	return number, err
}

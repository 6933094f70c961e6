package settlement

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/money"
)

// row is a settlement to insert.
type row struct {
	id int64
	Order
	number int64
}

// settlements inserts settlements in the transaction of their transfers.
var settlements = &database.RiderKind[row]{
	Name: "settlement",
	Write: func(tx *database.Tx, rows []row) error {
		for _, r := range rows { // one for each command
			err := tx.Gorm().Exec(`INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at)
				VALUES (?,?,?,?,?,?,?,?,?)`, r.id, string(r.PartyType), r.Party, r.number, r.Reference, r.Amount, r.Staff, r.Reason, tx.Now()).Error
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

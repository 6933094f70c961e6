package customer

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
)

// closedPhone returns the unique placeholder for the number of a closed customer.
func closedPhone(id int64) string { return "~" + strconv.FormatInt(id, 36) }

// closeCustomer closes a customer if the session epoch is unchanged; it returns nil
// otherwise, or if the wallet is blocked or closed.
func closeCustomer(ctx context.Context, tx *database.Tx, id, epoch int64, at time.Time, spent Spent) (*Record, error) {
	holder, err := updateOne(ctx, tx, id, `UPDATE customers SET closed_at = ?, closed_phone = phone, phone = ?,
			session_epoch = session_epoch + 1, password_hash = '', has_pin = ?, pin_owed = ?,
			spent_at = ?, spent_day = ?, spent_month = ?
		WHERE id = ? AND session_epoch = ? AND closed_at IS NULL AND NOT blocked AND NOT blocked_out`,
		at, closedPhone(id), false, false, at, spent.Day, spent.Month, id, epoch)
	if err != nil || holder == nil {
		return nil, err
	}
	if err := updateSignature(tx, holder); err != nil {
		return nil, err
	}
	return holder, tx.Gorm().Exec(`DELETE FROM pins WHERE customer_id = ?`, id).Error
}

// closedIn returns the last closed customer of a number, or nil.
func closedIn(tx *database.Tx, number string) (*Record, error) {
	return lastClosed(tx.Gorm(), number)
}

// readClosed is closedIn outside a transaction.
func readClosed(ctx context.Context, db *database.DB, number string) (*Record, error) {
	return lastClosed(db.Gorm(ctx), number)
}

func lastClosed(g *gorm.DB, number string) (*Record, error) {
	return first(g.Where("closed_phone = ? AND closed_phone <> ''", number).Order("closed_at DESC"))
}

// removePersonal empties what the books don't need of customers who closed their
// wallets before a time. The number stays: limits of the number's next wallet and
// messages to it depend on when the last one was closed.
func (cs *Customers) removePersonal(ctx context.Context, before time.Time) (int64, error) {
	//mutant:replace closed_at < ?` => closed_at <> ?` TestRemovePersonal
	const old = `SELECT id FROM customers WHERE closed_phone <> '' AND closed_at < ?`
	origins, err := cs.db.Purge(ctx, `UPDATE offer_acceptances SET address = '' WHERE address <> '' AND (customer_id, version) IN
		(SELECT customer_id, version FROM offer_acceptances WHERE address <> '' AND customer_id IN (`+old+`) LIMIT ?)`, before)
	if err != nil {
		return origins, err
	}
	holders, err := cs.db.Purge(ctx, `UPDATE customers SET name = '', inn = '', email = '' WHERE id IN
		(`+old+` AND (name <> '' OR inn <> '' OR email <> '') LIMIT ?)`, before)
	return origins + holders, err
}

package push

import (
	"context"
	"time"

	"elsom/internal/database"
)

type row struct {
	ID           int64
	CustomerID   int64
	Epoch        int64
	KeyHash      string
	EndpointHash string
	Endpoint     string
	P256dh       string
	Auth         string
	Browser      string
	Device       string
	MadeAt       time.Time
}

// insert stores a subscription. It deletes earlier ones of the browser or endpoint, the
// customer's ones from before a change of the password or the server's key, and then
// the oldest above maxDevices.
func insert(tx *database.Tx, r row) error {
	g := tx.Gorm()
	if err := g.Exec("DELETE FROM push_addresses WHERE endpoint_hash = ? OR browser = ? OR (customer_id = ? AND (epoch <> ? OR key_hash <> ?))",
		r.EndpointHash, r.Browser, r.CustomerID, r.Epoch, r.KeyHash).Error; err != nil {
		return err
	}
	if err := g.Exec(`INSERT INTO push_addresses (id, customer_id, epoch, key_hash, endpoint_hash, endpoint, p256dh, auth, browser, device, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.CustomerID, r.Epoch, r.KeyHash, r.EndpointHash, r.Endpoint, r.P256dh, r.Auth, r.Browser, r.Device, r.MadeAt).Error; err != nil {
		return err
	}
	//mutant:replace maxDevices => maxDevices*maxDevices TestOldestBrowserIsReplaced
	return g.Exec(`DELETE FROM push_addresses WHERE customer_id = ? AND id NOT IN (
		SELECT id FROM push_addresses WHERE customer_id = ? ORDER BY made_at DESC, id DESC LIMIT ?)`,
		r.CustomerID, r.CustomerID, maxDevices).Error
}

// readByHolders returns the subscriptions of each holder, newest first.
func (s *Subscriptions) readByHolders(ctx context.Context, holders []Holder) ([][]row, error) {
	ids := make([]int64, len(holders))
	for i, h := range holders {
		ids[i] = h.ID
	}
	var rows []row
	in, list := database.InList(s.db.Dialect(), ids)
	err := s.db.Gorm(ctx).Raw("SELECT "+database.ColumnsOf[row]()+" FROM push_addresses WHERE customer_id "+in+" AND key_hash = ? ORDER BY made_at DESC, id DESC",
		list, s.keyHash()).Scan(&rows).Error
	found := make([][]row, len(holders))
	for i, h := range holders {
		for _, r := range rows {
			//mutant:replace && r.Epoch == h.Epoch => TestSubscriptionHasOneHolder
			if r.CustomerID == h.ID && r.Epoch == h.Epoch {
				found[i] = append(found[i], r)
			}
		}
	}
	return found, err
}

// read returns a subscription and whether it is valid: it exists, and its
// customer is not blocked and has not changed the password since.
func (s *Subscriptions) read(ctx context.Context, id int64) (r row, valid bool, err error) {
	//mutant:replace AND a.epoch = c => AND 0 <> c TestEndedSubscriptionIsNotNotified
	//mutant:replace NOT c.blocked AND => TestEndedSubscriptionIsNotNotified
	result := s.db.Gorm(ctx).Raw("SELECT "+database.ColumnsOf[row]("a")+` FROM push_addresses a JOIN customers c ON c.id = a.customer_id
		WHERE a.id = ? AND a.epoch = c.session_epoch AND NOT c.blocked AND a.key_hash = ?`, id, s.keyHash()).Scan(&r)
	return r, result.RowsAffected > 0, result.Error
}

func (s *Subscriptions) delete(ctx context.Context, customerID, id int64) (deleted bool, err error) {
	err = s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		//mutant:replace AND customer_id = ? => AND 0 <> ? TestUnsubscribe
		result := tx.Gorm().Exec("DELETE FROM push_addresses WHERE id = ? AND customer_id = ?", id, customerID)
		deleted = result.RowsAffected > 0
		return result.Error
	})
	return deleted, err
}

func deleteBrowser(tx *database.Tx, browser string, stays int64) error {
	//mutant:replace AND customer_id <> ? => AND 0 <= ? TestOtherSubscriptionsStay
	return tx.Gorm().Exec("DELETE FROM push_addresses WHERE browser = ? AND customer_id <> ?", browser, stays).Error
}

func deleteForCustomer(tx *database.Tx, holder int64, browser string, others bool) error {
	which := "="
	if others {
		which = "<>"
	}
	return tx.Gorm().Exec("DELETE FROM push_addresses WHERE customer_id = ? AND browser "+which+" ?", holder, browser).Error
}

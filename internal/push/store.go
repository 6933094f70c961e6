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
	Device       string
	MadeAt       time.Time
}

// insert keeps an address in the place of the same one, and makes room: what
// an older password or key allowed goes, and then the oldest.
func insert(tx *database.Tx, r row) error {
	g := tx.Gorm()
	if err := g.Exec("DELETE FROM push_addresses WHERE endpoint_hash = ? OR (customer_id = ? AND (epoch <> ? OR key_hash <> ?))",
		r.EndpointHash, r.CustomerID, r.Epoch, r.KeyHash).Error; err != nil {
		return err
	}
	if err := g.Exec(`INSERT INTO push_addresses (id, customer_id, epoch, key_hash, endpoint_hash, endpoint, p256dh, auth, device, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.CustomerID, r.Epoch, r.KeyHash, r.EndpointHash, r.Endpoint, r.P256dh, r.Auth, r.Device, r.MadeAt).Error; err != nil {
		return err
	}
	return g.Exec(`DELETE FROM push_addresses WHERE customer_id = ? AND id NOT IN (
		SELECT id FROM push_addresses WHERE customer_id = ? ORDER BY made_at DESC, id DESC LIMIT ?)`,
		r.CustomerID, r.CustomerID, devices).Error
}

func (n *Notices) read(ctx context.Context, h Holder) (rows []row, err error) {
	err = n.db.Gorm(ctx).Raw("SELECT * FROM push_addresses WHERE customer_id = ? AND epoch = ? AND key_hash = ? ORDER BY made_at DESC, id DESC",
		h.ID, h.Epoch, n.keyHash()).Scan(&rows).Error
	return rows, err
}

// byID gives an address; nil where it is no more.
func (n *Notices) byID(ctx context.Context, id int64) (*row, error) {
	var rows []row
	err := n.db.Gorm(ctx).Raw("SELECT * FROM push_addresses WHERE id = ?", id).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func (n *Notices) delete(ctx context.Context, customerID, id int64) (ended bool, err error) {
	err = n.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec("DELETE FROM push_addresses WHERE id = ? AND customer_id = ?", id, customerID)
		ended = result.RowsAffected > 0
		return result.Error
	})
	return ended, err
}

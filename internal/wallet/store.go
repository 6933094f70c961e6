package wallet

import (
	"context"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

func insertDraft(tx *database.Tx, d TransferDraft) error {
	return tx.Gorm().Exec(`INSERT INTO wallet_transfer_drafts (id, sender_id, receiver_id, phone, receiver, amount,
		channel, made_at, expires_at) VALUES (?,?,?,?,?,?,?,?,?)`,
		d.ID, d.SenderID, d.ReceiverID, d.Phone, d.Receiver, d.Amount, d.Channel, d.MadeAt, d.ExpiresAt).Error
}

// readDraft gives a sender's draft: another's does not exist for the asker.
func readDraft(ctx context.Context, db *database.DB, senderID, id int64) (TransferDraft, error) {
	var rows []TransferDraft
	err := db.Gorm(ctx).Raw("SELECT * FROM wallet_transfer_drafts WHERE id = ? AND sender_id = ?", id, senderID).Scan(&rows).Error
	if err != nil {
		return TransferDraft{}, err
	}
	if len(rows) == 0 {
		return TransferDraft{}, fault.New(fault.NotFound, "wallet.transfer_draft", "")
	}
	return rows[0], nil
}

// deleteDrafts forgets drafts a day after they expired: until then the check
// page can still offer their values.
func deleteDrafts(ctx context.Context, db *database.DB) (int64, error) {
	return db.Purge(ctx, "DELETE FROM wallet_transfer_drafts WHERE id IN (SELECT id FROM wallet_transfer_drafts WHERE expires_at < ? LIMIT ?)",
		database.Moment(db.Now().Add(-24*time.Hour)))
}

// transferred is the rows that ride on transfers.
var transferred = &database.Family[Transfer]{
	Name: "wallet transferred",
	Write: func(_ context.Context, tx *database.Tx, rows []Transfer) error {
		return insertTransfers(tx, rows)
	},
}

func insertTransfers(tx *database.Tx, rows []Transfer) error {
	const row = "(?,?,?,?,?,?,?,?,?,?)"
	values := make([]any, 0, 10*len(rows))
	now := tx.Now()
	for _, t := range rows {
		values = append(values, t.ID, t.SenderID, t.ReceiverID, t.SenderPhone, t.ReceiverPhone, t.Sender, t.Receiver,
			t.Amount, t.Channel, now)
	}
	return tx.Gorm().Exec(`INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone,
		sender, receiver, amount, channel, accepted_at) VALUES `+row+strings.Repeat(","+row, len(rows)-1), values...).Error
}

// readTransfers finds those of the transfers that a customer has a part in.
func readTransfers(ctx context.Context, db *database.DB, customerID int64, ids []int64) (map[int64]Transfer, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Transfer
	err := db.Gorm(ctx).Raw("SELECT * FROM wallet_transfers WHERE id IN ? AND (sender_id = ? OR receiver_id = ?)",
		ids, customerID, customerID).Scan(&rows).Error
	found := make(map[int64]Transfer, len(rows))
	for _, t := range rows {
		found[t.ID] = t
	}
	return found, err
}

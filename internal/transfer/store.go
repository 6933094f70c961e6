package transfer

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

func insertDraft(tx *database.Tx, d Draft) error {
	return tx.Gorm().Exec(`INSERT INTO wallet_transfer_drafts (id, sender_id, receiver_id, phone, receiver, amount,
		channel, made_at, expires_at, mac, key_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		d.ID, d.SenderID, d.ReceiverID, d.Phone, d.Receiver, d.Amount, d.Channel, d.MadeAt, d.ExpiresAt, d.MAC, d.KeyID).Error
}

func readDraft(ctx context.Context, db *database.DB, id int64) (Draft, error) {
	var rows []Draft
	err := db.Gorm(ctx).Raw("SELECT id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at, confirmed_by, mac, key_id FROM wallet_transfer_drafts WHERE id = ?", id).Scan(&rows).Error
	if err != nil {
		return Draft{}, err
	}
	if len(rows) == 0 {
		return Draft{}, fault.New(fault.NotFound, "transfer.draft", "")
	}
	d := rows[0]
	//mutant:replace d.Verify(ctx, db, d.Record()) => nil TestForgedDraftIsRefused
	return d, d.Verify(ctx, db, d.Record())
}

// Record returns the canonical form of a draft, which its signature covers: all that the
// sender was shown and all that the transfer gets from it.
func (d Draft) Record() *signature.Record {
	return d.Terms.Record(signature.TransferDraft).Int(d.SenderID).Int(d.ReceiverID).
		Text(d.Phone.String()).Text(d.Receiver).Int(int64(d.Amount))
}

// transferRider inserts rows of wallet_transfers with their ledger transfers.
var transferRider = &database.RiderKind[Transfer]{
	Name:   "wallet transferred",
	Insert: transferRows,
}

// Record returns the canonical form of a transfer's row, which its signature covers:
// all but the names, which are shown and may be erased. It is stored in signatures and
// in the log, so it never changes.
func (t Transfer) Record() *signature.Record {
	return signature.NewRecord(signature.WalletTransfer, t.ID).Int(t.SenderID).Int(t.ReceiverID).
		Text(t.SenderPhone.String()).Text(t.ReceiverPhone.String()).Int(int64(t.Amount)).Text(string(t.Channel)).Time(t.AcceptedAt)
}

func transferRows(tx *database.Tx, rows []Transfer) (database.Rows, error) {
	var ids, senders, receivers, amounts []int64
	var senderPhones, receiverPhones, senderNames, receiverNames, channels, keyIDs []string
	var macs [][]byte
	now := tx.Now()
	for _, t := range rows {
		t.AcceptedAt = now
		//mutant:replace tx.Sign(t.Record()) => []byte(nil), "" TestTransfersAreSigned
		mac, keyID := tx.Sign(t.Record())
		macs, keyIDs = append(macs, mac), append(keyIDs, keyID)
		ids, senders, receivers = append(ids, t.ID), append(senders, t.SenderID), append(receivers, t.ReceiverID)
		senderPhones, receiverPhones = append(senderPhones, t.SenderPhone.String()), append(receiverPhones, t.ReceiverPhone.String())
		senderNames, receiverNames = append(senderNames, t.Sender), append(receiverNames, t.Receiver)
		amounts, channels = append(amounts, int64(t.Amount)), append(channels, string(t.Channel))
	}
	return database.Rows{Table: "wallet_transfers", Columns: []database.Column{
		database.NewColumn("id", "bigint", ids), database.NewColumn("sender_id", "bigint", senders), database.NewColumn("receiver_id", "bigint", receivers),
		database.NewColumn("sender_phone", "text", senderPhones), database.NewColumn("receiver_phone", "text", receiverPhones),
		database.NewColumn("sender", "text", senderNames), database.NewColumn("receiver", "text", receiverNames),
		database.NewColumn("amount", "bigint", amounts), database.NewColumn("channel", "text", channels),
		database.ConstColumn("accepted_at", "timestamptz", now),
		database.NewColumn("mac", "bytea", macs), database.NewColumn("key_id", "text", keyIDs),
	}}, nil
}

func readSentSince(ctx context.Context, db *database.DB, customerID int64, at time.Time) (bool, error) {
	var ids []int64
	err := db.Gorm(ctx).Raw("SELECT id FROM wallet_transfers WHERE sender_id = ? AND accepted_at >= ? LIMIT 1",
		customerID, database.StoredTime(at)).Scan(&ids).Error
	return len(ids) > 0, err
}

// readTransfers returns the transfers that the customer sent or received.
func readTransfers(ctx context.Context, db *database.DB, customerID int64, ids []int64) (map[int64]Transfer, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Transfer
	//mutant:replace receiver_id = ? => receiver_id <> ? TestTransfer
	err := db.Gorm(ctx).Raw("SELECT "+database.ColumnsOf[Transfer]()+" FROM wallet_transfers WHERE id IN ? AND (sender_id = ? OR receiver_id = ?)",
		ids, customerID, customerID).Scan(&rows).Error
	found := make(map[int64]Transfer, len(rows))
	for _, t := range rows {
		found[t.ID] = t
	}
	return found, err
}

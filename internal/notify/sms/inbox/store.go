package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
)

const maxListed = 100

func (i *Inbox) insert(ctx context.Context, list []sms.Rendered) error {
	return i.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Insert(database.Rows{Table: "sms_inbox", Columns: []database.Column{
			database.ColumnOf("id", "bigint", list, func(*sms.Rendered) int64 { return tx.NewID() }),
			database.ColumnOf("message_id", "text", list, func(r *sms.Rendered) string { return r.ID }),
			database.ColumnOf("phone", "text", list, func(r *sms.Rendered) string { return r.Phone.String() }),
			database.ColumnOf("text", "text", list, func(r *sms.Rendered) string { return r.Text }),
			database.ConstColumn("created_at", "timestamptz", tx.Now()),
		}, OnConflict: "ON CONFLICT (message_id) DO NOTHING"})
	})
}

func (i *Inbox) list(ctx context.Context, number phone.Number) ([]Message, error) {
	list := []Message{}
	err := i.db.Gorm(ctx).Raw(`SELECT phone, text, created_at FROM sms_inbox
		WHERE phone = ? ORDER BY created_at DESC, id DESC LIMIT ?`, number.String(), maxListed).Scan(&list).Error
	for k := range list {
		list[k].CreatedAt = list[k].CreatedAt.UTC()
	}
	return list, err
}

func (i *Inbox) purge(ctx context.Context, before time.Time) (int64, error) {
	return i.db.Purge(ctx, `DELETE FROM sms_inbox WHERE id IN (SELECT id FROM sms_inbox WHERE created_at < ? LIMIT ?)`, before)
}

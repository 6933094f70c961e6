package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/notify/email"
)

const maxListed = 100

func (i *Inbox) insert(ctx context.Context, r email.Rendered) error {
	return i.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`INSERT INTO email_inbox (id, message_id, recipient, subject, text, created_at)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING`,
			tx.NewID(), r.ID, r.To, r.Subject, r.Text, tx.Now()).Error
	})
}

func (i *Inbox) list(ctx context.Context, to string) ([]Message, error) {
	list := []Message{}
	err := i.db.Gorm(ctx).Raw(`SELECT recipient AS "to", subject, text, created_at FROM email_inbox
		WHERE recipient = ? ORDER BY created_at DESC, id DESC LIMIT ?`, to, maxListed).Scan(&list).Error
	return list, err
}

func (i *Inbox) purge(ctx context.Context, before time.Time) (int64, error) {
	return i.db.Purge(ctx, `DELETE FROM email_inbox WHERE id IN (SELECT id FROM email_inbox WHERE created_at < ? LIMIT ?)`, before)
}

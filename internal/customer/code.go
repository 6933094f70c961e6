package customer

import (
	"context"
	"crypto/hmac"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Purpose is what an SMS code is for. A session awaits one code of a purpose.
type Purpose string

// The purposes.
const (
	ForSignup Purpose = "signup"
	ForReset  Purpose = "reset"
	ForUnlock Purpose = "unlock"
)

// codeHash is what is kept of a code: a keyed hash over the browser session
// and all that the code confirms, so that it confirms nothing else.
func (cs *Customers) codeHash(row *confirmation, code string) string {
	//mutant:replace Phone, row.Email, row.PasswordHash => Email TestCodeIsBoundToWhatItConfirms
	//mutant:replace row.SessionKey, row.Purpose, => TestCodeIsBoundToWhatItConfirms
	return cs.hash("code", row.SessionKey, row.Purpose, row.Phone, row.Email, row.PasswordHash, row.Offer, row.Lang, code)
}

// startCode stores what a code will confirm and promises the code, in one
// transaction. Where say is not the code's text, the stored code is one that
// nobody gets: the same course, with no way in.
func (cs *Customers) startCode(ctx context.Context, row *confirmation, textFor func(holder *Record) string) error {
	code, now := sms.Code(CodeDigits), cs.o.Now()
	row.CodeHash = cs.codeHash(row, code)
	row.Tries, row.UsedAt = 0, nil
	row.CreatedAt, row.SentAt, row.ExpiresAt = now, now, now.Add(CodeLife)
	return cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		holder, err := readByPhone(tx, row.Phone)
		if err != nil {
			return err
		}
		if err := storeConfirmation(tx, row); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, cs.codeMessage(tx, row, textFor(holder), code))
	})
}

func (cs *Customers) codeMessage(tx *database.Tx, row *confirmation, text, code string) outbox.Message {
	return cs.o.Sealer.OutboxMessage(fmt.Sprintf("customer:code:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(row.Phone), Lang: row.Lang, Key: text,
		Args: map[string]any{"Code": code}, Secret: true, Until: row.ExpiresAt,
	})
}

// verifyCode counts a try of a code and compares it. It gives what the code confirms;
// fault.Invalid at the field for a wrong or late one, fault.TooMany after five
// tries, fault.NotFound where the session awaits no code.
func (cs *Customers) verifyCode(ctx context.Context, act, sessionKey string, purpose Purpose, typed string) (*confirmation, error) {
	code, err := parseCode(act, typed)
	if err != nil {
		return nil, err
	}
	row, err := cs.countCodeAttempt(ctx, sessionKey, purpose, cs.o.Now())
	if err != nil {
		return nil, fault.Wrap(act, err)
	}
	if row == nil {
		return nil, cs.codeError(ctx, act, sessionKey, purpose)
	}
	if !hmac.Equal([]byte(cs.codeHash(row, code)), []byte(row.CodeHash)) {
		if row.Tries >= codeTries {
			return nil, fault.New(fault.Invalid, act, "customer.code_tries").At("code")
		}
		return nil, fault.New(fault.Invalid, act, "customer.code_wrong").At("code")
	}
	return row, nil
}

func (cs *Customers) codeError(ctx context.Context, act, sessionKey string, purpose Purpose) error {
	row, err := cs.confirmation(ctx, sessionKey, purpose)
	switch {
	case err != nil:
		return fault.Wrap(act, err)
	case row == nil || row.UsedAt != nil:
		return noCode(act)
	case row.Tries >= codeTries:
		return fault.New(fault.TooMany, act, "customer.code_tries").At("code").
			After(max(time.Second, row.SentAt.Add(ResendPause).Sub(cs.o.Now())))
	}
	return fault.New(fault.Invalid, act, "customer.code_expired").At("code")
}

func noCode(act string) error { return fault.New(fault.NotFound, act, "customer.code_gone") }

// Pending gives the number whose code the session awaits, for the page that
// asks for it; fault.NotFound where it awaits none.
func (cs *Customers) Pending(ctx context.Context, sessionKey string, purpose Purpose) (phone.Number, error) {
	row, err := cs.confirmation(ctx, sessionKey, purpose)
	if err != nil {
		return "", fault.Wrap("customer.pending", err)
	}
	if row == nil || row.UsedAt != nil || cs.o.Now().After(row.CreatedAt.Add(codeHistory)) {
		return "", noCode("customer.pending")
	}
	return phone.Number(row.Phone), nil
}

// ResendCode sends a new code for what the session has begun, at the earliest
// a minute after the last one; the old code is worth nothing from then on, and
// five tries begin anew. fault.TooMany says when to come back, fault.NotFound
// that there is nothing to send again.
func (cs *Customers) ResendCode(ctx context.Context, sessionKey string, purpose Purpose, from Origin) error {
	const act = "customer.resend"
	row, err := cs.confirmation(ctx, sessionKey, purpose)
	if err != nil {
		return fault.Wrap(act, err)
	}
	now := cs.o.Now()
	if row == nil || row.UsedAt != nil || now.After(row.CreatedAt.Add(codeHistory)) {
		return noCode(act)
	}
	if wait := row.SentAt.Add(ResendPause).Sub(now); wait > 0 {
		return ratelimit.TooMany(act, wait)
	}
	if err := cs.limitCode(ctx, phone.Number(row.Phone), from); err != nil {
		return err
	}
	code := sms.Code(CodeDigits)
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		holder, err := readByPhone(tx, row.Phone)
		if err != nil {
			return err
		}
		renewed, err := replaceCode(tx, row, cs.codeHash(row, code), now)
		if err != nil {
			return err
		}
		if !renewed {
			return ratelimit.TooMany(act, ResendPause)
		}
		fresh := *row
		fresh.ExpiresAt = now.Add(CodeLife)
		return outbox.Add(ctx, tx, cs.codeMessage(tx, &fresh, textFor(purpose)(holder), code))
	})
	return fault.Wrap(act, err)
}

// textFor gives what is said to a number, by who holds it (nil: nobody). Where
// it isn't a text with the code, nobody learns the code.
func textFor(purpose Purpose) func(holder *Record) string {
	switch purpose {
	case ForReset:
		return resetText
	case ForUnlock:
		return unlockText
	}
	return signupText
}

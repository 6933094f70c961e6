package customer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// Purpose is what an SMS code confirms. A session awaits at most one code per
// purpose.
type Purpose string

// The purposes.
const (
	ForSignup Purpose = "signup"
	ForReset  Purpose = "reset"
	ForUnlock Purpose = "unlock"
)

// codeHash returns the stored form of a code.
func (cs *Customers) codeHash(row *confirmation, code string) string {
	//mutant:replace cs.keys.Current().Sum(codeTexts(row, code)...) => code TestCodeIsStoredHashed
	return cs.keys.Current().Sum(codeTexts(row, code)...)
}

// codeTexts returns the texts of a code's keyed hash: the browser session and
// everything that the code confirms, so that it confirms nothing else.
func codeTexts(row *confirmation, code string) []string {
	//mutant:replace Phone, row.Email, row.PasswordHash => Email TestCodeIsBoundToWhatItConfirms
	//mutant:replace row.SessionKey, row.Purpose, => TestCodeIsBoundToWhatItConfirms
	return []string{"code", row.SessionKey, row.Purpose, row.Phone, row.Email, row.PasswordHash, row.Offer, row.Lang, code}
}

// startCode stores what a code will confirm and queues the SMS, in one transaction.
// textFor returns the key of the SMS; if it is one without a code, or sms.Nothing,
// the code is not sent, and startCode returns the same result.
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
		return sms.Add(ctx, tx, cs.codeMessage(tx, row, textFor(holder), code))
	})
}

func (cs *Customers) codeMessage(tx *database.Tx, row *confirmation, text, code string) sms.Outgoing {
	return cs.o.Sealer.OutboxMessage(fmt.Sprintf("customer:code:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(row.Phone), Lang: row.Lang, Key: text,
		Args: map[string]any{"Code": code}, Secret: true, Until: row.ExpiresAt,
	})
}

// verifyCode counts an attempt at a code, compares it, and returns what the code
// confirms. Errors: Invalid at code for a wrong or expired one; TooMany after five
// attempts; NotFound if the session awaits no code.
func (cs *Customers) verifyCode(ctx context.Context, op, sessionKey string, purpose Purpose, typed string) (_ *confirmation, failure error) {
	code, err := parseCode(op, typed)
	if err != nil {
		return nil, err
	}
	row, counted, err := cs.countCodeAttempt(ctx, sessionKey, purpose, cs.o.Now())
	defer func() {
		var of subject
		if row != nil {
			of.number = phone.Number(row.Phone)
		}
		cs.record(ctx, securitylog.Code, of, string(purpose), failure)
	}()
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if !counted {
		return nil, cs.codeError(ctx, op, sessionKey, purpose)
	}
	if !cs.keys.Made(row.CodeHash, codeTexts(row, code)...) {
		if row.Tries >= codeTries {
			return nil, fault.New(fault.Invalid, op, "customer.code_tries").At("code")
		}
		return nil, fault.New(fault.Invalid, op, "customer.code_wrong").At("code")
	}
	return row, nil
}

// codeError returns the error for a code at which no attempt is possible.
func (cs *Customers) codeError(ctx context.Context, op, sessionKey string, purpose Purpose) error {
	row, found, err := cs.confirmation(ctx, sessionKey, purpose)
	switch {
	case err != nil:
		return fault.Wrap(op, err)
	case !found || row.UsedAt != nil:
		return noCode(op)
	case row.Tries >= codeTries:
		return fault.New(fault.TooMany, op, "customer.code_tries").At("code").
			After(max(time.Second, row.SentAt.Add(ResendPause).Sub(cs.o.Now())))
	}
	return fault.New(fault.Invalid, op, "customer.code_expired").At("code")
}

func noCode(op string) error { return fault.New(fault.NotFound, op, "customer.code_gone") }

// Pending returns the number whose code the session awaits, for the page that asks
// for it, or fault.NotFound.
func (cs *Customers) Pending(ctx context.Context, sessionKey string, purpose Purpose) (phone.Number, error) {
	row, found, err := cs.confirmation(ctx, sessionKey, purpose)
	if err != nil {
		return "", fault.Wrap("customer.pending", err)
	}
	if !found || row.UsedAt != nil || cs.o.Now().After(row.CreatedAt.Add(codeHistory)) {
		return "", noCode("customer.pending")
	}
	return phone.Number(row.Phone), nil
}

// ResendCode sends a new code in place of the one that the session awaits, at the
// earliest a minute after the last one. The old code becomes invalid, and the
// attempts are reset.
//
// Errors: TooMany, with the time until the next code in RetryAfter; NotFound if
// the session awaits no code.
func (cs *Customers) ResendCode(ctx context.Context, sessionKey string, purpose Purpose, from Origin) (failure error) {
	const op = "customer.resend"
	row, found, err := cs.confirmation(ctx, sessionKey, purpose)
	if err != nil {
		return fault.Wrap(op, err)
	}
	now := cs.o.Now()
	if !found || row.UsedAt != nil || now.After(row.CreatedAt.Add(codeHistory)) {
		return noCode(op)
	}
	if wait := row.SentAt.Add(ResendPause).Sub(now); wait > 0 {
		return ratelimit.TooMany(op, wait)
	}
	defer func() {
		cs.record(ctx, securitylog.CodeSent, subject{number: phone.Number(row.Phone)}, string(purpose), failure)
	}()
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
			return ratelimit.TooMany(op, ResendPause)
		}
		fresh := *row
		fresh.ExpiresAt = now.Add(CodeLife)
		return sms.Add(ctx, tx, cs.codeMessage(tx, &fresh, textFor(purpose)(holder), code))
	})
	return fault.Wrap(op, err)
}

// textFor returns the function that chooses the SMS by the number's holder (nil:
// none); see startCode.
func textFor(purpose Purpose) func(holder *Record) string {
	switch purpose {
	case ForReset:
		return resetText
	case ForUnlock:
		return unlockText
	}
	return signupText
}

// parseCode returns the six digits of an SMS code as typed, or fault.Invalid at
// code, which is not counted as an attempt.
func parseCode(op, text string) (string, error) {
	code := input.Digits(text)
	if code == "" {
		return "", fault.New(fault.Invalid, op, "customer.code_empty").At("code")
	}
	if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
		return "", fault.New(fault.Invalid, op, "customer.code_format").At("code")
	}
	return code, nil
}

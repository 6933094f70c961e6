package customer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// EmailCodeLife is longer than CodeLife, since mail servers may accept a message on their
// second try only.
const EmailCodeLife = 30 * time.Minute

// Limits of the codes that are sent by e-mail: to one wallet, and to one address, which
// anybody may have given as theirs.
var (
	//mutant:replace , Always: true => TestEmailCodesAreLimited
	emailCodes = ratelimit.Rule{Name: "e-mail code by wallet", Limit: 6, Window: 24 * time.Hour, Always: true}
	//mutant:replace Limit: 10, => Limit: 1000, TestEmailCodesAreLimited
	emailCodesTo = ratelimit.Rule{Name: "e-mail code by address", Limit: 10, Window: 24 * time.Hour, Always: true}
)

// EmailUnconfirmed is the reason of a refusal because the e-mail address has not been
// confirmed.
const EmailUnconfirmed fault.Reason = "customer.email_unconfirmed"

// MaskedEmail returns the address with all but its first character and its domain hidden.
func (c Customer) MaskedEmail() string { return maskEmail(c.Email) }

// MailsCodes reports whether e-mails can be sent, and so addresses be confirmed.
func (cs *Customers) MailsCodes() bool { return cs.o.Email != nil }

// SendEmailCode sends a code to the customer's e-mail address, in place of the last one.
//
// Errors: TooMany, with the time until the next code in RetryAfter; Conflict
// "customer.email_elsewhere" if the address is confirmed or was changed meanwhile;
// NotFound if there is none or e-mails can't be sent.
func (cs *Customers) SendEmailCode(ctx context.Context, id int64) (failure error) {
	const op = "customer.email.code"
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil || holder.Email == "" || cs.o.Email == nil {
		return fault.New(fault.NotFound, op, "")
	}
	if holder.EmailConfirmedAt != nil {
		return fault.New(fault.Conflict, op, "customer.email_elsewhere")
	}
	last, err := cs.emailCode(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	//mutant:drop TestEmailCodesAreLimited
	if last != nil {
		if wait := last.SentAt.Add(ResendPause).Sub(cs.o.Now()); wait > 0 {
			return ratelimit.TooMany(op, wait)
		}
	}
	defer func() {
		cs.record(ctx, securitylog.CodeSent, subject{phone.Number(holder.Phone), id}, "email", failure)
	}()
	if err := cs.limitEmailCode(ctx, id, holder.Email); err != nil {
		return err
	}
	return fault.Wrap(op, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		return cs.addEmailCode(ctx, tx, holder, holder.Email)
	}))
}

func (cs *Customers) limitEmailCode(ctx context.Context, id int64, address string) error {
	if err := cs.o.Counters.Take(ctx, emailCodes, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	return cs.o.Counters.Take(ctx, emailCodesTo, strings.ToLower(address))
}

// addEmailCode stores a code for an address of a customer and adds the e-mail with it.
func (cs *Customers) addEmailCode(ctx context.Context, tx *database.Tx, holder *Record, address string) error {
	code, now := sms.Code(CodeDigits), cs.o.Now()
	row := emailCode{
		CustomerID: holder.ID, CodeHash: cs.keys.Current().Sum(emailCodeTexts(holder.ID, address, code)...),
		SentAt: now, ExpiresAt: now.Add(EmailCodeLife),
	}
	if err := storeEmailCode(tx, row); err != nil {
		return err
	}
	return outbox.Add(ctx, tx, cs.o.Email.OutboxMessage(fmt.Sprintf("customer:email_code:%d", tx.NewID()), email.Message{
		To: address, Lang: holder.Lang, Subject: "email.email_code.subject", Text: "email.email_code.text", Until: row.ExpiresAt,
		Args: map[string]any{"Phone": phone.Number(holder.Phone).Masked(), "Minutes": int(EmailCodeLife / time.Minute)},
	}, code))
}

// emailCodeTexts returns the texts of a code's keyed hash: it confirms one address of one
// customer.
func emailCodeTexts(id int64, address, code string) []string {
	//mutant:replace address, code => "", code TestCodeConfirmsItsAddress
	return []string{"email code", strconv.FormatInt(id, 10), address, code}
}

// AwaitsEmailCode reports whether a code was sent to the customer's address and can still
// be used.
func (cs *Customers) AwaitsEmailCode(ctx context.Context, c Customer) (bool, error) {
	row, err := cs.emailCode(ctx, c.ID)
	return row != nil && cs.o.Now().Before(row.ExpiresAt), fault.Wrap("customer.email.awaits", err)
}

// ConfirmEmail confirms the customer's e-mail address by the code that was sent to it. It
// succeeds for an address that is confirmed already.
//
// Errors: Invalid at code; TooMany at code; NotFound if no code was sent.
func (cs *Customers) ConfirmEmail(ctx context.Context, id int64, typed string) (failure error) {
	const op = "customer.email.confirm"
	code, err := parseEmailCode(op, typed)
	if err != nil {
		return err
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil {
		return fault.New(fault.NotFound, op, "")
	}
	if holder.EmailConfirmedAt != nil {
		return nil
	}
	defer func() {
		cs.record(ctx, securitylog.Code, subject{phone.Number(holder.Phone), id}, "email", failure)
	}()
	row, err := cs.countEmailAttempt(ctx, id, cs.o.Now())
	if err != nil {
		return fault.Wrap(op, err)
	}
	if row == nil {
		return cs.emailCodeError(ctx, op, id)
	}
	//mutant:drop TestConfirmEmail
	if !cs.keys.Made(row.CodeHash, emailCodeTexts(id, holder.Email, code)...) {
		if row.Tries >= codeTries {
			return fault.New(fault.Invalid, op, "customer.email_code_tries").At("code")
		}
		return fault.New(fault.Invalid, op, "customer.email_code_wrong").At("code")
	}
	confirmed := false
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		confirmed, err = confirmEmail(tx, id, row.CodeHash, holder.Email, cs.o.Now())
		return err
	})
	if err == nil && !confirmed { // confirmed or changed by a concurrent request
		err = fault.New(fault.Conflict, op, "customer.email_elsewhere")
	}
	return fault.Wrap(op, err)
}

// emailCodeError returns the error for a code at which no attempt is possible.
func (cs *Customers) emailCodeError(ctx context.Context, op string, id int64) error {
	row, err := cs.emailCode(ctx, id)
	switch {
	case err != nil:
		return fault.Wrap(op, err)
	case row == nil:
		return fault.New(fault.NotFound, op, "")
	case row.Tries >= codeTries:
		return fault.New(fault.TooMany, op, "customer.email_code_tries").At("code").
			After(max(time.Second, row.SentAt.Add(ResendPause).Sub(cs.o.Now())))
	}
	return fault.New(fault.Invalid, op, "customer.email_code_expired").At("code")
}

// parseEmailCode is parseCode with the texts for e-mails.
func parseEmailCode(op, text string) (string, error) {
	code := input.Digits(text)
	if code == "" {
		return "", fault.New(fault.Invalid, op, "customer.email_code_empty").At("code")
	}
	if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
		return "", fault.New(fault.Invalid, op, "customer.email_code_format").At("code")
	}
	return code, nil
}

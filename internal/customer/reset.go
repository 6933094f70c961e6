package customer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

// StartReset sends an SMS code for a new password. For a number that is not
// registered, or whose wallet is blocked, the outcome is the same, but no SMS is
// sent. lang is the language of the visit.
//
// Errors: TooMany.
func (cs *Customers) StartReset(ctx context.Context, sessionKey string, number phone.Number, lang string, from Origin) (failure error) {
	const op = "customer.reset"
	defer func() { cs.record(ctx, securitylog.CodeSent, subject{number: number}, string(ForReset), failure) }()
	if err := cs.limitCode(ctx, number, from); err != nil {
		return err
	}
	return fault.Wrap(op, cs.startCode(ctx, &confirmation{
		SessionKey: sessionKey, Purpose: string(ForReset), Phone: number.String(), Lang: lang, Address: from.Address,
	}, resetText))
}

func resetText(holder *Record) string {
	if holder == nil || holder.PasswordHash == "" || holder.Blocked {
		return sms.NoMessage
	}
	return "sms.reset_code"
}

// ConfirmReset sets a new password for the number that the SMS code proves. All
// sessions end. PINOwed is set; a wallet without a PIN is put on hold for
// Options.Hold instead. An SMS and an e-mail are sent.
//
// Errors: Invalid at password (the code is not counted then) and code; TooMany;
// NotFound if the session awaits no code.
func (cs *Customers) ConfirmReset(ctx context.Context, sessionKey, code, password string, from Origin) (c Customer, failure error) {
	const op = "customer.reset.confirm"
	number, err := cs.Pending(ctx, sessionKey, ForReset)
	if err != nil {
		return Customer{}, err
	}
	if err := cs.checkNewPassword(op, password, number); err != nil {
		return Customer{}, err
	}
	row, err := cs.verifyCode(ctx, op, sessionKey, ForReset, code)
	if err != nil {
		return Customer{}, err
	}
	//mutant:drop ./web TestSecurityEventsOfSite
	defer func() { cs.record(ctx, securitylog.PasswordReset, subject{number, c.ID}, "", failure) }()
	// Only after the code: name and address are not to be found out by trying.
	//mutant:drop TestPersonalPasswords
	if err := cs.checkPersonalOf(ctx, op, password, number); err != nil {
		return Customer{}, err
	}
	hash, err := cs.hasher.Hash(ctx, password)
	if err != nil {
		return Customer{}, err
	}
	var holder *Record
	var refusal error
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		holder, refusal, err = cs.replacePassword(ctx, tx, op, row, hash, from)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	// Earlier guesses must not lock the holder of the number out.
	if err := cs.resetLogin(ctx, number, from); err != nil {
		return Customer{}, err
	}
	return holder.Customer(), nil
}

// checkPersonalOf is checkPersonal for the holder of a number. A right code remains
// valid after a refusal.
func (cs *Customers) checkPersonalOf(ctx context.Context, op, password string, number phone.Number) error {
	holder, err := cs.readByPhone(ctx, number)
	if err != nil || holder == nil {
		return fault.Wrap(op, err)
	}
	return checkPersonal(op, password, holder.Name, holder.Email)
}

func (cs *Customers) replacePassword(ctx context.Context, tx *database.Tx, op string, row *confirmation, hash string, from Origin) (
	holder *Record, refusal, err error,
) {
	now := cs.o.Now()
	if fresh, err := useCode(tx, row, now); err != nil || !fresh {
		return nil, noCode(op), err
	}
	before, err := readByPhone(tx, row.Phone)
	if err != nil {
		return nil, nil, err
	}
	if before == nil || before.PasswordHash == "" || before.Blocked {
		return nil, noCode(op), nil
	}
	//mutant:replace database.StoredTime(now.Add(cs.o.Hold)) => now TestReset
	holder, err = resetPassword(ctx, tx, before.ID, before.PasswordHash, hash, now, database.StoredTime(now.Add(cs.o.Hold)))
	if err != nil {
		return nil, nil, err
	}
	if holder == nil {
		return nil, noCode(op), nil
	}
	if err := cs.markFamiliar(tx, holder.ID, from, now); err != nil {
		return nil, nil, err
	}
	return holder, nil, cs.addResetNotices(ctx, tx, holder, now)
}

// addResetNotices adds the SMS and the e-mail about the new password.
func (cs *Customers) addResetNotices(ctx context.Context, tx *database.Tx, holder *Record, at time.Time) error {
	event := fmt.Sprintf("customer:reset:%d", tx.NewID())
	args := map[string]any{"Phone": phone.Number(holder.Phone).Masked(), "At": formatTime(at)}
	text, mail := "sms.reset_done_pin", "email.reset_done_pin.text"
	if !holder.PINOwed {
		text, mail = "sms.reset_done", "email.reset_done.text"
		args["Until"] = formatTime(*holder.HoldUntil)
	}
	err := sms.Add(ctx, tx, sms.OutboxMessage(event, sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: text, Args: args,
	}))
	if err != nil || cs.o.Email == nil || holder.Email == "" {
		return err
	}
	return outbox.Add(ctx, tx, email.OutboxMessage(event, email.Message{
		To: holder.Email, Lang: holder.Lang,
		Subject: "email.reset_done.subject", Text: mail, Args: args,
	}))
}

// ChangePassword replaces the password after checking the old one, and ends all
// sessions; the caller logs the current one in again. An SMS is sent.
//
// Errors: Invalid at old_password and password; TooMany; Conflict if it was changed
// elsewhere meanwhile.
func (cs *Customers) ChangePassword(ctx context.Context, id int64, old, password string) (_ Customer, failure error) {
	const op = "customer.password"
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if holder == nil || holder.PasswordHash == "" {
		return Customer{}, fault.New(fault.NotFound, op, "")
	}
	if err := cs.checkNewPassword(op, password, phone.Number(holder.Phone)); err != nil {
		return Customer{}, err
	}
	defer func() {
		cs.record(ctx, securitylog.PasswordChange, subject{phone.Number(holder.Phone), id}, "", failure)
	}()
	if err := cs.o.Counters.Take(ctx, passwordChange, strconv.FormatInt(id, 10)); err != nil {
		return Customer{}, err
	}
	right, _, err := cs.hasher.Match(ctx, old, holder.PasswordHash)
	if err != nil {
		return Customer{}, err
	}
	//mutant:drop TestChangePassword
	if !right {
		return Customer{}, fault.New(fault.Invalid, op, "customer.password_old_wrong").At("old_password")
	}
	//mutant:drop TestPersonalPasswords
	if err := checkPersonal(op, password, holder.Name, holder.Email); err != nil {
		return Customer{}, err
	}
	hash, err := cs.hasher.Hash(ctx, password)
	if err != nil {
		return Customer{}, err
	}
	var changed *Record
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		changed, err = setPassword(ctx, tx, id, holder.PasswordHash, hash)
		if err != nil || changed == nil {
			return err
		}
		err = sms.Add(ctx, tx, sms.OutboxMessage(fmt.Sprintf("customer:password:%d", tx.NewID()), sms.Message{
			Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: "sms.password_changed",
		}))
		if err != nil {
			return err
		}
		//mutant:replace cs.addSecurityMail(ctx, tx, holder, passwordMail) => nil TestSecurityMails
		return cs.addSecurityMail(ctx, tx, holder, passwordMail)
	})
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if changed == nil {
		return Customer{}, fault.New(fault.Conflict, op, "")
	}
	return changed.Customer(), nil
}

package customer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// Spent is the amount sent from the wallets of one number today and this month
// (Bishkek time).
type Spent struct{ Day, Month money.Amount }

// SpentBefore returns what closed wallets of the customer's number sent on the day and in
// the month of a time.
func (c Customer) SpentBefore(at time.Time) (before Spent) {
	day, then := at.In(Bishkek), c.spentAt.In(Bishkek)
	if c.spentAt.IsZero() || day.Year() != then.Year() || day.Month() != then.Month() {
		return Spent{}
	}
	//mutant:replace Month = c.spent.Month => Month = 0 TestSpentBefore
	before.Month = c.spent.Month
	if day.Day() == then.Day() {
		//mutant:replace Day = c.spent.Day => Day = 0 TestSpentBefore
		before.Day = c.spent.Day
	}
	return before
}

// VerifyForClosing verifies the password, and the PIN if one is set, before the
// wallet is closed.
//
// Errors: Invalid at password and at pin; those of CheckPIN; Forbidden
// "customer.hold" during a hold; TooMany; Unavailable.
func (cs *Customers) VerifyForClosing(ctx context.Context, c Customer, password, pin string) error {
	const op = "customer.close"
	if err := CheckHold(c, cs.o.Now()); err != nil {
		return err
	}
	holder, err := cs.readByID(ctx, c.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil {
		return fault.New(fault.NotFound, op, "")
	}
	var badPassword, badPIN error
	if password == "" {
		badPassword = fault.New(fault.Invalid, op, "customer.password_empty").At("password")
	}
	if holder.HasPIN {
		_, badPIN = parsePIN(op, pin)
	}
	if err := fault.Join(badPassword, badPIN); err != nil {
		return err
	}
	//mutant:drop ./web TestClose
	if err := cs.provePassword(ctx, op, holder, password); err != nil {
		return err
	}
	if !holder.HasPIN {
		return nil
	}
	return cs.CheckPIN(ctx, c.ID, pin, ForClosing, closingKey(c.ID))
}

// ReturnClosingPIN makes a one-time PIN usable again after the closing was refused.
func (cs *Customers) ReturnClosingPIN(ctx context.Context, id int64) error {
	return cs.ReturnPIN(ctx, id, closingKey(id))
}

func closingKey(id int64) string { return "closing:" + strconv.FormatInt(id, 10) }

// Close closes a customer in the transaction that closes the wallet: all sessions
// end, password and PIN are deleted, the number may be registered again, and an SMS
// and an e-mail are queued. at is the time of closing, spent what the wallet has
// sent. It returns false and changes nothing if all sessions were ended since c was
// read, or if the wallet is blocked or closed.
func (cs *Customers) Close(ctx context.Context, tx *database.Tx, c Customer, at time.Time, spent Spent) (bool, error) {
	before, err := lockRecord(tx, c.ID)
	if err != nil || before == nil {
		return false, err
	}
	//mutant:drop TestForgedCustomerIsNotSigned
	if err := before.verifyNewest(ctx, tx); err != nil {
		return false, err
	}
	holder, err := closeCustomer(ctx, tx, c.ID, c.SessionEpoch, at, spent)
	if err != nil || holder == nil {
		return false, err
	}
	// What is signed now must be what was signed before.
	//mutant:drop TestCloseAfterLevelChange
	if holder.ClosedPhone != c.Phone.String() || holder.Level != c.Level {
		return false, fault.New(fault.Unavailable, "customer.close", "")
	}
	event := fmt.Sprintf("customer:closed:%d", c.ID)
	args := map[string]any{"Phone": phone.Number(holder.ClosedPhone).Masked(), "At": formatTime(at)}
	err = sms.Add(ctx, tx, sms.OutboxMessage(event, sms.Message{
		Phone: phone.Number(holder.ClosedPhone), Lang: holder.Lang, Key: "sms.wallet_closed",
	}))
	if err != nil || cs.o.Email == nil || holder.Email == "" {
		return true, err
	}
	return true, outbox.Add(ctx, tx, email.OutboxMessage(event, email.Message{
		To: holder.Email, Lang: holder.Lang, Subject: "email.wallet_closed.subject", Text: "email.wallet_closed.text", Args: args,
	}))
}

// ClosedAt returns when the last wallet of a number was closed; zero if none was.
func (cs *Customers) ClosedAt(ctx context.Context, number phone.Number) (time.Time, error) {
	before, err := readClosed(ctx, cs.db, number.String())
	if err != nil || before == nil {
		return time.Time{}, fault.Wrap("customer.closed", err)
	}
	return before.ClosedAt.UTC(), nil
}

// ClosedAtIfFamiliar is ClosedAt for a visitor who has not proved to own the number:
// it returns zero unless the browser was familiar for the closed wallet.
func (cs *Customers) ClosedAtIfFamiliar(ctx context.Context, number phone.Number, from Origin) (time.Time, error) {
	const op = "customer.closed"
	before, err := readClosed(ctx, cs.db, number.String())
	if err != nil || before == nil {
		return time.Time{}, fault.Wrap(op, err)
	}
	//mutant:replace !k.device => k.device && false ./web TestClose
	if k, err := cs.familiarityOf(ctx, before, from); err != nil || !k.device {
		return time.Time{}, fault.Wrap(op, err)
	}
	return before.ClosedAt.UTC(), nil
}

// inheritSpent copies to a new customer the amounts spent by closed wallets of the
// number, so that closing a wallet does not reset its limits.
func inheritSpent(tx *database.Tx, fresh *Record) error {
	before, err := closedIn(tx, fresh.Phone)
	if err == nil && before != nil {
		fresh.SpentAt, fresh.SpentDay, fresh.SpentMonth = before.SpentAt, before.SpentDay, before.SpentMonth
	}
	return err
}

// RemovePersonal removes name, ИНН, e-mail and network addresses of customers who
// closed their wallets before a time, and returns the number of changed rows.
func (cs *Customers) RemovePersonal(ctx context.Context, before time.Time) (int64, error) {
	n, err := cs.removePersonal(ctx, before)
	return n, fault.Wrap("customer.remove_personal", err)
}

package customer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// emailChange limits changes of the e-mail address: each sends an SMS, and an
// e-mail to the old address.
var emailChange = ratelimit.Rule{Name: "e-mail changed", Limit: 5, Window: 24 * time.Hour, Always: true}

// ChangeEmail changes the customer's e-mail address after checking the password. An
// SMS and an e-mail to the old address announce the new one, masked.
//
// Faults: Invalid at email and password; TooMany; Conflict
// "customer.email_elsewhere" where it was changed at this moment.
func (cs *Customers) ChangeEmail(ctx context.Context, id int64, password, address string) error {
	const act = "customer.email"
	fresh, badEmail := parseEmail(act, address)
	var badPassword error
	if password == "" {
		badPassword = fault.New(fault.Invalid, act, "customer.password_empty").At("password")
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if holder == nil || holder.PasswordHash == "" {
		return fault.New(fault.NotFound, act, "")
	}
	if badEmail == nil && fresh == holder.Email {
		badEmail = fault.New(fault.Invalid, act, "customer.email_same").At("email")
	}
	if err := fault.Join(badEmail, badPassword); err != nil {
		return err
	}
	if err := cs.provePassword(ctx, act, holder, password); err != nil {
		return err
	}
	if err := cs.o.Counters.Take(ctx, emailChange, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	changed := false
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		changed, err = setEmail(tx, id, holder.PasswordHash, holder.Email, fresh)
		if err != nil || !changed {
			return err
		}
		return outbox.Add(ctx, tx, cs.emailChanged(tx, holder, fresh)...)
	})
	if err == nil && !changed {
		err = fault.New(fault.Conflict, act, "customer.email_elsewhere")
	}
	return fault.Wrap(act, err)
}

// emailChanged returns the notices of a changed address.
func (cs *Customers) emailChanged(tx *database.Tx, before *Record, fresh string) []outbox.Message {
	event := fmt.Sprintf("customer:email:%d", tx.NewID())
	args := map[string]any{
		"Phone": phone.Number(before.Phone).Masked(), "Email": maskEmail(fresh), "At": formatTime(cs.o.Now()),
	}
	notices := []outbox.Message{sms.OutboxMessage(event, sms.Message{
		Phone: phone.Number(before.Phone), Lang: before.Lang, Key: "sms.email_changed", Args: map[string]any{"Email": args["Email"]},
	})}
	if cs.o.Email && before.Email != "" {
		notices = append(notices, email.OutboxMessage(event, email.Message{
			//mutant:replace before.Email => fresh TestChangeEmail
			To: before.Email, Lang: before.Lang, Subject: "email.email_changed.subject", Text: "email.email_changed.text", Args: args,
		}))
	}
	return notices
}

// maskEmail returns an address with only its first character and its domain (or
// the end of a long domain).
func maskEmail(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(address)
	domain := []rune(address[at+1:])
	const shown = 30
	if len(domain) > shown {
		domain = append([]rune("…"), domain[len(domain)-shown:]...)
	}
	return string(first) + "•••@" + string(domain)
}

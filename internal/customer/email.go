package customer

import (
	"context"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// emailChange limits changes of the e-mail address: each sends an SMS, and an
// e-mail to the old address.
var emailChange = ratelimit.Rule{Name: "e-mail changed", Limit: 5, Window: 24 * time.Hour, Always: true}

// ChangeEmail changes the customer's e-mail address after checking the password. An
// SMS and an e-mail to the old address announce the new one, masked, and a code is sent
// to the new one, which confirms it.
//
// Errors: Invalid at email and password; TooMany; Conflict
// "customer.email_elsewhere" if it was changed meanwhile.
func (cs *Customers) ChangeEmail(ctx context.Context, id int64, password, address string) (failure error) {
	const op = "customer.email"
	fresh, badEmail := parseEmail(op, address)
	var badPassword error
	if password == "" {
		badPassword = fault.New(fault.Invalid, op, "customer.password_empty").At("password")
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil || holder.PasswordHash == "" {
		return fault.New(fault.NotFound, op, "")
	}
	if badEmail == nil && fresh == holder.Email {
		badEmail = fault.New(fault.Invalid, op, "customer.email_same").At("email")
	}
	if err := fault.Join(badEmail, badPassword); err != nil {
		return err
	}
	if err := cs.provePassword(ctx, op, holder, password); err != nil {
		return err
	}
	defer func() { cs.record(ctx, securitylog.EmailChange, subject{phone.Number(holder.Phone), id}, "", failure) }()
	if err := cs.o.Counters.Take(ctx, emailChange, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	withCode := cs.o.Email != nil
	if withCode {
		err := cs.limitEmailCode(ctx, id, fresh)
		if withCode = err == nil; err != nil && !fault.Is(err, fault.TooMany) {
			return err
		}
	}
	changed := false
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		changed, err = setEmail(tx, id, holder.PasswordHash, holder.Email, fresh)
		if err != nil || !changed {
			return err
		}
		if err := cs.addEmailNotices(ctx, tx, holder, fresh); err != nil || !withCode {
			return err
		}
		return cs.addEmailCode(ctx, tx, holder, fresh)
	})
	if err == nil && !changed {
		err = fault.New(fault.Conflict, op, "customer.email_elsewhere")
	}
	return fault.Wrap(op, err)
}

// addEmailNotices adds the SMS and the e-mail about a changed address.
func (cs *Customers) addEmailNotices(ctx context.Context, tx *database.Tx, before *Record, fresh string) error {
	event := fmt.Sprintf("customer:email:%d", tx.NewID())
	args := map[string]any{
		"Phone": phone.Number(before.Phone).Masked(), "Email": maskEmail(fresh), "At": formatTime(cs.o.Now()),
	}
	err := sms.Add(ctx, tx, sms.OutboxMessage(event, sms.Message{
		Phone: phone.Number(before.Phone), Lang: before.Lang, Key: "sms.email_changed", Args: map[string]any{"Email": args["Email"]},
	}))
	if err != nil || cs.o.Email == nil || before.Email == "" {
		return err
	}
	return outbox.Add(ctx, tx, email.OutboxMessage(event, email.Message{
		//mutant:replace before.Email => fresh TestChangeEmail
		To: before.Email, Lang: before.Lang, Subject: "email.email_changed.subject", Text: "email.email_changed.text", Args: args,
	}))
}

// maskEmail returns an address with all but the first character and the domain
// hidden; of a long domain it keeps the end.
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

// parseEmail parses an e-mail address, or returns fault.Invalid at email. Invisible
// characters are refused, not removed, so that the stored address is the one that
// was typed.
func parseEmail(op, text string) (string, error) {
	text = strings.TrimSpace(text)
	refuse := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, op, fault.Reason("customer.email_"+why)).At("email")
	}
	if text == "" {
		return refuse("empty")
	}
	if len(text) > EmailMax {
		return refuse("long")
	}
	//mutant:drop TestEmailRefusesInvisibleCharacters
	if strings.ContainsFunc(text, invisible) {
		return refuse("invisible")
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || strings.ContainsFunc(text, unicode.IsSpace) {
		return refuse("wrong")
	}
	at := strings.LastIndexByte(text, '@')
	local, domain := text[:at], text[at+1:]
	if len(local) > 64 || strings.ContainsAny(text, `"[]`) || !strings.Contains(domain, ".") {
		return refuse("wrong")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return refuse("wrong")
		}
	}
	if _, err := idna.Lookup.ToASCII(domain); err != nil {
		return refuse("wrong")
	}
	return text, nil
}

// invisible reports whether a character has no visible form of its own: control and
// format characters (soft hyphen, zero-width and bidirectional marks, BOM),
// variation selectors, fillers, unassigned and private ones. White space is not
// among them.
func invisible(r rune) bool {
	if unicode.IsSpace(r) {
		return false
	}
	return r == utf8.RuneError || !unicode.IsGraphic(r) ||
		unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

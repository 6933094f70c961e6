package customer

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// operationCodes bounds the codes that are sent for one operation: the first and
// three more.
const operationCodes = 4

// Operation is an operation of a browser session that the PIN or an SMS code
// confirms.
type Operation struct {
	// Key identifies it: "payment:7". It is also the key of CheckPIN.
	Key string
	// Text is the message key of the SMS, with Args besides Code.
	Text string
	Args map[string]any
	// Bound are the values that a code confirms: payee and sum. A code does not
	// confirm the operation with other values.
	Bound []string
}

// kind returns the kind of the operation, without its number.
func (o Operation) kind() string {
	kind, _, _ := strings.Cut(o.Key, ":")
	return kind
}

// Proof is what was typed to confirm an operation: the PIN if the wallet has one,
// otherwise the code.
type Proof struct{ PIN, Code string }

// operationTexts returns the texts of the keyed hash of an operation's code.
func operationTexts(c Customer, o Operation, code string) []string {
	//mutant:replace c.Browser.Session, o.Key => o.Key ./web TestCodeOfAnotherSessionIsRefused
	parts := append([]string{"operation", c.Browser.Session, o.Key, c.Phone.String()}, o.Bound...)
	return append(parts, code)
}

// Confirmation returns what is stored of an operation that c has confirmed in this
// browser session: a keyed hash of the two and of Bound, so that it can't be made by
// hand, and confirms nothing else.
func (cs *Customers) Confirmation(c Customer, o Operation) string {
	return cs.keys.Current().Sum(confirmationTexts(c, o)...)
}

// IsConfirmed reports whether stored is the Confirmation of this operation.
func (cs *Customers) IsConfirmed(stored string, c Customer, o Operation) bool {
	return cs.keys.Made(stored, confirmationTexts(c, o)...)
}

func confirmationTexts(c Customer, o Operation) []string {
	//mutant:replace c.Browser.Session, o.Key => o.Key ./web TestForgedConfirmations
	//mutant:replace o.Key, strconv => "", strconv ./web TestForgedConfirmations
	texts := []string{"confirmed", c.Browser.Session, o.Key, strconv.FormatInt(c.ID, 10)}
	//mutant:replace o.Bound... => nil... ./web TestForgedConfirmations
	return append(texts, o.Bound...)
}

// StartOperation sends the SMS code of an operation, unless the last one can still be
// used. It sends none for a wallet with a PIN.
//
// Errors: TooMany, also if the operation has had all its codes.
func (cs *Customers) StartOperation(ctx context.Context, c Customer, o Operation, from Origin) error {
	if c.HasPIN {
		return nil
	}
	return cs.startOperation(ctx, c, o, from)
}

func (cs *Customers) startOperation(ctx context.Context, c Customer, o Operation, from Origin) error {
	const op = "customer.operation"
	row, err := cs.operationCode(ctx, c.Browser.Session, o.Key)
	if err != nil {
		return fault.Wrap(op, err)
	}
	now := cs.o.Now()
	//mutant:replace row.Tries < codeTries => false ./web TestPressingPayAgainSendsOneCode
	if row != nil && row.UsedAt == nil && row.Tries < codeTries && now.Before(row.ExpiresAt) {
		return nil
	}
	return cs.sendOperationCode(ctx, op, c, o, row, from)
}

// ResendOperation sends another code in place of the last one, at the earliest a
// minute after it and at most three times for an operation.
//
// Errors: TooMany; NotFound if the session awaits no code.
func (cs *Customers) ResendOperation(ctx context.Context, c Customer, o Operation, from Origin) error {
	const op = "customer.operation.resend"
	row, err := cs.operationCode(ctx, c.Browser.Session, o.Key)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if row == nil || row.UsedAt != nil {
		return noCode(op)
	}
	if wait := row.SentAt.Add(ResendPause).Sub(cs.o.Now()); wait > 0 {
		return ratelimit.TooMany(op, wait)
	}
	return cs.sendOperationCode(ctx, op, c, o, row, from)
}

// sendOperationCode sends the first code, or one in place of last.
func (cs *Customers) sendOperationCode(ctx context.Context, op string, c Customer, o Operation, last *operationCode, from Origin) (failure error) {
	defer func() { cs.record(ctx, securitylog.CodeSent, subject{c.Phone, c.ID}, o.kind(), failure) }()
	now := cs.o.Now()
	//mutant:drop ./web TestCodesOfADraftAreBounded
	if last != nil && last.Codes >= operationCodes {
		return fault.New(fault.TooMany, op, "customer.operation_codes")
	}
	if err := cs.limitCode(ctx, c.Phone, from); err != nil {
		return err
	}
	code := sms.Code(CodeDigits)
	row := &operationCode{
		SessionKey: c.Browser.Session, Operation: o.Key, CustomerID: c.ID, CodeHash: cs.keys.Current().Sum(operationTexts(c, o, code)...),
		CreatedAt: now, SentAt: now, ExpiresAt: now.Add(CodeLife),
	}
	args := map[string]any{"Code": code}
	maps.Copy(args, o.Args)
	return fault.Wrap(op, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		var stored bool
		if last == nil {
			stored, err = insertOperationCode(tx, row)
		} else {
			stored, err = replaceOperationCode(tx, last, row.CodeHash, now)
		}
		if err != nil || !stored { // a concurrent request has sent one
			return err
		}
		return sms.Add(ctx, tx, cs.o.Sealer.OutboxMessage(fmt.Sprintf("customer:operation:%d", tx.NewID()), sms.Message{
			Phone: c.Phone, Lang: c.Lang, Key: o.Text, Args: args, Secret: true, Until: row.ExpiresAt,
		}))
	}))
}

// AwaitsCode reports whether the session awaits the code of an operation: one was
// sent within the last hour and was not used.
func (cs *Customers) AwaitsCode(ctx context.Context, sessionKey, operation string) (bool, error) {
	row, err := cs.operationCode(ctx, sessionKey, operation)
	return row != nil && row.UsedAt == nil && cs.o.Now().Before(row.ExpiresAt.Add(codeHistory)), fault.Wrap("customer.operation", err)
}

// ConfirmOperation verifies the PIN of a wallet that has one, otherwise the code, and
// makes the browser known. mark runs in the same transaction.
//
// Errors: those of CheckPIN at pin; Invalid at code; TooMany; NotFound if the session
// awaits no code, or it was used.
func (cs *Customers) ConfirmOperation(ctx context.Context, c Customer, o Operation, proof Proof, from Origin,
	mark func(tx *database.Tx) error,
) error {
	const op = "customer.operation.confirm"
	c, err := cs.checkLoginOf(ctx, op, c)
	if err != nil {
		return err
	}
	confirm := func(tx *database.Tx) error {
		if err := cs.markKnown(tx, c.ID, from, cs.o.Now()); err != nil {
			return err
		}
		return mark(tx)
	}
	if c.HasPIN {
		to := pinPurpose{use: ForPayment, key: o.Key}
		if c.PINOwed {
			to.use, to.epoch = ForSite, c.SessionEpoch
		}
		if _, err := cs.verifyPIN(ctx, op, c.ID, proof.PIN, to); err != nil {
			return err
		}
		return fault.Wrap(op, cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return confirm(tx) }))
	}
	row, err := cs.verifyOperationCode(ctx, op, c, o, proof.Code)
	if err != nil {
		return err
	}
	return cs.spendOperationCode(ctx, op, row, confirm)
}

// verifyOperationCode counts an attempt at a code and compares it.
func (cs *Customers) verifyOperationCode(ctx context.Context, op string, c Customer, o Operation, typed string) (row *operationCode, failure error) {
	code, err := parseCode(op, typed)
	if err != nil {
		return nil, err
	}
	defer func() { cs.record(ctx, securitylog.Code, subject{c.Phone, c.ID}, o.kind(), failure) }()
	row, err = cs.countOperationAttempt(ctx, c.Browser.Session, o.Key, cs.o.Now())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if row == nil {
		return nil, cs.operationCodeError(ctx, op, c.Browser.Session, o.Key)
	}
	//mutant:drop ./web TestWrongConfirmationCodePaysNothing
	if row.CustomerID != c.ID || !cs.keys.Made(row.CodeHash, operationTexts(c, o, code)...) {
		if row.Tries >= codeTries {
			return nil, fault.New(fault.Invalid, op, "customer.code_tries").At("code")
		}
		return nil, fault.New(fault.Invalid, op, "customer.code_wrong").At("code")
	}
	return row, nil
}

// operationCodeError returns the error for a code at which no attempt is possible.
func (cs *Customers) operationCodeError(ctx context.Context, op, sessionKey, operation string) error {
	row, err := cs.operationCode(ctx, sessionKey, operation)
	switch {
	case err != nil:
		return fault.Wrap(op, err)
	case row == nil || row.UsedAt != nil:
		return noCode(op)
	case row.Tries >= codeTries:
		return fault.New(fault.TooMany, op, "customer.code_tries").At("code").
			After(max(time.Second, row.SentAt.Add(ResendPause).Sub(cs.o.Now())))
	}
	return fault.New(fault.Invalid, op, "customer.code_expired").At("code")
}

// spendOperationCode marks a code as used and runs then in the same transaction.
func (cs *Customers) spendOperationCode(ctx context.Context, op string, row *operationCode, then func(tx *database.Tx) error) error {
	spent := false
	err := cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		if spent, err = useOperationCode(tx, row, cs.o.Now()); err != nil || !spent {
			return err
		}
		return then(tx)
	})
	if err == nil && !spent {
		err = noCode(op)
	}
	return fault.Wrap(op, err)
}

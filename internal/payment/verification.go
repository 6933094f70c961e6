package payment

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/money"
	"elsom/internal/ratelimit"
)

// Limits of verifications by code, sum and day, which strangers type: by network, and of
// one code. They stay on without rate limits, since they keep codes from being guessed.
var (
	//mutant:replace Limit: 20, => Limit: 200, ./web TestVerificationIsCounted
	verifyByNetwork = ratelimit.Rule{Name: "receipts verified by network", Limit: 20, Window: time.Hour, Always: true}
	//mutant:replace Limit: 10, => Limit: 100, ./web TestVerificationIsCounted
	verifyByCode = ratelimit.Rule{Name: "receipt verified by code", Limit: 10, Window: time.Hour, Always: true}
)

// unknownReceipt is the reason of an error about a claim that is not true, whatever is
// wrong with it.
const unknownReceipt fault.Reason = "payment.receipt_unknown"

// digestSize is the size of a token's digest: 128 bits can't be guessed.
const digestSize = 16

// VerificationToken returns the token with which a receipt is verified without a login;
// empty while the payment is processing. It is the payment's id and a digest of what never
// changes of it, so that it needs no row, outlives every key, and stops to match if the
// payment's row is changed.
func (p Payment) VerificationToken() string {
	if p.State == Processing {
		return ""
	}
	record := p.Record()
	digest := sha256.Sum256(append([]byte("elsom receipt "), record.Bytes()...))
	record.Release()
	token := binary.BigEndian.AppendUint64(nil, uint64(p.ID))
	return base64.RawURLEncoding.EncodeToString(append(token, digest[:digestSize]...))
}

// ByToken returns the payment of a verification token that has ended; fault.NotFound for
// any other token.
func (ps *Payments) ByToken(ctx context.Context, token string) (Payment, error) {
	const op = "payment.verify"
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 8+digestSize {
		return Payment{}, fault.New(fault.NotFound, op, "")
	}
	p, err := ps.reading.Do(ctx, int64(binary.BigEndian.Uint64(raw)))
	if err != nil {
		return Payment{}, fault.Wrap(op, err)
	}
	//mutant:replace || !hmac.Equal([]byte(p.VerificationToken()), []byte(token)) => TestGuessedTokensAreNotFound
	if p == nil || !hmac.Equal([]byte(p.VerificationToken()), []byte(token)) {
		return Payment{}, fault.New(fault.NotFound, op, "")
	}
	return ps.genuine(ctx, *p)
}

// genuine returns the payment if it is as it was signed.
func (ps *Payments) genuine(ctx context.Context, p Payment) (Payment, error) {
	mac, keyID := p.Signature()
	record := p.Record()
	defer record.Release()
	//mutant:drop TestChangedPaymentIsNotVerified
	if err := ps.db.Verify(ctx, record, mac, keyID); err != nil {
		return Payment{}, err
	}
	return p, ps.db.WaitDurable(ctx, confirmKey(p.ID, p.State))
}

// ReceiptClaim has the fields of the verification form, as they were typed.
type ReceiptClaim struct{ Code, Sum, Day string }

// Verify returns the completed payment that a claim is about. The sum may be with the fee
// or without. Tries are counted by the network of the address and by code.
//
// Errors: Invalid at code, amount and day; Invalid without a field, the same for a code
// that doesn't exist, a payment that was not completed, and another sum or day; TooMany.
func (ps *Payments) Verify(ctx context.Context, c ReceiptClaim, address string) (Payment, error) {
	const op = "payment.verify"
	code, badCode := parseCode(op, c.Code)
	sum, badSum := parseAmount(op, c.Sum)
	day, badDay := parseDay(op, c.Day)
	if err := fault.Join(badCode, badSum, badDay); err != nil {
		return Payment{}, err
	}
	if err := ps.counters.Take(ctx, verifyByNetwork, ratelimit.Network(address)); err != nil {
		return Payment{}, err
	}
	if err := ps.counters.Take(ctx, verifyByCode, code); err != nil {
		return Payment{}, err
	}
	p, err := readByCode(ctx, ps.db, code)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Payment{}, fault.Wrap(op, err)
	}
	//mutant:replace p.State != Completed || => ./web TestVerificationByCode
	//mutant:replace p.Total() != sum || => p.Total() != sum && false || ./web TestVerificationByCode
	//mutant:replace !sameDay(p.AcceptedAt, day) => day.IsZero() ./web TestVerificationByCode
	if err != nil || p.State != Completed || p.Amount != sum && p.Total() != sum || !sameDay(p.AcceptedAt, day) {
		return Payment{}, fault.New(fault.Invalid, op, unknownReceipt)
	}
	return ps.genuine(ctx, p)
}

func parseCode(op, text string) (string, error) {
	code := input.Digits(text)
	if !ValidCode(code) {
		return "", fault.New(fault.Invalid, op, "payment.receipt_code").At("code")
	}
	return code, nil
}

func parseAmount(op, text string) (money.Amount, error) {
	sum, err := money.Parse(text)
	if err != nil || sum <= 0 {
		return 0, fault.New(fault.Invalid, op, "payment.receipt_sum").At("amount")
	}
	return sum, nil
}

// dayForms are the forms of a day: as on the receipt, and as browsers send it.
var dayForms = []string{"2.1.2006", "2006-01-02"}

func parseDay(op, text string) (time.Time, error) {
	for _, form := range dayForms {
		if day, err := time.Parse(form, input.Clean(text)); err == nil {
			return day, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, op, "payment.receipt_day").At("day")
}

// sameDay reports whether a time is on the day in Bishkek.
func sameDay(at, day time.Time) bool {
	return at.In(customer.Bishkek).Format(time.DateOnly) == day.Format(time.DateOnly)
}

// Seal is the state of a payment that the signed log proves.
type Seal struct {
	State   State // Processing: its end is not in the log
	Records int64 // of the log at its newest checkpoint
	At      time.Time
}

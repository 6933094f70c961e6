package ussd

import (
	"context"
	"strconv"
	"strings"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

// opInput is the input of an operation besides the state.
type opInput struct {
	op      Op
	text    string
	number  phone.Number
	gateway string
}

// runOp runs an operation. Each is idempotent: run again with the same state, it
// has no second effect.
func (h *Handler) runOp(ctx context.Context, s State, in opInput) (r Result) {
	switch in.op {
	case opCheckName:
		r.Name, r.Err = customer.CheckName(in.text)
		return r
	case opRegister:
		//mutant:replace s.Offer => customer.OfferVersion TestAcceptedOfferIsTheOneShown
		_, r.Err = h.customers.RegisterByUSSD(ctx, customer.USSDSignup{
			Phone: in.number, Name: s.Name, INN: s.INN, Lang: s.Lang, OfferVersion: s.Offer, Gateway: in.gateway,
		})
		return r
	}
	// Read for each operation: the wallet may have been blocked or closed since the
	// session began.
	holder, err := h.customers.ByID(ctx, s.Customer)
	//mutant:drop TestWalletBlockedDuringSession
	if err == nil && holder.Blocked {
		err = fault.New(fault.Forbidden, "ussd.op", "customer.blocked")
	}
	if err == nil && holder.Closed {
		err = fault.New(fault.Forbidden, "ussd.op", "customer.closed")
	}
	if err != nil {
		return Result{Err: err}
	}
	if !triesPIN[in.op] {
		return h.runForCustomer(ctx, holder, s, in)
	}
	//mutant:drop ./web TestGatewayWithManyWrongPINsIsSlowedDown
	if err := h.pins.wait(ctx, in.gateway); err != nil {
		return Result{Err: err}
	}
	r = h.runForCustomer(ctx, holder, s, in)
	h.pins.record(context.WithoutCancel(ctx), in.gateway, r.Err)
	return r
}

// runForCustomer runs the operations of a customer with money.
func (h *Handler) runForCustomer(ctx context.Context, holder customer.Customer, s State, in opInput) (r Result) {
	switch in.op {
	case opQuote:
		r.Check, r.Err = h.quote(ctx, holder, s, in)
	case opPay:
		r.Code, r.Err = h.pay(ctx, holder, s, in)
	case opQuoteTransfer:
		r.Check, r.Err = h.quoteTransfer(ctx, holder, s, in)
	case opTransfer:
		r.Err = h.transfer(ctx, holder, s, in)
	case opBalance:
		if r.Err = h.customers.CheckPIN(ctx, holder.ID, in.text, customer.ForBalance, ""); r.Err == nil {
			r.Balance, r.Err = h.wallets.Balance(ctx, holder.ID)
		}
	case opListOperations:
		if r.Err = h.customers.CheckPIN(ctx, holder.ID, in.text, customer.ForBalance, ""); r.Err == nil {
			r.Operations, r.Err = h.operations(ctx, holder, s)
		}
	default:
		return h.runForPIN(ctx, s, in)
	}
	return r
}

// runForPIN runs the operations on the PIN and the language.
func (h *Handler) runForPIN(ctx context.Context, s State, in opInput) (r Result) {
	switch in.op {
	case opSetLanguage:
		r.Err = h.customers.SetLanguage(ctx, s.Customer, s.Lang)
	case opProvePIN:
		r.Proof, r.Err = h.customers.VerifyOldPIN(ctx, s.Customer, in.text)
	case opCheckNewPIN:
		r.NewPINHash, r.Err = h.sessions.Hash(pinTexts(s, in.text)...), h.customers.CheckNewPIN(ctx, s.Customer, in.text)
	case opChangePIN:
		r.Err = h.changePIN(ctx, s, in.text)
	case opResendPIN:
		r.Err = h.customers.ResendPIN(ctx, s.Customer)
	}
	return r
}

func (h *Handler) quote(ctx context.Context, holder customer.Customer, s State, in opInput) (Check, error) {
	draft, err := h.payments.Quote(ctx, holder, payment.Order{
		Service: s.Service, Identifier: s.Account, Amount: in.text, Channel: customer.USSD,
		// All callers share the gateway's address; the number limits one caller.
		Address: in.number.String(),
	})
	if err != nil {
		return Check{}, err
	}
	service, err := h.catalog.Service(ctx, draft.Service)
	return Check{
		Draft: draft.ID, Account: draft.Identifier, INN: isINN(service), Name: singleLine(draft.Payee),
		Amount: draft.Amount, Fee: draft.Fee,
	}, err
}

// singleLine shortens a name from outside to one line of a screen.
func singleLine(name string) string { return cut(strings.Join(strings.Fields(name), " "), MaxOctets/2) }

func (h *Handler) pay(ctx context.Context, holder customer.Customer, s State, in opInput) (code string, err error) {
	key := payment.PINKey(s.Check.Draft)
	//mutant:replace ForPayment, key => ForBalance, "" TestPINFromSMS
	if err := h.customers.CheckPIN(ctx, holder.ID, in.text, customer.ForPayment, key); err != nil {
		return "", err
	}
	accepted, err := h.payments.Accept(ctx, holder, customer.USSD, s.Check.Draft)
	if err != nil {
		return "", h.returnPIN(ctx, holder, key, err)
	}
	return accepted.Payment.Code, nil
}

func (h *Handler) quoteTransfer(ctx context.Context, holder customer.Customer, s State, in opInput) (Check, error) {
	draft, err := h.transfers.Quote(ctx, holder, transfer.Order{Phone: s.Receiver, Amount: in.text, Channel: customer.USSD})
	return Check{
		Draft: draft.ID, Phone: plain(draft.Phone.Pretty()), Name: singleLine(draft.Receiver), Amount: draft.Amount, Fee: draft.Fee,
	}, err
}

func (h *Handler) transfer(ctx context.Context, holder customer.Customer, s State, in opInput) error {
	key := transfer.Key(s.Check.Draft)
	if err := h.customers.CheckPIN(ctx, holder.ID, in.text, customer.ForPayment, key); err != nil {
		return err
	}
	if _, err := h.transfers.Accept(ctx, holder, customer.USSD, s.Check.Draft); err != nil {
		return h.returnPIN(ctx, holder, key, err)
	}
	return nil
}

// returnPIN makes the PIN of an SMS usable again when the payment that it confirmed
// was refused for good.
func (h *Handler) returnPIN(ctx context.Context, holder customer.Customer, key string, why error) error {
	switch fault.KindOf(why) {
	case fault.Unknown, fault.Unavailable, fault.Internal:
		return why
	}
	f := *fault.As(why)
	f.Field = "" // the session ends: nothing can be typed again
	if err := h.customers.ReturnPIN(ctx, holder.ID, key); err != nil {
		h.log.WarnContext(ctx, "ussd: PIN not returned after a refused payment", "error", err)
	}
	return &f
}

// changePIN compares the new PIN with its first input and replaces the PIN that the
// state's proof is for.
func (h *Handler) changePIN(ctx context.Context, s State, repeated string) error {
	//mutant:drop TestPINChangeAndLock
	if !h.sessions.Made(s.NewPINHash, pinTexts(s, repeated)...) {
		return fault.New(fault.Invalid, "ussd.change_pin", "ussd.word.pin_differs").At("pin")
	}
	return h.customers.ChangePINByProof(ctx, s.Customer, s.Proof, repeated)
}

// pinTexts returns the texts of the keyed hash of a new PIN.
func pinTexts(s State, pin string) []string {
	return []string{"pin", strconv.FormatInt(s.Customer, 10), s.Proof, input.Digits(pin)}
}

// maxOperations is the number of operations stored for the screens.
const maxOperations = 9

func (h *Handler) operations(ctx context.Context, holder customer.Customer, s State) ([]Operation, error) {
	_, latest, err := h.wallets.Latest(ctx, holder.ID, maxOperations)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, o := range latest {
		if o.PaymentID != 0 {
			ids = append(ids, o.PaymentID)
		}
	}
	payments, err := h.payments.ByIDs(ctx, holder.ID, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Operation, len(latest))
	for i, o := range latest {
		list[i] = Operation{Day: o.At.In(customer.Bishkek).Format("02.01"), Amount: o.Amount}
		list[i].What, list[i].Key = h.describe(ctx, s, o, payments)
	}
	return list, nil
}

// describe returns the name of the service that was paid, or a message key.
func (h *Handler) describe(ctx context.Context, s State, o wallet.Operation, payments map[int64]payment.Payment) (text string, key bool) {
	switch o.Kind {
	case wallet.Payment:
		if service, err := h.catalog.ServiceOfRecord(ctx, payments[o.PaymentID].Service); err == nil {
			return nameOf(service, s.Lang), false
		}
	case wallet.CashIn:
		return "ussd.cashin", true
	case wallet.Refund:
		return "ussd.refund", true
	case wallet.Sent, wallet.Received:
		return "ussd.transfer", true
	}
	return "ussd.correction", true
}

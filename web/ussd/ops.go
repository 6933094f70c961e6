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

// opInput is what an act has to know besides the state.
type opInput struct {
	op      Op
	input   string
	number  phone.Number
	gateway string
}

// runOp asks the house. Each act may be asked again with the same state: what was
// done then is not done a second time.
func (d *Handler) runOp(ctx context.Context, s State, a opInput) (r Result) {
	switch a.op {
	case opCheckName:
		r.Name, r.Err = customer.CheckName(a.input)
		return r
	case opRegister:
		//mutant:replace s.Offer => customer.OfferVersion TestOfferThatWasShown
		_, r.Err = d.Customers.RegisterByUSSD(ctx, customer.USSDSignup{
			Phone: a.number, Name: s.Name, INN: s.INN, Lang: s.Lang, OfferVersion: s.Offer, Gateway: a.gateway,
		})
		return r
	}
	// Read now: the wallet may have been blocked or closed since the session began.
	holder, err := d.Customers.ByID(ctx, s.Customer)
	//mutant:drop TestBlockedMeanwhile
	if err == nil && holder.Blocked {
		err = fault.New(fault.Forbidden, "ussd.act", "customer.blocked")
	}
	if err == nil && holder.Closed {
		err = fault.New(fault.Forbidden, "ussd.act", "customer.closed")
	}
	if err != nil {
		return Result{Err: err}
	}
	if !triesPIN[a.op] {
		return d.runForCustomer(ctx, holder, s, a)
	}
	//mutant:drop ./web TestGatewayWithManyWrongPINsIsSlowedDown
	if err := d.pins.wait(ctx, a.gateway); err != nil {
		return Result{Err: err}
	}
	r = d.runForCustomer(ctx, holder, s, a)
	d.pins.record(context.WithoutCancel(ctx), a.gateway, r.Err)
	return r
}

// runForCustomer asks the house for a holder of a wallet.
func (d *Handler) runForCustomer(ctx context.Context, holder customer.Customer, s State, a opInput) (r Result) {
	switch a.op {
	case opQuote:
		r.Check, r.Err = d.quote(ctx, holder, s, a)
	case opPay:
		r.Code, r.Err = d.pay(ctx, holder, s, a)
	case opQuoteTransfer:
		r.Check, r.Err = d.quoteTransfer(ctx, holder, s, a)
	case opTransfer:
		r.Err = d.transfer(ctx, holder, s, a)
	case opBalance:
		if r.Err = d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForBalance, ""); r.Err == nil {
			r.Balance, r.Err = d.Wallets.Balance(ctx, holder.ID)
		}
	case opListOperations:
		if r.Err = d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForBalance, ""); r.Err == nil {
			r.Operations, r.Err = d.operations(ctx, holder, s)
		}
	default:
		return d.runForPIN(ctx, s, a)
	}
	return r
}

// runForPIN does what is about the PIN and the language, not about money.
func (d *Handler) runForPIN(ctx context.Context, s State, a opInput) (r Result) {
	switch a.op {
	case opSetLanguage:
		r.Err = d.Customers.SetLanguage(ctx, s.Customer, s.Lang)
	case opProvePIN:
		r.Proof, r.Err = d.Customers.ProvePIN(ctx, s.Customer, a.input)
	case opCheckNewPIN:
		r.Mark, r.Err = d.pinHash(s, a.input), d.Customers.CheckNewPIN(ctx, s.Customer, a.input)
	case opChangePIN:
		r.Err = d.changePIN(ctx, s, a.input)
	case opResendPIN:
		r.Err = d.Customers.ResendPIN(ctx, s.Customer)
	}
	return r
}

func (d *Handler) quote(ctx context.Context, holder customer.Customer, s State, a opInput) (Check, error) {
	draft, err := d.Payments.Quote(ctx, holder, payment.Order{
		Service: s.Service, Identifier: s.Account, Amount: a.input, Channel: customer.USSD,
		// A gateway's address is everybody's; a number is one person's.
		Address: a.number.String(),
	})
	if err != nil {
		return Check{}, err
	}
	service, err := d.Catalog.Service(ctx, draft.Service)
	return Check{
		Draft: draft.ID, Account: draft.Identifier, INN: isINN(service), Name: singleLine(draft.Payee),
		Amount: draft.Amount, Fee: draft.Fee,
	}, err
}

// singleLine keeps a name that others told from breaking the screen.
func singleLine(name string) string { return cut(strings.Join(strings.Fields(name), " "), MaxOctets/2) }

func (d *Handler) pay(ctx context.Context, holder customer.Customer, s State, a opInput) (code string, err error) {
	key := payment.PINKey(s.Check.Draft)
	//mutant:replace ForPayment, key => ForBalance, "" TestPINOfTheSMS
	if err := d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForPayment, key); err != nil {
		return "", err
	}
	accepted, err := d.Payments.Accept(ctx, holder, customer.USSD, s.Check.Draft)
	if err != nil {
		return "", d.returnPIN(ctx, holder, key, err)
	}
	return accepted.Payment.Code, nil
}

func (d *Handler) quoteTransfer(ctx context.Context, holder customer.Customer, s State, a opInput) (Check, error) {
	draft, err := d.Transfers.Quote(ctx, holder, transfer.Order{Phone: s.Receiver, Amount: a.input, Channel: customer.USSD})
	return Check{
		Draft: draft.ID, Phone: plain(draft.Phone.Pretty()), Name: singleLine(draft.Receiver), Amount: draft.Amount, Fee: draft.Fee,
	}, err
}

func (d *Handler) transfer(ctx context.Context, holder customer.Customer, s State, a opInput) error {
	key := transfer.Key(s.Check.Draft)
	if err := d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForPayment, key); err != nil {
		return err
	}
	if _, err := d.Transfers.Accept(ctx, holder, customer.USSD, s.Check.Draft); err != nil {
		return d.returnPIN(ctx, holder, key, err)
	}
	return nil
}

// returnPIN gives a PIN that came by SMS its one use back where nothing was paid
// with it, and none of it will be.
func (d *Handler) returnPIN(ctx context.Context, holder customer.Customer, key string, why error) error {
	switch fault.KindOf(why) {
	case fault.Unknown, fault.Unavailable, fault.Internal:
		return why
	}
	f := *fault.As(why)
	f.Field = "" // nothing more is typed in this dialogue
	if err := d.Customers.ReturnPIN(ctx, holder.ID, key); err != nil {
		d.log.WarnContext(ctx, "ussd: a PIN was used for nothing", "error", err)
	}
	return &f
}

// changePIN compares the new PIN with what was typed before, and puts it in the
// place of the one that was proved.
func (d *Handler) changePIN(ctx context.Context, s State, again string) error {
	//mutant:drop TestPINOverDialogues
	if d.pinHash(s, again) != s.Mark {
		return fault.New(fault.Invalid, "ussd.change_pin", "ussd.word.pin_differs").At("pin")
	}
	return d.Customers.ChangeProvenPIN(ctx, s.Customer, s.Proof, again)
}

func (d *Handler) pinHash(s State, pin string) string {
	return d.Sessions.Hash("pin", strconv.FormatInt(s.Customer, 10), s.Proof, input.Digits(pin))
}

// shown is how many operations are kept for the screens.
const maxOperations = 9

func (d *Handler) operations(ctx context.Context, holder customer.Customer, s State) ([]Operation, error) {
	latest, err := d.Wallets.Latest(ctx, holder.ID, maxOperations)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, o := range latest {
		if o.PaymentID != 0 {
			ids = append(ids, o.PaymentID)
		}
	}
	payments, err := d.Payments.Several(ctx, holder.ID, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Operation, len(latest))
	for i, o := range latest {
		list[i] = Operation{Day: o.At.In(customer.Bishkek).Format("02.01"), Amount: o.Amount}
		list[i].What, list[i].Key = d.describe(ctx, s, o, payments)
	}
	return list, nil
}

// describe names an operation: the service that was paid, or what it was.
func (d *Handler) describe(ctx context.Context, s State, o wallet.Operation, payments map[int64]payment.Payment) (text string, key bool) {
	switch o.Kind {
	case wallet.Payment:
		if service, err := d.Catalog.ServiceOfRecord(ctx, payments[o.PaymentID].Service); err == nil {
			return nameOf(service, s.Lang), false
		}
	case wallet.CashIn:
		return "ussd.cashin", true
	case wallet.Refund:
		return "ussd.refund", true
	case wallet.Sent, wallet.Got:
		return "ussd.transfer", true
	}
	return "ussd.correction", true
}

package portal

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
	"elsom/templates/page"
)

// operations returns a wallet's operations as the pages show them. The payments,
// transfers and agents that they refer to are read in one query each, except payments that
// are known.
func (p *Portal) operations(ctx context.Context, holder customer.Customer, lang i18n.Lang, list []wallet.Operation, known ...payment.Payment) ([]page.Operation, error) {
	about := references{payments: make(map[int64]payment.Payment, len(list))}
	for _, paid := range known {
		about.payments[paid.ID] = paid
	}
	var paid, sent []int64
	for _, o := range list {
		switch {
		case o.PaymentID != 0:
			if _, is := about.payments[o.PaymentID]; is {
				continue
			}
			paid = append(paid, o.PaymentID)
		case o.TransferID != 0:
			sent = append(sent, o.TransferID)
		}
	}
	read, err := p.services.Payments.ByIDs(ctx, holder.ID, paid)
	if err != nil {
		return nil, err
	}
	maps.Copy(about.payments, read)
	if about.transfers, err = p.services.Transfers.ByIDs(ctx, holder.ID, sent); err != nil {
		return nil, err
	}
	if about.agents, err = p.agentNames(ctx, list); err != nil {
		return nil, err
	}
	pages := make([]page.Operation, len(list))
	for i, o := range list {
		if pages[i], err = p.operation(ctx, lang, o, about); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// references are the rows that operations refer to: payments and transfers by id,
// names of agents by code.
type references struct {
	payments  map[int64]payment.Payment
	transfers map[int64]transfer.Transfer
	agents    map[string]string
}

func (p *Portal) operation(ctx context.Context, lang i18n.Lang, o wallet.Operation, about references) (page.Operation, error) {
	view := page.Operation{
		Href: "/history/" + strconv.FormatInt(o.ID, 10), Kind: page.Kind(o.Kind),
		Amount: o.Amount, Status: page.Completed, At: o.At,
	}
	if o.PaymentID == 0 && o.TransferID == 0 && o.Kind != wallet.CashIn && o.Kind != wallet.Other {
		// Posted by an earlier release beside this one, which stored no subject.
		view.Name = lang.T("frame.brand")
		return view, nil
	}
	switch o.Kind {
	case wallet.Payment, wallet.Refund:
		paid := about.payments[o.PaymentID]
		service, err := p.services.Catalog.ServiceOfRecord(ctx, paid.Service)
		if err != nil {
			return view, err
		}
		view.Href = receiptHref(paid.ID)
		view.Name, view.Detail = service.Name.In(string(lang)), paymentDetail(service, paid)
		view.Party, view.Number = paid.Payee, pretty(service, paid.Identifier)
		if o.Kind == wallet.Payment {
			view.Status = page.Status(paid.State)
		}
	case wallet.CashIn:
		view.Name = cmp.Or(about.agents[o.Agent], o.Agent)
	case wallet.Sent:
		t := about.transfers[o.TransferID]
		view.Href = transferReceiptHref(t.ID)
		view.Name, view.Detail = otherSide(t.Receiver, t.ReceiverPhone)
		view.Party, view.Number = t.Receiver, t.ReceiverPhone.Pretty()
	case wallet.Received:
		t := about.transfers[o.TransferID]
		view.Href = transferReceiptHref(t.ID)
		view.Name, view.Detail = otherSide(t.Sender, t.SenderPhone)
		view.Party, view.Number = t.Sender, t.SenderPhone.Pretty()
	case wallet.Other:
		view.Kind, view.Name = page.Correction, lang.T("frame.brand")
	}
	return view, nil
}

// otherSide returns how a row shows the other side of a transfer: name and number,
// or the number alone, with spaces at which a narrow row can break.
func otherSide(name string, number phone.Number) (title, detail string) {
	if name == "" {
		return strings.ReplaceAll(number.Pretty(), "\u00a0", " "), ""
	}
	return name, number.Pretty()
}

// agentNames returns the agents' names by code. It reads none if no operation is a
// cash-in.
func (p *Portal) agentNames(ctx context.Context, list []wallet.Operation) (map[string]string, error) {
	if !slices.ContainsFunc(list, func(o wallet.Operation) bool { return o.Kind == wallet.CashIn }) {
		return map[string]string{}, nil
	}
	return p.agentNamesOfAll(ctx)
}

// agentNamesOfAll returns the names of all agents by code.
func (p *Portal) agentNamesOfAll(ctx context.Context) (map[string]string, error) {
	agents, err := p.services.Agents.ListAgents(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(agents))
	for _, a := range agents {
		names[a.Code] = a.Name
	}
	return names, nil
}

// pretty returns an account identifier in readable form.
func pretty(service catalog.Service, identifier string) string {
	if service.Identifier == catalog.KindINN {
		return inn.INN(identifier).Grouped()
	}
	return identifier
}

// paymentDetail distinguishes payments for one service: the account holder's name
// with the last digits of the identifier, or the whole identifier if there is no
// name.
func paymentDetail(service catalog.Service, paid payment.Payment) string {
	if paid.Payee == "" {
		return pretty(service, paid.Identifier)
	}
	return paid.Payee + " · " + shortAccount(service, paid.Identifier)
}

// shortAccount returns the last digits of an ИНН, and other identifiers whole.
func shortAccount(service catalog.Service, identifier string) string {
	if masked := inn.INN(identifier).Masked(); service.Identifier == catalog.KindINN && masked != "" {
		return masked
	}
	return pretty(service, identifier)
}

// payeeLabel returns the label of the name that a biller returns: that of the
// account's holder, who is not the receiver of the money.
func payeeLabel(lang i18n.Lang, service catalog.Service) string {
	if service.Identifier == catalog.KindINN {
		return lang.T("portal.check.company")
	}
	return lang.T("portal.check.holder")
}

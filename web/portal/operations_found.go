package portal

import (
	"context"

	"github.com/labstack/echo/v4"

	"elsom/internal/history"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
	"elsom/templates/page"
)

// found returns operations as the pages show them. They have all that they refer to,
// except the names of agents.
func (p *Portal) found(c echo.Context, list []history.Operation) ([]page.Operation, error) {
	agents, err := p.agentNames(ctx(c), walletOperations(list))
	if err != nil {
		return nil, err
	}
	pages := make([]page.Operation, len(list))
	for i, o := range list {
		if pages[i], err = p.foundOne(ctx(c), c, o, agents); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// walletOperations returns operations as the wallet's statement has them.
func walletOperations(list []history.Operation) []wallet.Operation {
	same := make([]wallet.Operation, len(list))
	for i, o := range list {
		same[i] = wallet.Operation{
			ID: o.ID, Kind: wallet.Kind(o.Kind), PaymentID: o.PaymentID, TransferID: o.TransferID, Agent: o.Agent, Amount: o.Amount, At: o.At,
		}
	}
	return same
}

// foundOne returns one operation as the pages show it.
func (p *Portal) foundOne(ctx context.Context, c echo.Context, o history.Operation, agents map[string]string) (page.Operation, error) {
	about := references{agents: agents}
	if o.PaymentID != 0 {
		about.payments = map[int64]payment.Payment{o.PaymentID: {
			ID: o.PaymentID, Service: o.Service, Identifier: o.Identifier, Payee: o.Payee, State: payment.State(o.State),
		}}
	}
	if o.TransferID != 0 {
		t := transfer.Transfer{ID: o.TransferID}
		if o.Kind == history.Sent {
			t.Receiver, t.ReceiverPhone = o.Party, phone.Number(o.PartyPhone)
		} else {
			t.Sender, t.SenderPhone = o.Party, phone.Number(o.PartyPhone)
		}
		about.transfers = map[int64]transfer.Transfer{o.TransferID: t}
	}
	view, err := p.operation(ctx, lang(c), walletOperations([]history.Operation{o})[0], about)
	return view, err
}

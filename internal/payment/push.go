package payment

import (
	"context"
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/notify/push"
	"elsom/internal/outbox"
)

// pushRiders returns riders that queue the push notifications about a payment's
// end. Errors are only logged, because an SMS with the same content is queued too.
// The notifications have no identifier, because a locked screen may show them.
func (ps *Payments) pushRiders(ctx context.Context, p Payment, holder customer.Customer, state State) []database.Rider {
	if ps.push == nil {
		return nil
	}
	messages, err := ps.pushMessages(ctx, p, holder, state)
	if err != nil {
		logOf(p).WarnContext(ctx, "payment: preparing push notifications failed", "error", err)
	}
	riders := make([]database.Rider, len(messages))
	for i, message := range messages {
		riders[i] = outbox.AddRider(message)
	}
	return riders
}

func (ps *Payments) pushMessages(ctx context.Context, p Payment, holder customer.Customer, state State) ([]outbox.Message, error) {
	service, err := ps.catalog.ServiceOfRecord(ctx, p.Service)
	if err != nil {
		return nil, err
	}
	id := strconv.FormatInt(p.ID, 10)
	message := push.Message{
		Title: "push.payment_completed", Text: "push.payment_text", Href: "/receipt/" + id,
		Args: map[string]any{"Service": service.Name.In(holder.Lang), "Amount": p.Total()},
	}
	if state == Refunded {
		message.Title = "push.payment_refunded"
	}
	to := push.Holder{ID: holder.ID, Epoch: holder.SessionEpoch, Lang: holder.Lang}
	return ps.push.OutboxMessages(ctx, to, "payment:"+id+":"+string(state), message)
}

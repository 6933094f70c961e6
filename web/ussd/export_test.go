package ussd

import (
	"context"

	"elsom/internal/fault"
	"elsom/internal/phone"
)

// Sentence returns the last screen, in Russian, of a session that ended by a fault
// of a kind.
func Sentence(kind fault.Kind) string {
	return State{Lang: "ru"}.end(message(kindMessages[kind])).Screen(Listing{}).Text
}

// Register runs the last step of a registration that showed an edition of the
// offer.
func (h *Handler) Register(ctx context.Context, number phone.Number, name, person, offer string) string {
	s := State{Step: stepOffer, Lang: "ru", Name: name, INN: person, Offer: offer}
	return s.Finish(opRegister, h.runOp(ctx, s, opInput{op: opRegister, number: number, gateway: "ussd"})).Screen(Listing{}).Text
}

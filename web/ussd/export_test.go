package ussd

import (
	"context"

	"elsom/internal/fault"
	"elsom/internal/phone"
)

// Sentence is what a person reads, in Russian, when a kind of fault ends a
// dialogue.
func Sentence(kind fault.Kind) string {
	return State{Lang: "ru"}.end(message(kindMessages[kind])).Screen(Listing{}).Text
}

// Register is the last step of a registration that was shown an edition of the
// offer.
func (h *Handler) Register(ctx context.Context, number phone.Number, name, person, offer string) string {
	s := State{Step: stepOffer, Lang: "ru", Name: name, INN: person, Offer: offer}
	return s.Finish(opRegister, h.runOp(ctx, s, opInput{op: opRegister, number: number, gateway: "ussd"})).Screen(Listing{}).Text
}

package payment

import "elsom/internal/biller"

// verdict is what an answer to a pay call means for the payment.
type verdict int

const (
	// retry: the payment stays processing, and the call is repeated with the same
	// txn_id.
	retry verdict = iota
	// review: like retry, and the payment is listed for staff.
	review
	settle
	refund
)

// verdictOn applies the rules agreed with billers. A refusal leads to a refund only
// if no earlier attempt is unknown, that is, may have reached the biller without a
// final answer: the biller may refuse a repeated txn_id because it has booked it.
// The exception is a biller that by contract answers a repeated txn_id with its
// stored outcome.
func verdictOn(answer biller.Answer, unknownBefore, answersStoredOutcome bool) verdict {
	switch answer.Outcome {
	case biller.Good:
		return settle
	//mutant:replace Refused => Unknown: return refund; case biller.Refused ./internal/simulation TestSimulation
	case biller.Refused:
		//mutant:drop TestVerdictOnAnswers
		if unknownBefore && !answersStoredOutcome {
			return review
		}
		return refund
	}
	//mutant:replace retry => refund TestVerdictOnAnswers
	return retry
}

// ground is the reason for a refund; the audit checks it.
type ground string

const (
	// groundRefused: a refusal, and no earlier attempt was unknown.
	groundRefused ground = "refused"
	// groundStored: a refusal by a biller that answers stored outcomes.
	groundStored ground = "stored"
	// groundDecided: two members of staff decided.
	groundDecided ground = "decided"
)

// refundGround returns the ground of a refund that verdictOn decided.
func refundGround(answersStoredOutcome bool) ground {
	if answersStoredOutcome {
		return groundStored
	}
	return groundRefused
}

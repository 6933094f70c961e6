package payment

import "elsom/internal/biller"

// verdict is what an answer to a pay means for the payment.
type verdict int

const (
	// again: it stays processing and the same txn_id is sent again.
	again verdict = iota
	// ask: the same, and it is listed for a person.
	ask
	settle
	refund
)

// judge decides by the rules agreed with billers. A refusal gives the money
// back only when no earlier attempt is unknown: it may describe the state
// after a booking that we never heard of. A biller that by contract answers a
// repeated txn_id with its stored outcome can be believed at once.
func judge(answer biller.Answer, unknownBefore, answersStoredOutcome bool) verdict {
	switch answer.Outcome {
	case biller.Good:
		return settle
	case biller.Refused:
		if unknownBefore && !answersStoredOutcome {
			return ask
		}
		return refund
	}
	return again
}

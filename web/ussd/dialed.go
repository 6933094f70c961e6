package ussd

import (
	"context"
	"slices"
	"strings"
)

// dialedInputs returns the inputs in a service code: 3 and 3 of *900*3*3#.
func dialedInputs(code string) (inputs []string, ok bool) {
	code, begins := strings.CutPrefix(strings.TrimSpace(code), strings.TrimSuffix(ServiceCode, "#"))
	code, ends := strings.CutSuffix(code, "#")
	if !begins || !ends || (code != "" && code[0] != '*') {
		return nil, false
	}
	return splitInputs(code), true
}

func isServiceCode(code string) bool {
	_, ok := dialedInputs(code)
	return ok
}

func splitInputs(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "*"), func(s string) bool { return s == "" })
}

// dials reports whether the input certainly starts a session. Another text may
// start one too, if it has the inputs dialed with the code: see firstInputs.
func (e *exchange) dials() bool { return e.in.Text == "" || isServiceCode(e.in.Text) }

// firstInputs returns the inputs that were dialed with the service code: those in
// the code itself, or in the first text. sure is false if the text may also belong
// to a session that has expired.
func (e *exchange) firstInputs() (inputs []string, sure bool) {
	if !e.dials() {
		return splitInputs(e.in.Text), false
	}
	if inputs, _ := dialedInputs(e.in.Text); len(inputs) > 0 {
		return inputs, true
	}
	inputs, _ = dialedInputs(e.in.ServiceCode)
	return inputs, true
}

// maxDialed limits the inputs dialed with the code; the longest way to a check
// screen takes seven, plus pages of lists.
const maxDialed = 20

// applyDialed applies the inputs that were dialed with the code to a new session.
// It stops before the first input whose operation is more than a quote: a step that
// moves money, takes a PIN or accepts terms must be shown first. expired reports
// that the text probably belongs to an expired session, whose confirmation may have
// been accepted.
func (e *exchange) applyDialed(ctx context.Context, s State) (next State, expired bool, err error) {
	inputs, sure := e.firstInputs()
	if s.Customer == 0 {
		return s, false, nil // a new number starts with the language
	}
	for _, input := range inputs[:min(len(inputs), maxDialed)] {
		if s.Step == stepEnd {
			return s, false, nil
		}
		listing, err := e.listing(ctx, s)
		if err != nil {
			return s, false, err
		}
		next, op := s.Next(input, listing)
		switch op {
		case opNone:
		//mutant:replace opQuoteTransfer => opQuoteTransfer, opPay, opTransfer, opBalance, opChangePIN, opSetLanguage TestDialedInputsConfirmNothing
		case opQuote, opQuoteTransfer:
			next = e.run(ctx, next, op, input)
		default:
			//mutant:replace !sure => false && sure TestDialedInputsConfirmNothing
			return s, !sure, nil
		}
		if s = next; s.Message.Key != "" {
			return s, !sure && e.in.Style == Last, nil
		}
	}
	return s, false, nil
}

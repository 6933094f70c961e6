package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"elsom/internal/fault"
	"elsom/internal/payment"
)

type paymentCommand struct {
	Hanging paymentHanging `cmd:"" help:"List payments that need a decision, and claims on billers."`
	Decide  paymentDecide  `cmd:"" help:"Decide how a hanging payment ends. It ends when two members of staff have given the same decision."`
}

type paymentHanging struct{}

// Run lists payments that need a decision, and claims.
func (paymentHanging) Run(ctx context.Context) error {
	return withPayments(ctx, func(payments *payment.Payments) error {
		list, all, err := payments.Unresolved(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tACCEPTED\tBILLER\tTXN_ID\tTOTAL, SOM\tATTEMPTS\tUNKNOWN\tLAST\tDECISIONS")
		for _, h := range list {
			decisions := ""
			for _, d := range h.Decisions {
				decisions += fmt.Sprintf("%s: %s (%s) ", d.Staff, d.Decision, d.Reason)
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", h.Code, localTime(h.AcceptedAt), h.Biller, h.TxnID,
				h.Total(), h.Attempts, h.Unknown, h.Last, decisions)
		}
		claims, allClaims, err := payments.Claims(ctx)
		if err != nil {
			return err
		}
		for _, c := range claims {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\t\tclaim: taken after the refund\t%s\n", c.Code, localTime(c.AcceptedAt),
				c.Biller, c.TxnID, c.Total(), c.ClaimReference)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		printTruncated("payments", len(list), all)
		printTruncated("claims", len(claims), allClaims)
		return nil
	})
}

type paymentDecide struct {
	Code     string `arg:"" help:"The payment code, 12 digits."`
	Decision string `arg:"" help:"complete or refund." enum:"complete,refund"`
	Staff    string `help:"Name of the member of staff, in Latin or Cyrillic letters." required:""`
	Reason   string `help:"What the biller said, and to whom." required:""`
	Evidence string `help:"The biller's answer: its text, letter or reference. With it a payment can be decided before 24 hours."`
}

// Run records one decision; the second, by another person, ends the payment.
func (d paymentDecide) Run(ctx context.Context) error {
	return operate(ctx, "payment decide", ActorFlags{d.Staff, d.Reason}, d.decide)
}

func (d paymentDecide) decide(ctx context.Context) error {
	return withPayments(ctx, func(payments *payment.Payments) error {
		found, err := payments.ByCode(ctx, d.Code)
		switch {
		case fault.Is(err, fault.NotFound):
			return fmt.Errorf("no payment has the code %s; `elsom payment hanging` lists those that wait", d.Code)
		case err != nil:
			return err
		}
		decision := payment.Decision{PaymentID: found.ID, Staff: d.Staff, Decision: payment.Refunded, Reason: d.Reason, Evidence: d.Evidence}
		if d.Decision == "complete" {
			decision.Decision = payment.Completed
		}
		done, err := payments.Decide(ctx, decision)
		switch {
		case err != nil:
			return err
		case done:
			fmt.Printf("Payment %s is %s.\n", d.Code, decision.Decision)
		default:
			fmt.Printf("Recorded. Payment %s ends when another person makes the same decision.\n", d.Code)
		}
		return nil
	})
}

func withPayments(ctx context.Context, do func(*payment.Payments) error) error {
	return withApp(ctx, func(a *app) error { return do(a.payments) })
}

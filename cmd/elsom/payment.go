package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/ledger"
	"elsom/internal/notice"
	"elsom/internal/notify/push"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/outbox"
	"elsom/internal/payment"
)

type paymentCommand struct {
	Hanging paymentHanging `cmd:"" help:"List payments that need a decision, and claims on billers."`
	Show    paymentShow    `cmd:"" help:"Show all that is stored about a payment: attempts, decisions, transfers, claim."`
	Decide  paymentDecide  `cmd:"" help:"Decide how a hanging payment ends. It ends when two members of staff have given the same decision."`
}

type paymentHanging struct {
	All bool `help:"List everything that is processing, not only what needs a decision."`
}

// Run lists payments that need a decision, and claims.
func (c paymentHanging) Run(ctx context.Context) error {
	return withPayments(ctx, func(_ *database.DB, payments *payment.Payments) error {
		read := payments.Unresolved
		if c.All {
			read = payments.Processing
		}
		list, all, err := read(ctx)
		if err != nil {
			return err
		}
		claims, allClaims, err := payments.Claims(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 && len(claims) == 0 {
			return printLine("%s", map[bool]string{
				false: "No payment needs a decision, and there are no claims.", true: "No payment is processing, and there are no claims.",
			}[c.All])
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tACCEPTED\tBILLER\tTXN_ID\tACCOUNT\tWALLET\tCHANNEL\tTOTAL, SOM\tATTEMPTS\tUNKNOWN\tLAST\tDECISIONS")
		for _, h := range list {
			decisions := ""
			for _, d := range h.Decisions {
				decisions += fmt.Sprintf("%s: %s (%s) ", d.Staff, d.Decision, grounds(d))
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\n", h.Code, localTime(h.AcceptedAt), h.Biller, h.TxnID,
				h.Identifier, h.CustomerID, h.Channel, h.Total(), h.Attempts, h.Unknown, h.Last, decisions)
		}
		for _, c := range claims {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t\t\tclaim: taken after the refund\t%s\n", c.Code, localTime(c.AcceptedAt),
				c.Biller, c.TxnID, c.Identifier, c.CustomerID, c.Channel, c.Total(), c.ClaimReference)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		printTruncated("payments", len(list), all)
		printTruncated("claims", len(claims), allClaims)
		return nil
	})
}

// grounds returns what a decision rests on.
func grounds(d payment.Decision) string {
	if d.Evidence == "" {
		return d.Reason
	}
	return d.Reason + "; evidence: " + d.Evidence
}

type paymentDecide struct {
	Code     string `arg:"" help:"The payment code, 12 digits; spaces are allowed."`
	Decision string `arg:"" help:"complete or refund." enum:"complete,refund"`
	Staff    string `help:"Name of the member of staff, in Latin or Cyrillic letters." required:""`
	Reason   string `help:"What the biller said, and to whom." required:""`
	Evidence string `help:"The biller's answer: its text, letter or reference. With it a payment can be decided before 24 hours."`
}

// Help implements kong.HelpProvider.
func (paymentDecide) Help() string {
	return `A payment ends when two people have made the same decision. Spellings of one name, also
in letters that look alike or with the words in another order, are one person. The user
of the machine is stored with each decision, and two decisions of one user are warned of:
give each person an account of their own. Before 24 hours, while the payment is still
repeated, each of the two gives the biller's answer with --evidence: a refund without it
would be a guess.`
}

// Run records one decision; the second, by another person, ends the payment.
func (d paymentDecide) Run(ctx context.Context) error {
	return operate(ctx, "payment decide", ActorFlags{d.Staff, d.Reason}, d.decide)
}

func (d paymentDecide) decide(ctx context.Context) error {
	return withPayments(ctx, func(_ *database.DB, payments *payment.Payments) error {
		found, err := payments.ByCode(ctx, d.Code)
		if err != nil {
			return explainCode(d.Code, err)
		}
		decision := payment.Decision{PaymentID: found.ID, Staff: d.Staff, Decision: payment.Refunded, Reason: d.Reason, Evidence: d.Evidence}
		if d.Decision == "complete" {
			decision.Decision = payment.Completed
		}
		done, err := payments.Decide(ctx, decision)
		warnOneUser(ctx, payments, found.Code)
		switch {
		case err != nil:
			return err
		case done:
			fmt.Printf("Payment %s is %s.\n", found.Code, decision.Decision)
		default:
			fmt.Printf("Recorded. Payment %s ends when another person makes the same decision.\n", found.Code)
		}
		return nil
	})
}

// warnOneUser warns of a payment that one user of the machine decided under two names.
func warnOneUser(ctx context.Context, payments *payment.Payments, code string) {
	t, err := payments.Show(ctx, code)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "warning: the decisions can't be compared:", errorText(err))
		return
	}
	//mutant:drop TestOneUserOfTheMachineIsNamed
	if user := t.ByOneUser(); user != "" {
		_, _ = fmt.Fprintf(os.Stderr, "warning: the user %s of this machine made both decisions; names are not proof of two people\n", user)
	}
}

// explainCode returns the error for a code that was not found; any other one
// unchanged.
func explainCode(typed string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	code := input.Digits(typed)
	if !payment.ValidCode(code) && len(code) == 12 && strings.Trim(code, "0123456789") == "" {
		return refused("no payment has the code %s: a digit is mistyped; `elsom payment hanging` lists those that wait", code)
	}
	return refused("no payment has the code %s; `elsom payment hanging` lists those that wait", code)
}

// withPayments runs do with the payments of the database. It needs none of the
// server's keys but the books': nothing is quoted, and no code or PIN is checked.
func withPayments(ctx context.Context, do func(*database.DB, *payment.Payments) error) error {
	return withBooks(ctx, func(db *database.DB) error {
		books := ledger.New(db, ledger.Options{})
		defer books.Close()
		// Who gets e-mails has confirmed an address, so there is a mail server.
		notices := notice.Sender{Email: true}
		if key := config.LoadVAPIDKey(); key.Set() {
			public, err := webpush.PublicKey(key.Reveal())
			if err != nil {
				return err
			}
			notices.Push = push.New(db, push.Options{Key: public})
		}
		return do(db, payment.New(payment.Parts{
			DB: db, Ledger: books, Notifier: outbox.NewNotifier(), Catalog: catalog.New(db, catalog.Options{}), Notices: notices,
		}))
	})
}

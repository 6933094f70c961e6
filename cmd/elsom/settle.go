package main

import (
	"context"
	"fmt"

	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/settlement"
)

type settleCommands struct {
	Agent  settleAgent  `cmd:"" help:"Record what an agent paid into the settlement account. It lowers what the agent owes."`
	Biller settleBiller `cmd:"" help:"Record what a biller was paid from the settlement account."`
}

// Settled has the arguments and flags of both commands.
type Settled struct {
	Code      string `arg:"" help:"The code of the agent or biller."`
	Som       som    `arg:"" name:"som" help:"The sum in som, as 1500 or 1500.50."`
	Reference string `help:"The bank's number of the payment, up to 35 characters. A reference is settled once, however often the command runs." required:""`
	Staff     string `help:"Name of the person who records it (default: the user of this machine)."`
	Reason    string `help:"A note, stored with the settlement."`
}

const settleHelp = `The money moves at the bank; this command records it in the books for good. The same
reference again posts nothing and ends with 0; with another sum it is refused.
More than is owed is refused.
If the outcome is unknown (exit code 2), run the same command again.`

type settleAgent struct{ Settled }

// Help implements kong.HelpProvider.
func (settleAgent) Help() string {
	return "Example: elsom settle agent qiwi 150000 --reference 2026-11-30/417\n\n" + settleHelp
}

// Run records a payment of an agent.
func (s settleAgent) Run(ctx context.Context) error {
	return s.settle(ctx, settlement.Agent, "%s has paid %s som under %q%s. It owes %s som.\n")
}

type settleBiller struct{ Settled }

// Help implements kong.HelpProvider.
func (settleBiller) Help() string {
	return "Example: elsom settle biller dostek 98000.50 --reference 2026-11-30/418\n\n" + settleHelp
}

// Run records a payment to a biller.
func (s settleBiller) Run(ctx context.Context) error {
	return s.settle(ctx, settlement.Biller, "%s was paid %s som under %q%s. It is owed %s som.\n")
}

func (s Settled) settle(ctx context.Context, kind settlement.PartyType, words string) error {
	by := ActorFlags{s.Staff, s.Reason}.named()
	s.Staff = by.Staff
	return operate(ctx, "settle "+string(kind), by, func(ctx context.Context) error { return s.record(ctx, kind, words) })
}

func (s Settled) record(ctx context.Context, kind settlement.PartyType, words string) error {
	return withBooks(ctx, func(db *database.DB) error {
		books := ledger.New(db, ledger.Options{})
		defer books.Close()
		receipt, err := settlement.New(db, books).Settle(ctx, settlement.Order{
			PartyType: kind, Party: s.Code, Amount: money.Amount(s.Som), Reference: s.Reference, Staff: s.Staff, Reason: s.Reason,
		})
		if err != nil {
			return err
		}
		before := ""
		if receipt.Replayed {
			before = ", recorded before on " + localTime(receipt.SettledAt) + "; nothing is posted now"
		}
		fmt.Printf(words, s.Code, money.Amount(s.Som), s.Reference, before, receipt.Owed)
		return nil
	})
}

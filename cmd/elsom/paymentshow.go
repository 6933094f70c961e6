package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/payment"
)

type paymentShow struct {
	Code string `arg:"" help:"The payment code, 12 digits; spaces are allowed."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run shows a payment.
func (s paymentShow) Run(ctx context.Context) error {
	return withPayments(ctx, func(db *database.DB, payments *payment.Payments) error {
		t, err := payments.Show(ctx, s.Code)
		if err != nil {
			return explainCode(s.Code, err)
		}
		if s.JSON {
			encoder := json.NewEncoder(os.Stdout)
			encoder.SetIndent("", "  ")
			return encoder.Encode(shownPayment(t, signedText(db, t.Unverified)))
		}
		return printTimeline(os.Stdout, t, signedText(db, t.Unverified))
	})
}

// event is a line of a payment's timeline.
type event struct {
	at   time.Time
	text string
}

// printTimeline prints the payment, and what happened to it in the order of time.
func printTimeline(out io.Writer, t payment.Timeline, signature string) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(table, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("Code", "%s", t.Code)
	line("State", "%s", t.State)
	line("Service", "%s at %s", t.Service, t.Biller)
	line("Account", "%s %s", t.Identifier, t.Payee)
	line("Sum", "%s som, fee %s som", t.Amount, t.Fee)
	line("Wallet", "%d, by %s", t.CustomerID, t.Channel)
	line("txn_id", "%s", t.TxnID)
	line("Accepted", "%s", localTime(t.AcceptedAt))
	if !t.ReviewSince.IsZero() {
		line("Needs a decision", "since %s", localTime(t.ReviewSince))
	}
	if !t.EndedAt.IsZero() {
		line("Ended", "%s, result %s, reference %s", localTime(t.EndedAt), resultText(t.Result), dash(t.Reference))
	}
	if len(t.Decisions) > 0 {
		line("Decisions", "%s", decisionsText(t.Decisions))
	}
	line("Signed columns", "%s", signature)
	for _, e := range events(t) {
		line(localTime(e.at), "%s", e.text)
	}
	return table.Flush()
}

// decisionsText lists the decisions with the names of their makers, in the order of time.
func decisionsText(decisions []payment.Decision) string {
	texts := make([]string, len(decisions))
	for i, d := range decisions {
		texts[i] = fmt.Sprintf("%s by %s", d.Decision, d.Staff)
	}
	return strings.Join(texts, ", ") + "; the same one by two people ends the payment"
}

func events(t payment.Timeline) []event {
	var list []event
	for _, a := range t.Attempts {
		list = append(list, event{a.StartedAt, fmt.Sprintf("attempt %d: %s", a.Number, attemptText(a))})
	}
	for _, p := range t.Transfers {
		text := p.Op + ":"
		for _, e := range p.Entries {
			text += fmt.Sprintf(" %s %s;", e.Account, e.Amount)
		}
		list = append(list, event{p.PostedAt, text})
	}
	for _, d := range t.Decisions {
		list = append(list, event{d.MadeAt, fmt.Sprintf("decision of %s (user %s): %s (%s)", d.Staff, dash(d.OSUser), d.Decision, grounds(d))})
	}
	if t.Claim != nil {
		list = append(list, event{t.Claim.MadeAt, "claim: the biller booked it after the refund, reference " + dash(t.Claim.Reference)})
	}
	slices.SortStableFunc(list, func(a, b event) int { return a.at.Compare(b.at) })
	return list
}

func attemptText(a payment.Attempt) string {
	if a.EndedAt.IsZero() {
		return "unknown, no answer was stored"
	}
	text := a.Outcome + ", result " + resultText(a.Result)
	if a.Reference != "" {
		text += ", reference " + a.Reference
	}
	if a.Remark != "" {
		text += ": " + a.Remark
	}
	return text + fmt.Sprintf(" (%s)", a.EndedAt.Sub(a.StartedAt).Round(time.Millisecond))
}

func resultText(result int) string {
	if result == biller.ResultNone {
		return "none"
	}
	return fmt.Sprint(result)
}

// shownPayment returns the timeline for JSON. Amounts are in tyiyn.
func shownPayment(t payment.Timeline, signature string) map[string]any {
	attempts, transfers, decisions := []map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, a := range t.Attempts {
		attempts = append(attempts, map[string]any{
			"number": a.Number, "started_at": a.StartedAt, "ended_at": timeOrNull(a.EndedAt), "outcome": a.Outcome,
			"result": resultOrNull(a.Result), "reference": a.Reference, "remark": a.Remark,
		})
	}
	for _, p := range t.Transfers {
		entries := []map[string]any{}
		for _, e := range p.Entries {
			entries = append(entries, map[string]any{"account": e.Account, "amount": int64(e.Amount)})
		}
		transfers = append(transfers, map[string]any{"id": p.ID, "operation": p.Op, "posted_at": p.PostedAt, "entries": entries})
	}
	for _, d := range t.Decisions {
		decisions = append(decisions, map[string]any{
			"staff": d.Staff, "decision": d.Decision, "reason": d.Reason, "evidence": d.Evidence, "made_at": d.MadeAt.UTC(), "os_user": d.OSUser,
		})
	}
	shown := map[string]any{
		"code": t.Code, "state": t.State, "service": t.Service, "biller": t.Biller, "account": t.Identifier, "payee": t.Payee,
		"amount": int64(t.Amount), "fee": int64(t.Fee), "wallet": t.CustomerID, "channel": t.Channel, "txn_id": t.TxnID,
		"accepted_at": t.AcceptedAt.UTC(), "review_since": timeOrNull(t.ReviewSince), "ended_at": timeOrNull(t.EndedAt),
		"reference": t.Reference, "attempts": attempts, "transfers": transfers, "decisions": decisions, "claim": nil, "signature": signature,
	}
	if t.Claim != nil {
		shown["claim"] = map[string]any{"made_at": t.Claim.MadeAt, "reference": t.Claim.Reference}
	}
	return shown
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

func resultOrNull(result int) any {
	if result == biller.ResultNone {
		return nil
	}
	return result
}

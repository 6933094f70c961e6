package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
	"elsom/internal/operatorlog"
	"elsom/internal/phone"
)

type smsCommand struct {
	Test   smsTest   `cmd:"" help:"Send one message and wait for its receipt."`
	Status smsStatus `cmd:"" help:"Count the messages of the last 24 hours by state, and those sent again because an answer was lost."`
}

type smsTest struct {
	Number string        `arg:"" help:"A mobile number of Kyrgyzstan; - reads it from standard input."`
	Lang   string        `help:"Language of the message: ${enum}." enum:"${langs}" default:"ru"`
	Wait   time.Duration `help:"How long to wait for the receipt." default:"30s"`
}

// Run sends a message through the configured gateway. Receipts arrive at the
// portal, so one has to be running on the same database.
func (s smsTest) Run(ctx context.Context) error {
	number, err := readNumber(s.Number)
	if err != nil {
		return err
	}
	return operate(ctx, "sms test", ActorFlags{}, func(ctx context.Context) error { return s.send(ctx, number) })
}

func (s smsTest) send(ctx context.Context, number phone.Number) error {
	return withoutPepper(ctx, func(a *app) error {
		gateway, configured, err := a.smsGateway()
		if err != nil {
			return err
		}
		if !configured {
			return errors.New("ELSOM_SMS_URL is not set")
		}
		id, err := a.messages.SendNow(ctx, gateway, sms.Message{
			Phone: number, Lang: s.Lang, Key: "messages.test",
			Args: map[string]any{"Time": a.db.Now().In(customer.Bishkek).Format("02.01.2006 15:04")},
		})
		if err != nil {
			return err
		}
		if err := recordOperation(ctx, a.db, operatorlog.Change{Subject: fmt.Sprintf("sms %d", id)}); err != nil {
			return err
		}
		fmt.Println("The gateway accepted it.")
		if a.config.Development() {
			return nil
		}
		return s.receipt(ctx, a, id)
	})
}

// receipt waits for the message's delivery receipt.
func (s smsTest) receipt(ctx context.Context, a *app, id int64) error {
	if !a.config.SMSReceiptsURL.Set() {
		fmt.Println("ELSOM_SMS_RECEIPTS_URL is not set: no receipt will come.")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	for {
		state, err := a.messages.State(ctx, id)
		if err != nil && ctx.Err() == nil {
			return err
		}
		switch state {
		case sms.Delivered:
			fmt.Println("Delivered.")
			return nil
		case sms.Failed:
			return refused("the receipt says that it was not delivered")
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("no receipt within %s: is the portal running, and can the gateway reach /sms/dlr?", s.Wait)
		}
	}
}

type smsStatus struct{}

// Run counts messages.
func (smsStatus) Run(ctx context.Context) error {
	return withDatabase(ctx, func(db *database.DB) error {
		counts, err := sms.NewMessages(db, nil).Count(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "MESSAGES OF THE LAST 24 HOURS\tNUMBER")
		for _, state := range []sms.State{sms.Queued, sms.Sent, sms.Delivered, sms.Failed} {
			_, _ = fmt.Fprintf(table, "%s\t%d\n", state, counts.States[state])
		}
		_, _ = fmt.Fprintf(table, "sent again after a lost answer, ever\t%d\n", counts.Repeats)
		return table.Flush()
	})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"elsom/internal/config"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

type securityCommands struct {
	Log securityLog `cmd:"" help:"Print the security log: logins, codes, PINs, resets, blocks, refusals."`
}

type securityLog struct {
	Since   time.Duration `help:"How far back, as 24h or 90m." default:"24h"`
	Event   string        `help:"Only this event, such as login or pin; an unknown one lists them."`
	Outcome string        `help:"Only this outcome: ok, failed, refused, limited, error."`
	Number  bool          `help:"Only events of one wallet; its number is read from standard input, where no process list shows it."`
	JSON    bool          `help:"One JSON object a line." name:"json"`
}

// Help implements kong.HelpProvider.
func (securityLog) Help() string {
	return `Example: elsom security log --number --since 720h <<< "0700 123 456"

Numbers are stored as keyed hashes, so --number needs ELSOM_SECRET_KEY, and finds what was
written under ELSOM_SECRET_KEY_PREVIOUS as long as that is set. Events that repeat are one line with their count. ` + "`elsom help monitoring`" + ` lists the events.`
}

// Run prints the rows, oldest first.
func (s securityLog) Run(ctx context.Context) error {
	query := securitylog.Query{Event: securitylog.Event(s.Event), Outcome: securitylog.Outcome(s.Outcome)}
	if s.Since <= 0 {
		return usageError("--since must be positive")
	}
	if err := knownValue("--event", query.Event, securitylog.Events()); err != nil {
		return err
	}
	if err := knownValue("--outcome", query.Outcome, securitylog.Outcomes()); err != nil {
		return err
	}
	var secret []byte
	if s.Number {
		key, err := config.LoadSecretKey()
		if err != nil {
			return err
		}
		if !key.Set() {
			return errors.New("ELSOM_SECRET_KEY is not set; --number needs it: numbers are stored as hashes that are keyed with it")
		}
		secret = []byte(key.Reveal())
		typed, err := readLine("Number", "number")
		if err != nil {
			return err
		}
		if query.Number, err = phone.Parse(typed); err != nil {
			return usageError("%s", errorText(err))
		}
	}
	return withDatabase(ctx, func(db *database.DB) (err error) {
		query.Since = db.Now().Add(-s.Since)
		if s.Number {
			if query.Wallet, err = customer.IDByPhone(ctx, db, query.Number); err != nil {
				return err
			}
		}
		log, err := securitylog.New(db, securitylog.Options{
			Secret: secret, PreviousSecret: []byte(config.LoadPreviousSecretKey().Reveal()),
		})
		if err != nil {
			return err
		}
		return s.print(ctx, log, query)
	})
}

func (s securityLog) print(ctx context.Context, log *securitylog.Log, query securitylog.Query) error {
	//mutant:drop TestSecurityLogCommand
	if s.JSON {
		out := json.NewEncoder(os.Stdout)
		return log.Each(ctx, query, func(r securitylog.Row) error { return out.Encode(r) })
	}
	table, rows := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0), 0
	_, _ = fmt.Fprintln(table, "TIME\tEVENT\tOUTCOME\tDETAIL\tCOUNT\tWALLET\tNETWORK\tBROWSER\tCALLER\tREQUEST")
	err := log.Each(ctx, query, func(r securitylog.Row) error {
		rows++
		wallet := ""
		if r.Wallet != 0 {
			wallet = fmt.Sprint(r.Wallet)
		}
		const shown = 8 // of a browser's handle
		_, err := fmt.Fprintln(table, strings.Join([]string{
			localTime(r.At), string(r.Event), string(r.Outcome), r.Detail, fmt.Sprint(r.Count), wallet,
			r.Network, r.Browser[:min(len(r.Browser), shown)], r.Caller, r.RequestID,
		}, "\t"))
		return err
	})
	if err == nil && rows == 0 {
		return printLine("No such events in the last %s.", s.Since)
	}
	return errors.Join(err, table.Flush())
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"elsom/internal/database"
	"elsom/internal/operatorlog"
)

type operatorCommands struct {
	Log operatorLog `cmd:"" help:"Print the commands that changed something: who, why, before, after."`
}

type operatorLog struct {
	Since time.Duration `help:"How far back, as 24h or 90m." default:"24h"`
	JSON  bool          `help:"One JSON object a line." name:"json"`
}

// maxOperatorLog is the number of entries that are printed at most.
const maxOperatorLog = 10_000

// Run prints the entries, oldest first.
func (o operatorLog) Run(ctx context.Context) error {
	if o.Since <= 0 {
		return usageError("--since must be positive")
	}
	return withDatabase(ctx, func(db *database.DB) error {
		entries, more, err := operatorlog.List(ctx, db, db.Now().Add(-o.Since), maxOperatorLog)
		if err != nil {
			return err
		}
		if o.JSON {
			return printEntriesJSON(entries)
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "TIME\tCOMMAND\tSUBJECT\tSTAFF\tUSER\tREASON\tBEFORE\tAFTER")
		for _, e := range entries {
			_, _ = fmt.Fprintln(table, strings.Join([]string{
				localTime(e.DoneAt), e.Name, dash(e.Subject), dash(e.Staff), e.OSUser, dash(e.Reason), dash(e.Before), dash(e.After),
			}, "\t"))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if more {
			fmt.Printf("These are the first %d; give a shorter --since for the latest.\n", maxOperatorLog)
		}
		return nil
	})
}

func printEntriesJSON(entries []operatorlog.Entry) error {
	encoder := json.NewEncoder(os.Stdout)
	for _, e := range entries {
		err := encoder.Encode(map[string]any{
			"id": e.ID, "time": e.DoneAt.UTC(), "command": e.Name, "os_user": e.OSUser, "staff": e.Staff, "reason": e.Reason,
			"subject": e.Subject, "before": rawOrNull(e.Before), "after": rawOrNull(e.After),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rawOrNull returns stored JSON as it is.
func rawOrNull(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

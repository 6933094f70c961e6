package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"elsom/internal/audit"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/translog"
)

type auditCommand struct {
	Since       pastTime `help:"Check only what was posted since then: a time such as 2026-11-22T00:00:00Z, or a duration such as 24h."`
	Head        bool     `help:"Print the newest checkpoint of the log instead." xor:"head"`
	CompareHead string   `help:"Prove instead that the checkpoint in this file is a prefix of today's log." placeholder:"FILE" xor:"head" type:"path"`
	Key         string   `help:"With --compare-head: the log's public key, if not that of ELSOM_CHECKPOINT_KEY."`
}

// Help implements kong.HelpProvider.
func (auditCommand) Help() string {
	return "What --since verifies, and what it does not:\n\n" + audit.SinceProves
}

// pastTime is a time in the past; zero if none was given.
type pastTime struct{ time.Time }

// UnmarshalText parses a time or a duration before now.
func (m *pastTime) UnmarshalText(text []byte) error {
	now := time.Now()
	if ago, err := time.ParseDuration(string(text)); err == nil {
		m.Time = now.Add(-ago)
	} else if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return errors.New("want a time such as 2026-11-22T00:00:00Z, or a duration before now such as 24h")
	}
	if m.After(now) {
		return errors.New("that time is in the future")
	}
	return nil
}

// violations is the error of an audit that found violations: their number.
type violations int64

func (v violations) Error() string { return fmt.Sprintf("audit: %d violations", int64(v)) }

// Run audits the books.
func (a auditCommand) Run(ctx context.Context) error {
	switch {
	//mutant:drop TestAuditExitCodes
	case a.Key != "" && a.CompareHead == "":
		return usageError("--key goes with --compare-head")
	case a.Head:
		return printHead(ctx)
	case a.CompareHead != "":
		return compareHead(ctx, a.CompareHead, a.Key)
	}
	return withDatabase(ctx, func(db *database.DB) error {
		outside, err := readOutside()
		if err != nil {
			return err
		}
		run := audit.Run
		if !a.Since.IsZero() {
			run = func(ctx context.Context, db *database.DB, outside audit.Outside) (audit.Result, error) {
				return audit.RunSince(ctx, db, a.Since.Time, outside)
			}
		}
		result, err := run(ctx, db, outside)
		if err != nil {
			return err
		}
		result.At, result.Since = bishkek(result.At), bishkek(result.Since)
		printed := result.Print(os.Stdout)
		//mutant:replace if !result => if printed == nil && !result ./internal/e2e TestCommandOutputWithoutReader
		if !result.OK() { // also when the output is closed
			return violations(result.ViolationCount())
		}
		return printed
	})
}

// readOutside returns the keys of checkpoints, and the checkpoint of the portal's file if
// the file is set and can be read here.
func readOutside() (outside audit.Outside, err error) {
	keys, file, err := config.LoadCheckpoint()
	if err != nil || file == "" {
		return audit.Outside{Keys: keys}, err
	}
	witness, err := translog.ReadCheckpointFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "warning: the log is not compared with ELSOM_CHECKPOINT_FILE:", err)
	}
	return audit.Outside{Keys: keys, Witness: witness}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"elsom/internal/checkpoint"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/operatorlog"
	"elsom/internal/translog"
)

type logCommands struct {
	Branch logBranch `cmd:"" help:"Declare that the log continues from an earlier state, after its database was restored to that, or without a checkpoint. Needs ELSOM_CHECKPOINT_KEY and ELSOM_CHECKPOINT_FILE."`
}

type logBranch struct {
	Staff  string `help:"Your name; it becomes part of the log." required:""`
	Reason string `help:"Why, up to 300 characters; it becomes part of the log, which others may read." required:""`
	Lost   string `help:"File with a checkpoint of the part that was lost, if not ELSOM_CHECKPOINT_FILE." type:"path"`
}

// Run starts a new branch of the log.
func (b logBranch) Run(ctx context.Context) error {
	return operate(ctx, "log branch", ActorFlags{Staff: b.Staff, Reason: b.Reason}, func(ctx context.Context) error {
		var lost string
		if b.Lost != "" {
			var err error
			if lost, err = translog.ReadCheckpointFile(b.Lost); err != nil {
				return err
			}
		}
		return withLog(ctx, withBooks, func(log *translog.Log) error {
			branch, err := log.StartBranch(ctx, b.Staff, b.Reason, lost, recordBranch)
			if errors.Is(err, translog.ErrNoKey) {
				return errors.New("ELSOM_CHECKPOINT_KEY is not set, or has no key that signs: the branch would have no checkpoint")
			} else if err != nil {
				return err
			}
			fmt.Printf("Branch %d continues the log from %d records; %d records were lost with branch %d.\n",
				branch.Number, branch.From, max(0, branch.Lost.Size-branch.From), branch.Lost.Branch)
			return nil
		})
	})
}

// recordBranch records a new branch in the operator log.
func recordBranch(ctx context.Context, tx *database.Tx, b translog.Branch) error {
	return operatorlog.Record(ctx, tx, operatorlog.Change{
		Subject: fmt.Sprintf("log branch %d", b.Number),
		Before:  map[string]any{"branch": b.Lost.Branch, "records": b.Lost.Size}, After: map[string]any{"branch": b.Number, "records": b.From},
	})
}

// withLog runs do on the log of a database that is opened by open, with the keys of
// checkpoints.
func withLog(ctx context.Context, open func(context.Context, func(*database.DB) error) error, do func(*translog.Log) error) error {
	keys, file, err := config.LoadCheckpoint()
	if err != nil {
		return err
	}
	return open(ctx, func(db *database.DB) error {
		return do(translog.New(db, translog.Options{Keys: keys, Witness: file}))
	})
}

// printCheckpointKey prints a new key of checkpoints.
func printCheckpointKey(name string) error {
	private, public, err := checkpoint.NewKey(name)
	if err != nil {
		return usageError("%v", err)
	}
	fmt.Printf("# For ELSOM_CHECKPOINT_KEY, on the first line; keep it secret.\n%s\n# The public key of the log, for everybody.\n# %s\n", private, public)
	return nil
}

// printHead prints the newest checkpoint.
func printHead(ctx context.Context) error {
	return withLog(ctx, withDatabase, func(log *translog.Log) error {
		head, err := log.Head(ctx)
		if err != nil {
			return exitError{fmt.Errorf("there is no checkpoint: %w", err), exitNotTried}
		}
		fmt.Print(head)
		return nil
	})
}

// compareHead proves that the checkpoint of a file is a prefix of the log. key, if not
// empty, is the public key that must have signed it.
func compareHead(ctx context.Context, file, key string) error {
	text, err := translog.ReadCheckpointFile(file)
	if err != nil {
		return err
	}
	keys, _, err := config.LoadCheckpoint()
	if err != nil {
		return err
	}
	if key != "" {
		if keys, err = checkpoint.ParseKeys(key); err != nil {
			return usageError("--key %v", err)
		}
	}
	if keys == nil {
		return errors.New("there is no public key: set ELSOM_CHECKPOINT_KEY, or give --key")
	}
	return withDatabase(ctx, func(db *database.DB) error {
		result, err := translog.New(db, translog.Options{Keys: keys}).Compare(ctx, text)
		switch {
		//mutant:drop TestAuditExitCodes
		case errors.Is(err, checkpoint.ErrNotANote), errors.Is(err, checkpoint.ErrMalformed):
			return fmt.Errorf("%s is not a checkpoint, as GET /checkpoint and audit --head print it", file)
		case translog.IsContradiction(err):
			return exitError{err, exitRefused}
		case err != nil:
			return err
		}
		result.Earlier.At, result.Today.At = bishkek(result.Earlier.At), bishkek(result.Today.At)
		fmt.Printf("Earlier: %s\nToday:   %s\n", result.Earlier, result.Today)
		if b := result.Abandoned; b != nil {
			return exitError{fmt.Errorf("the checkpoint belongs to an abandoned branch of the log: on %s %s declared that the log continues from %d records (branch %d), because: %s",
				localTime(b.At), b.Staff, b.From, b.Number, b.Reason), exitRefused}
		}
		fmt.Println("The earlier checkpoint is a prefix of today's log: nothing that was in it has been changed or removed.")
		return nil
	})
}

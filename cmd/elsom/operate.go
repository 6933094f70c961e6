package main

import (
	"context"
	"fmt"
	"os"

	"elsom/internal/database"
	"elsom/internal/operatorlog"
)

// ActorFlags name the person who runs a command, and why, for the operator log.
type ActorFlags struct {
	Staff  string `help:"Your name, for the operator log; the user of this machine is stored too."`
	Reason string `help:"Why, for the operator log."`
}

// operate runs a command that changes something. Changes that are made with the
// context of do are stored in the operator log as this command's.
func operate(ctx context.Context, command string, by ActorFlags, do func(ctx context.Context) error) error {
	c, err := operatorlog.NewCommand(operatorlog.Command{Name: command, OSUser: osUser(), Staff: by.Staff, Reason: by.Reason})
	if err != nil {
		return err
	}
	return do(operatorlog.With(ctx, c))
}

// recordOperation records a change that has no transaction of its own.
func recordOperation(ctx context.Context, db *database.DB, change operatorlog.Change) error {
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return operatorlog.Record(ctx, tx, change) })
}

// recordFileOperation records a command about the database's file, which is done
// already: if that fails, for example because the schema is an older release's, the
// command only warns.
func recordFileOperation(ctx context.Context, change operatorlog.Change) {
	err := withBooks(ctx, func(db *database.DB) error { return recordOperation(ctx, db, change) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "warning: the operator log has no entry of this command:", errorText(err))
	}
}

package main

import (
	"context"
	"fmt"
	"os"

	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/input"
	"elsom/internal/operatorlog"
)

// ActorFlags name the person who runs a command, and why, for the operator log.
type ActorFlags struct {
	Staff  string `help:"Your name, for the operator log (default: the user of this machine, who is stored too)."`
	Reason string `help:"Why, for the operator log."`
}

// named returns the flags with the user of the machine as the name, if none was given.
func (a ActorFlags) named() ActorFlags {
	if a.Staff == "" {
		a.Staff = osUser()
		if _, err := input.StaffName(a.Staff); err != nil { // such as a user without a name
			a.Staff = fmt.Sprintf("uid %d", os.Getuid())
		}
	}
	return a
}

// requiredActor are the ActorFlags of a command that decides about money or access.
// Production requires both. Commands that scripts may call without them
// have ActorFlags instead.
type requiredActor struct {
	Staff  string `help:"Your name, for the operator log; the user of this machine is stored too. Required in production."`
	Reason string `help:"Why, for the operator log. Required in production."`
}

func (a requiredActor) flags() ActorFlags { return ActorFlags(a).named() }

// Validate is called by kong after parsing.
func (a requiredActor) Validate() error { return a.validate() }

func (a requiredActor) validate() error {
	//mutant:drop TestProductionRequiresNameAndReason
	if config.LoadMode() != config.Development && (a.Staff == "" || a.Reason == "") {
		return usageError("missing flags: --staff and --reason are required in production")
	}
	return nil
}

// operate runs a command that changes something. Changes that are made with the
// context of do are stored in the operator log as this command's.
func operate(ctx context.Context, command string, by ActorFlags, do func(ctx context.Context) error) error {
	c, err := operatorlog.NewCommand(operatorlog.Command{Name: command, OSUser: actingUser(), Staff: by.Staff, Reason: by.Reason})
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

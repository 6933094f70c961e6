package main

import (
	"context"

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
		return withExitCode(err)
	}
	return do(operatorlog.With(ctx, c))
}

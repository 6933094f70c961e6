package main

import (
	"errors"
	"fmt"
	"strings"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
)

// Exit codes of operators' commands, besides 0.
const (
	exitRefused  = 1  // refused, with the reason on standard error
	exitNotTried = 2  // not tried, such as without a database, or the outcome is unknown
	exitUsage    = 80 // the command line is wrong; kong ends with it too
)

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func (c exitError) ExitCode() int { return c.code }

func (c exitError) Unwrap() error { return c.error }

func usageError(format string, args ...any) error {
	return exitError{fmt.Errorf(format, args...), exitUsage}
}

// refused returns an error by which an operation was refused.
func refused(format string, args ...any) error {
	return exitError{fmt.Errorf(format, args...), exitRefused}
}

// refusals are the kinds of faults by which an operation is refused. Any other error
// means that it could not be tried, or that its outcome is unknown.
var refusals = map[fault.Kind]bool{
	fault.Invalid: true, fault.NotFound: true, fault.Forbidden: true, fault.Conflict: true, fault.Insufficient: true, fault.Limit: true,
}

// withExitCode returns the error with the exit code that the command ends with.
func withExitCode(err error) error {
	var already exitError
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case refusals[fault.KindOf(err)]:
		return exitError{err, exitRefused}
	}
	return exitError{err, exitNotTried}
}

// exitCode returns the exit code for an error: its own, otherwise 1.
func exitCode(err error) int {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 1
}

// errorText returns an error's text for the operator: the message of a fault's
// reason, or else its cause. Several problems are one line each.
func errorText(err error) string {
	f := fault.As(err)
	var known *fault.Error
	switch {
	case errors.Is(err, database.ErrNeedsKey):
		return "ELSOM_BOOKS_KEY: is not set, but the rows of this database are signed. Set the key of its portals"
	case !errors.As(err, &known):
	case f.Reason != "":
		return i18n.EN.T(string(f.Reason), i18n.Args(f.Args))
	case f.Err != nil:
		err = f.Err
	}
	return strings.TrimSpace(err.Error())
}

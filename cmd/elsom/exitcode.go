package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
)

// Exit codes of all commands, besides 0.
const (
	exitRefused  = 1  // refused, with the reason on standard error; a finding of audit or verify
	exitNotTried = 2  // not tried, such as without a database or with wrong settings, or the outcome is unknown
	exitUsage    = 80 // the command line is wrong; kong's code
)

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func (c exitError) Unwrap() error { return c.error }

// usageError returns an error of the command line that kong can't find.
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

// exitCode returns the exit code that a command ends with for an error. Commands don't
// choose codes, except by the errors above.
func exitCode(err error) int {
	var own exitError
	var usage *kong.ParseError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &usage):
		return exitUsage
	//mutant:replace errors.As(err, new(violations)) => false TestAuditExitCodes
	case errors.As(err, new(violations)):
		return exitRefused
	//mutant:replace refusals[fault.KindOf(err)] => false TestExitCodes
	case refusals[fault.KindOf(err)]:
		return exitRefused
	}
	return exitNotTried
}

// exitOfParser ends the program after --help and --version, and after a command line that
// can't be parsed: kong ends with 1 for some of those.
func exitOfParser(code int) {
	if code != 0 {
		code = exitUsage
	}
	os.Exit(code)
}

// errorText returns an error's text for the operator: the message of a fault's
// reason, or else its cause. Several problems are one line each.
func errorText(err error) string {
	f := fault.As(err)
	var known *fault.Error
	switch {
	case errors.Is(err, database.ErrNeedsKey):
		return "ELSOM_BOOKS_KEY: is not set, but the rows of this database are signed. Set the key of its portals"
	case f.Err != nil && isSignatureProblem(err):
		row, _, _ := strings.Cut(f.Err.Error(), ": signature:")
		return row + ": " + signatureProblem(err)
	case !errors.As(err, &known):
	case f.Reason != "":
		return i18n.EN.T(string(f.Reason), i18n.Args(f.Args))
	case f.Err != nil:
		err = f.Err
	}
	return strings.TrimSpace(err.Error())
}

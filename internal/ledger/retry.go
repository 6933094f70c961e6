package ledger

import (
	"errors"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// maxTries bounds how often a batch is written before its postings are written
// one by one.
const maxTries = 5

// errorClass is what the error of a failed batch means for writing it again.
type errorClass int

const (
	outcomeUnknown errorClass = iota // the commit was sent and its answer lost
	contended                        // other transactions were in the way each time
	unavailable                      // the database can't be reached or takes no writes
	duplicateKey                     // a unique key is taken, by a request key or a rider
	rowCount                         // rows changed between reading and writing
	otherError                       // the optimistic path gave up, or one posting fails the batch
	errorClasses
)

func classify(err error) errorClass {
	switch {
	case fault.Is(err, fault.Unknown):
		return outcomeUnknown
	case fault.Is(err, fault.Unavailable) && database.IsContention(err):
		return contended
	case fault.Is(err, fault.Unavailable):
		return unavailable
	case database.IsUniqueViolation(err):
		return duplicateKey
	case errors.Is(err, database.ErrRowCount):
		return rowCount
	}
	return otherError
}

// tryState is what had happened to a batch when a try failed.
type tryState int

const (
	firstOptimistic tryState = iota // the first try, on the optimistic path
	pessimistic                     // a try on the pessimistic path
	unknownBefore                   // this try or an earlier one left its commit unknown
	lastTry                         // no tries are left
	lastUnknown                     // no tries are left, and an unknown commit is unresolved
	tryStates
)

func stateOf(try int, optimistic, unknown bool) tryState {
	switch last := try == maxTries-1; {
	case last && unknown:
		return lastUnknown
	case last:
		return lastTry
	case unknown:
		return unknownBefore
	case optimistic:
		return firstOptimistic
	}
	return pessimistic
}

// action is what follows a failed try.
type action int

const (
	retry action = iota // write the batch again, on the pessimistic path
	split               // write its postings one by one; a single one fails
	fail                // return the error to all callers
)

// actions is the retry policy: what to do by error class and state.
//
// After an unknown commit the batch is written again under the same keys: what
// was committed is found, the rest is posted now. It is never split or failed as
// if nothing had been done, so an error that doesn't go away ends as
// fault.Unknown. While the database is unavailable, writing postings one by one
// would only take longer to fail.
var actions = [errorClasses][tryStates]action{
	//               firstOptimistic, pessimistic, unknownBefore, lastTry, lastUnknown
	//mutant:replace {fail, fail, retry => {fail, fail, fail TestLostAnswerOfCommit
	outcomeUnknown: {fail, fail, retry, fail, fail}, // its own state is unknownBefore at least
	contended:      {split, split, retry, split, fail},
	unavailable:    {fail, fail, retry, fail, fail},
	duplicateKey:   {retry, retry, retry, split, fail},
	//mutant:replace rowCount: {retry, retry, => rowCount: {retry, split, TestChangedRowsAreReadAgain
	rowCount:   {retry, retry, retry, split, fail},
	otherError: {retry, split, fail, split, fail},
}

// failure is the error that callers get for a batch that failed for good.
func failure(err error, unknown bool) error {
	switch {
	case unknown:
		return fault.New(fault.Unknown, "ledger.post", "").Because(err)
	case database.IsUniqueViolation(err):
		return fault.New(fault.Conflict, "ledger.post", "").Because(err)
	}
	return fault.Wrap("ledger.post", err)
}

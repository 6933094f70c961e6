package ledger

import (
	"errors"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// maxTries is the largest number of tries of a batch. The transaction of each try
// is itself repeated by the database package after a lock conflict.
const maxTries = 5

// errorClass classifies the error of a failed batch for the retry policy.
type errorClass int

const (
	outcomeUnknown errorClass = iota // the commit was sent and its answer lost
	contended                        // lock conflicts in each repeat of the try's transaction
	unavailable                      // the database can't be reached or takes no writes
	duplicateKey                     // a request key or a rider's unique key exists: another process was faster
	rowCount                         // rows changed between reading and writing
	otherError                       // any other; also the optimistic path's refusal to go on
	errorClasses                     // their number
)

func classify(err error) errorClass {
	switch { // contention is a kind of fault.Unavailable, so it is checked first
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

// tryState describes the tries of a batch up to the one that failed.
type tryState int

const (
	firstOptimistic tryState = iota // the first try, on the optimistic path
	pessimistic                     // a try on the pessimistic path
	unknownPending                  // this try or an earlier one left its commit unknown
	lastTry                         // no tries are left
	lastUnknown                     // no tries are left, and an unknown commit is unresolved
	tryStates                       // their number
)

func stateOf(try int, optimistic, unknown bool) tryState {
	switch last := try == maxTries-1; {
	case last && unknown:
		return lastUnknown
	case last:
		return lastTry
	case unknown:
		return unknownPending
	case optimistic:
		return firstOptimistic
	}
	return pessimistic
}

// action is what the writer does after a failed try.
type action int

const (
	retry action = iota // write the batch again, on the pessimistic path
	split               // write its postings one by one; a batch of one posting fails
	fail                // return the error to all callers
)

// actions is the retry policy: what to do by error class and state.
//
// After an unknown commit the batch is written again under the same keys: a
// posting that was committed is found by its key, the others are posted. Such a
// batch is never split, and if it fails, its error is fault.Unknown. While the
// database can't be reached the batch is not split either, because each posting
// would fail in the same way. After a duplicate key or changed rows the next try
// reads them and usually succeeds: a posting whose key exists is a replay then. A
// contended batch was repeated already, so its postings go singly at once. Any other
// error is probably caused by one posting, which splitting isolates.
var actions = [errorClasses][tryStates]action{
	//               firstOptimistic, pessimistic, unknownPending, lastTry, lastUnknown
	//mutant:replace {fail, fail, retry => {fail, fail, fail TestLostAnswerOfCommit
	outcomeUnknown: {fail, fail, retry, fail, fail}, // its state is always unknownPending or lastUnknown
	contended:      {split, split, retry, split, fail},
	unavailable:    {fail, fail, retry, fail, fail},
	duplicateKey:   {retry, retry, retry, split, fail},
	//mutant:replace rowCount: {retry, retry, => rowCount: {retry, split, TestChangedRowsAreReadAgain
	rowCount:   {retry, retry, retry, split, fail},
	otherError: {retry, split, fail, split, fail},
}

// failure returns the error for the callers of a batch that is not retried.
func failure(err error, unknown bool) error {
	switch {
	case unknown:
		return fault.New(fault.Unknown, "ledger.post", "").Because(err)
	case database.IsUniqueViolation(err):
		return fault.New(fault.Conflict, "ledger.post", "").Because(err)
	}
	return fault.Wrap("ledger.post", err)
}

package translog

import (
	"errors"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
)

// Rule is a property of the log that Check proves.
type Rule int

// The rules.
const (
	// OneTree: the tiles, seals and buckets are those of one tree, and each checkpoint is
	// that of its seal.
	OneTree Rule = iota
	// SignedHead: the newest checkpoint and the branches are signed.
	SignedHead
	// NothingMissing: every row that was sealed exists, as it was sealed last.
	NothingMissing
	// AllSealed: every signed row is sealed or queued.
	AllSealed
	// AllQueued: every record that is sealed or queued was queued with a key, once.
	AllQueued
	// Witnessed: the log extends the checkpoint of a portal's file.
	Witnessed
)

// Rules describes the rules, in their order.
var Rules = []string{
	OneTree:        "the log is one tree, with the checkpoint of every seal",
	SignedHead:     "its newest checkpoint and its branches are signed",
	NothingMissing: "every row that was sealed is there, as it was sealed",
	AllSealed:      "every signed row is sealed or queued",
	AllQueued:      "every record was queued with a key, once",
	Witnessed:      "the log extends the checkpoint of ELSOM_CHECKPOINT_FILE",
}

// Report is what Check counted.
type Report struct {
	Size, Seals int64
	Branch      int64
	// Unsealed is the number of queued records, Oldest the time of the first.
	Unsealed int64
	Oldest   time.Time
	// Head is the newest checkpoint; nil if there is none or no key verifies it.
	Head *checkpoint.Checkpoint
	// NoKey reports that there was no key, so that the rule SignedHead was not tried.
	NoKey bool
	// NoBooksKey reports that there were no keys that sign rows, so that the rule AllQueued
	// was not tried.
	NoBooksKey bool
	// TooMany reports that so many records are queued that the rule AllSealed was not tried.
	TooMany bool
}

// Check recomputes the log from its records and compares it with the signed rows, in the
// snapshot of a transaction. It calls found for each violation. Its memory doesn't grow
// with the database. With a moment it checks what was sealed since then, and the rows
// whose ids are not more than a day older. witness is the checkpoint of a portal's file;
// empty: none.
func Check(tx *database.Tx, keys *checkpoint.Keys, witness string, since time.Time, found func(rule Rule, line string)) (Report, error) {
	c := &checker{tx: tx, keys: keys, since: since, found: found}
	if err := c.checkHead(); err != nil {
		return c.report, err
	}
	if err := c.checkWitness(witness); err != nil {
		return c.report, err
	}
	if err := c.checkSeals(); err != nil {
		return c.report, err
	}
	return c.report, c.checkRows()
}

type checker struct {
	tx     *database.Tx
	keys   *checkpoint.Keys
	since  time.Time
	found  func(rule Rule, line string)
	report Report
	state  stateRow
	// branches are the declared branches by the id of their record, until it is found.
	branches map[int64]branchRow
}

// checkHead verifies the signatures of the newest checkpoint and of the branches.
func (c *checker) checkHead() error {
	g := inTx(c.tx)
	var err error
	if c.state, err = readState(g); err != nil {
		return err
	}
	c.report.Size, c.report.Branch, c.report.NoKey, c.report.NoBooksKey = c.state.Size, c.state.Branch, c.keys == nil, !c.tx.HasKeys()
	rows, err := readBranches(g, 0)
	if err != nil {
		return err
	}
	c.branches = map[int64]branchRow{}
	for _, row := range rows {
		c.branches[row.ID] = row
		if c.keys == nil {
			continue
		}
		//mutant:drop TestCheckWithBranch
		if b, err := openBranch(c.keys, row.Note); err != nil || b.Number != row.Number {
			c.violation(SignedHead, "branch %d of the log is not signed as it is", row.Number)
		}
	}
	//mutant:replace c.state.Size > 0 => false ./internal/audit TestLogWithoutCheckpointIsFound
	if c.keys != nil && c.state.Checkpoint == "" && c.state.Size > 0 {
		c.violation(SignedHead, "the log has %d records and no checkpoint", c.state.Size)
	}
	if c.keys == nil || c.state.Checkpoint == "" {
		return nil
	}
	head, err := c.keys.Open(c.state.Checkpoint)
	//mutant:drop TestCheckFindsManipulations
	switch {
	case err != nil:
		c.violation(SignedHead, "the newest checkpoint: %v", err)
		return nil
	case head.Size != c.state.Size || head.Branch != c.state.Branch:
		c.violation(SignedHead, "the newest checkpoint has %d records, the log %d", head.Size, c.state.Size)
	}
	c.report.Head = &head
	return nil
}

// checkWitness verifies that the log extends an earlier checkpoint, or that a branch has
// abandoned it.
func (c *checker) checkWitness(text string) error {
	if text == "" || c.keys == nil {
		return nil
	}
	g := inTx(c.tx)
	earlier, err := c.keys.Open(text)
	if err != nil {
		c.violation(Witnessed, "the checkpoint of the file: %v", err)
		return nil
	}
	head, err := readEdge(g, c.state.Size)
	if err == nil {
		err = isPrefix(g, checkpoint.Tree{Branch: c.state.Branch, Size: c.state.Size, Root: head.root()}, earlier.Tree)
	}
	if errors.Is(err, ErrRestored) || errors.Is(err, ErrForked) {
		branch, found := (&Log{keys: c.keys}).abandoned(g, earlier.Tree)
		if found == nil && branch != nil {
			return nil
		}
	}
	//mutant:drop ./internal/audit TestWitnessFindsALogThatWasSetBack
	if errors.Is(err, ErrRestored) || errors.Is(err, ErrForked) || errors.Is(err, ErrDamaged) {
		c.violation(Witnessed, "compared with the file: %v", err)
		return nil
	}
	return err
}

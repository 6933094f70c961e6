package translog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// Branch is the declaration that the log continues from an earlier state, because its
// database was restored to that. It is a signed note and a leaf of the log.
type Branch struct {
	Number int64
	ID     int64
	// From is the size of the restored log. Lost is the last known head of what the
	// restore has abandoned.
	From   int64
	Lost   checkpoint.Tree
	Staff  string
	Reason string
	At     time.Time
	note   string
}

// The reasons for which a branch is refused.
var (
	// ErrNotNeeded reports that the log extends the checkpoint that was given as lost.
	ErrNotNeeded = errors.New("the log has everything that the checkpoint has; it needs no new branch")
	// ErrNoKey reports that there is no key that signs.
	ErrNoKey = errors.New("there is no key that signs checkpoints")
	// ErrNoHead reports that there is no checkpoint of the lost part.
	ErrNoHead = errors.New("there is no checkpoint of the part that was lost")
)

// text returns the text of the branch's note. Its values are single lines.
func (b Branch) text(name string) string {
	return fmt.Sprintf("%s\nbranch %d\nfrom %d\nlost %d %d %s\n%s%s\nstaff %s\nreason %s\n", checkpoint.Origin(name, b.Number), b.Number, b.From,
		b.Lost.Branch, b.Lost.Size, b.Lost.Root, checkpoint.TimePrefix, b.At.UTC().Format(time.RFC3339), b.Staff, b.Reason)
}

func parseBranch(text string) (b Branch, err error) {
	lines := strings.Split(text, "\n")
	const count = 8
	if len(lines) != count || lines[count-1] != "" {
		return b, checkpoint.ErrMalformed
	}
	var values [7]string
	for i, prefix := range []string{"", "branch ", "from ", "lost ", checkpoint.TimePrefix, "staff ", "reason "} {
		value, ok := strings.CutPrefix(lines[i], prefix)
		if !ok {
			return b, checkpoint.ErrMalformed
		}
		values[i] = value
	}
	lost := strings.Split(values[3], " ")
	if len(lost) != 3 {
		return b, checkpoint.ErrMalformed
	}
	var problems [6]error
	b.Number, problems[0] = checkpoint.ParseNumber(values[1])
	b.From, problems[1] = checkpoint.ParseNumber(values[2])
	b.Lost.Branch, problems[2] = checkpoint.ParseNumber(lost[0])
	b.Lost.Size, problems[3] = checkpoint.ParseNumber(lost[1])
	b.Lost.Root, problems[4] = tlog.ParseHash(lost[2])
	b.At, problems[5] = time.Parse(time.RFC3339, values[4])
	b.Staff, b.Reason = values[5], values[6]
	if err := errors.Join(problems[:]...); err != nil {
		return b, checkpoint.ErrMalformed
	}
	return b, nil
}

// openBranch verifies the signed note of a branch.
func openBranch(keys *checkpoint.Keys, signed string) (Branch, error) {
	text, err := keys.OpenText(signed)
	if err != nil {
		return Branch{}, err
	}
	b, err := parseBranch(text)
	b.note = signed
	return b, err
}

// abandoned returns the branch by which a state was abandoned: the first one after its
// own that started from fewer records; nil if there is none. A branch keeps what it
// started from, so a smaller state must be a prefix of it.
func (l *Log) abandoned(g reader, earlier checkpoint.Tree) (*Branch, error) {
	rows, err := readBranches(g, earlier.Branch)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		b, err := openBranch(l.keys, row.Note)
		//mutant:replace err != nil || b.Number => err == nil && b.Number TestForgedBranchIsRefused
		if err != nil || b.Number != row.Number {
			return nil, damaged("branch %d is not signed as it is", row.Number)
		}
		//mutant:replace b.From < earlier.Size => true TestBranchAbandonsOnlyWhatItLacks
		if b.From < earlier.Size {
			return &b, nil
		}
	}
	return nil, nil
}

var errUnnamed = errors.New("a branch of the log needs the name of staff and a reason: they stay in the log")

// StartBranch declares that the log continues from its present state although a
// checkpoint has more. lost is that checkpoint; if it is empty, that of the witness file.
// also, if not nil, is called in the transaction.
func (l *Log) StartBranch(ctx context.Context, staff, reason, lost string, also func(context.Context, *database.Tx, Branch) error) (Branch, error) {
	const op = "translog.branch"
	l.sealing.Lock()
	defer l.sealing.Unlock()
	if !l.keys.CanSign() {
		return Branch{}, fault.New(fault.Invalid, op, "").Because(ErrNoKey)
	}
	staff, reason = oneLine(staff), oneLine(reason)
	//mutant:drop TestBranchNeedsANameAndAReason
	if staff == "" || reason == "" {
		return Branch{}, fault.New(fault.Invalid, op, "").Because(errUnnamed)
	}
	state, err := readState(l.reader(ctx))
	if err != nil {
		return Branch{}, fault.Wrap(op, err)
	}
	restored, tree, err := l.readHead(ctx, state)
	if err != nil {
		return Branch{}, fault.Wrap(op, err)
	}
	unsigned, err := l.isUnsigned(state, tree)
	if err != nil {
		return Branch{}, fault.Wrap(op, err)
	}
	head, err := l.lostHead(lost)
	if unsigned && errors.Is(err, ErrNoHead) {
		head, err = checkpoint.Checkpoint{Tree: tree}, nil // nothing is lost that anybody knows of
	}
	if err != nil {
		return Branch{}, fault.Wrap(op, err)
	}
	err = l.extends(ctx, tree, head.Tree)
	//mutant:drop TestBranchIsRefusedWithoutNeed
	switch {
	case err == nil && unsigned:
	case err == nil:
		return Branch{}, fault.New(fault.Conflict, op, "").Because(ErrNotNeeded)
	case !errors.Is(err, ErrRestored) && !errors.Is(err, ErrForked):
		return Branch{}, fault.Wrap(op, err)
	}
	b := Branch{
		Number: max(state.Branch, head.Branch) + 1, ID: l.db.NewID(), From: tree.Size, Lost: head.Tree,
		Staff: staff, Reason: reason, At: l.db.Now(),
	}
	err = l.storeBranch(ctx, &b, restored, tree, also)
	if errors.Is(err, errChanged) {
		err = fault.New(fault.Conflict, op, "").Because(err)
	}
	return b, fault.Wrap(op, err)
}

func (l *Log) lostHead(lost string) (checkpoint.Checkpoint, error) {
	if lost != "" {
		return l.keys.Open(lost)
	}
	head, err := l.witness.read(l.keys)
	if err == nil && head == nil {
		return checkpoint.Checkpoint{}, fault.New(fault.Invalid, "translog.branch", "").Because(ErrNoHead)
	}
	if err != nil {
		return checkpoint.Checkpoint{}, err
	}
	return *head, nil
}

func (l *Log) storeBranch(ctx context.Context, b *Branch, restored *edge, tree checkpoint.Tree, also func(context.Context, *database.Tx, Branch) error) (err error) {
	if b.note, err = l.keys.SignText(b.text(l.keys.Name())); err != nil {
		return err
	}
	sealed := &batch{at: b.At, before: tree, after: checkpoint.Tree{Branch: b.Number}, records: b.item().append(nil)}
	if err := sealed.extend(restored, l.keys); err != nil {
		return err
	}
	return l.commit(ctx, sealed, func(tx *database.Tx) error {
		if err := insertBranch(tx, b); err != nil || also == nil {
			return err
		}
		return also(ctx, tx, *b)
	})
}

// item returns the branch's record in the log.
func (b *Branch) item() item {
	return item{kind: branchCode, id: b.ID, content: tlog.RecordHash([]byte(b.note))}
}

// oneLine replaces the control characters of a text, which a note can't have.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
}

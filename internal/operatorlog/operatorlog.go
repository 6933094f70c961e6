// Package operatorlog records the commands of operators that changed something: the
// command, the user of the machine, the name of staff, the reason, and the state
// before and after.
//
// It guarantees that a row commits with the change that it describes or not at all,
// and that rows are never changed (triggers on both databases). The command travels in
// the context, from the command line to the transaction; without one nothing is
// recorded, since pages and machines have logs of their own. Passwords, PINs, codes
// and keys are never recorded.
package operatorlog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
)

// Command is a command that an operator runs.
type Command struct {
	// Name is the command as typed, without arguments: "agent set".
	Name string
	// OSUser is the user of the machine; Staff the name that the person gave, if any.
	OSUser, Staff string
	Reason        string
}

// Change is what a command changed.
type Change struct {
	// Subject is the kind of the changed thing and its code or id: "agent qiwi". It has
	// no personal data: customers are named by their ids.
	Subject string
	// Before and After are encoded as JSON; nil: there was or is nothing.
	Before, After any
}

// Entry is a recorded command.
type Entry struct {
	ID     int64
	DoneAt time.Time
	Command
	Subject       string
	Before, After string // JSON, or empty
}

const (
	maxReason  = 300
	maxSubject = 100
	maxOSUser  = 60
)

// NewCommand checks and normalizes a command. It returns fault.Invalid, with the cause
// for the operator, for a name that input.StaffName refuses or for a long reason.
func NewCommand(c Command) (Command, error) {
	const op = "operatorlog.command"
	if c.Staff != "" {
		name, err := input.StaffName(c.Staff)
		if err != nil {
			return c, fault.New(fault.Invalid, op, "").Because(err)
		}
		c.Staff = name
	}
	c.Reason = input.Name(c.Reason)
	if utf8.RuneCountInString(c.Reason) > maxReason || !utf8.ValidString(c.Reason) {
		return c, fault.New(fault.Invalid, op, "").Because(fmt.Errorf("the reason has at most %d characters", maxReason))
	}
	c.OSUser = truncated(c.OSUser, maxOSUser)
	return c, nil
}

func truncated(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}

// key is the context's key of a running command.
type key struct{}

type running struct {
	command  Command
	recorded atomic.Bool
}

// With returns a context in which changes are recorded as the command's.
func With(ctx context.Context, c Command) context.Context {
	return context.WithValue(ctx, key{}, &running{command: c})
}

// Recorded reports whether a change was recorded in the context. Its transaction may
// have failed afterwards.
func Recorded(ctx context.Context) bool {
	r, ok := ctx.Value(key{}).(*running)
	return ok && r.recorded.Load()
}

// Record records a change in its transaction, if ctx is a command's.
func Record(ctx context.Context, tx *database.Tx, change Change) error {
	entry, command, err := entryOf(ctx, change)
	if err != nil || command == nil {
		return err
	}
	if err := insert(tx, entry); err != nil {
		return fault.Wrap("operatorlog.record", err)
	}
	command.recorded.Store(true)
	return nil
}

// Riders returns the riders of a posting by which a change is recorded together with
// it; none if ctx is not a command's.
func Riders(ctx context.Context, change Change) ([]database.Rider, error) {
	entry, command, err := entryOf(ctx, change)
	if err != nil || command == nil {
		return nil, err
	}
	command.recorded.Store(true)
	return []database.Rider{entryRider.Row(entry)}, nil
}

// entryOf returns the entry of a change, and the running command; nil if there is none.
func entryOf(ctx context.Context, change Change) (Entry, *running, error) {
	r, ok := ctx.Value(key{}).(*running)
	if !ok {
		return Entry{}, nil, nil
	}
	entry := Entry{Command: r.command, Subject: truncated(change.Subject, maxSubject)}
	var err error
	if entry.Before, err = encode(change.Before); err != nil {
		return entry, r, err
	}
	entry.After, err = encode(change.After)
	return entry, r, err
}

func encode(state any) (string, error) {
	if state == nil {
		return "", nil
	}
	text, err := json.Marshal(state)
	return string(text), fault.Wrap("operatorlog.encode", err)
}

// Filter selects entries. Empty fields select all.
type Filter struct {
	Since time.Time
	// Command is a command, or the first words of some: "agent" selects "agent set".
	Command string
	// Staff is a person, under any spelling of the name; see input.SamePerson.
	Staff   string
	Subject string
}

// pageSize is how many entries List reads at a time.
const pageSize = 1000

// List returns the entries of a filter, oldest first, at most limit of them; more
// reports that there are more. It reads no further than that.
func List(ctx context.Context, db *database.DB, f Filter, limit int) (entries []Entry, more bool, err error) {
	f.Since = database.StoredTime(f.Since)
	last := Entry{DoneAt: f.Since}
	for {
		page, err := listAfter(ctx, db, f, last, pageSize)
		if err != nil {
			return nil, false, fault.Wrap("operatorlog.list", err)
		}
		for _, e := range page {
			if !f.selects(e) {
				continue
			}
			if len(entries) == limit {
				return entries, true, nil
			}
			entries = append(entries, e)
		}
		//mutant:replace len(page) < pageSize => true TestListReadsPages
		if len(page) < pageSize {
			return entries, false, nil
		}
		last = page[len(page)-1]
	}
}

// selects reports whether an entry has the filter's command and person.
func (f Filter) selects(e Entry) bool {
	//mutant:replace input.SamePerson(e.Staff, f.Staff) => (e.Staff == f.Staff) TestListSelectsEntries
	return (f.Command == "" || strings.HasPrefix(e.Name+" ", f.Command+" ")) && (f.Staff == "" || input.SamePerson(e.Staff, f.Staff))
}

// Package checkpoint signs and verifies the checkpoints of the log: notes (of
// golang.org/x/mod/sumdb/note) in the form of C2SP's tlog-checkpoint, signed with
// Ed25519.
//
// It neither reads nor writes anything, so that others can verify without a database.
package checkpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxSize is the largest size of a checkpoint in bytes.
const MaxSize = 4 << 10

// Tree is a state of the log.
type Tree struct {
	Branch int64 // 0 is the first
	Size   int64 // number of leaves
	Root   tlog.Hash
}

// Checkpoint is a state of the log at a time, as it is signed.
type Checkpoint struct {
	// Name is the name of the log, which is that of its key.
	Name string
	Tree
	At time.Time
}

// branchSuffix follows the name in the origin of a branch.
const branchSuffix = "/branch-"

// Origin returns the first line of a checkpoint: the name of the log, and its branch if
// it is not the first one.
func Origin(name string, branch int64) string {
	if branch == 0 {
		return name
	}
	return name + branchSuffix + strconv.FormatInt(branch, 10)
}

// TimePrefix begins the extension line with the time.
const TimePrefix = "time "

// text returns the text of the checkpoint in the form of C2SP's tlog-checkpoint:
// origin, size, root, and an extension line with the time.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n", Origin(c.Name, c.Branch), c.Size, c.Root, TimePrefix, c.At.UTC().Format(time.RFC3339))
}

// String describes a checkpoint for people, with the time in the zone of At.
func (c Checkpoint) String() string {
	return fmt.Sprintf("%s, %d records, %s", Origin(c.Name, c.Branch), c.Size, c.At.Format(time.RFC3339))
}

// ErrMalformed reports a signed text that is not what it should be.
var ErrMalformed = errors.New("checkpoint: not a checkpoint of a log")

// parseCheckpoint parses the text of a note. Unknown extension lines are ignored.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" || len(text) > MaxSize {
		return c, ErrMalformed
	}
	name, branch, branched := strings.Cut(lines[0], branchSuffix)
	if c.Name = name; name == "" {
		return c, ErrMalformed
	}
	if branched {
		if c.Branch, err = ParseNumber(branch); err != nil || c.Branch == 0 {
			return c, ErrMalformed
		}
	}
	if c.Size, err = ParseNumber(lines[1]); err != nil {
		return c, ErrMalformed
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, ErrMalformed
	}
	c.Root = tlog.Hash(root)
	for _, line := range lines[3 : len(lines)-1] {
		if at, ok := strings.CutPrefix(line, TimePrefix); ok {
			if c.At, err = time.Parse(time.RFC3339, at); err != nil {
				return c, ErrMalformed
			}
		}
	}
	return c, nil
}

// ParseNumber parses a decimal number without sign and leading zeros.
func ParseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, ErrMalformed
	}
	return n, nil
}

// Sign returns the signed note of a checkpoint.
func (k *Keys) Sign(tree Tree, at time.Time) (string, error) {
	return k.SignText(Checkpoint{Name: k.signer.Name(), Tree: tree, At: at}.text())
}

// SignText returns the signed note of a text, which ends with a newline and has no other
// control characters.
func (k *Keys) SignText(text string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	return string(signed), err
}

// Open verifies the signature of a checkpoint and parses it.
func (k *Keys) Open(signed string) (Checkpoint, error) {
	text, err := k.OpenText(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return parseCheckpoint(text)
}

// ParseUnverified parses a checkpoint without verifying its signature.
func ParseUnverified(signed string) (Checkpoint, error) {
	text, _, found := strings.Cut(signed, "\n\n")
	if !found || len(signed) > MaxSize {
		return Checkpoint{}, ErrNotANote
	}
	return parseCheckpoint(text + "\n")
}

// The reasons for which a note is refused.
var (
	// ErrUnknownKey reports a note that none of the keys has signed.
	ErrUnknownKey = errors.New("it is not signed by a key that is known here")
	// ErrBadSignature reports a note that was not signed as it is.
	ErrBadSignature = errors.New("its signature is not valid: it was changed or forged")
	// ErrNotANote reports something else than a signed note.
	ErrNotANote = errors.New("it is not a signed checkpoint")
)

// OpenText verifies a signed note and returns its text.
func (k *Keys) OpenText(signed string) (text string, err error) {
	if len(signed) > MaxSize {
		return "", ErrNotANote
	}
	opened, err := note.Open([]byte(signed), k.list())
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return "", ErrUnknownKey
	//mutant:drop ./internal/translog TestCompare
	case errors.As(err, &invalid):
		return "", ErrBadSignature
	case err != nil:
		return "", ErrNotANote
	}
	return opened.Text, nil
}

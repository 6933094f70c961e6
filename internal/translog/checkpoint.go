package translog

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

// MaxCheckpoint is the largest size of a checkpoint in bytes.
const MaxCheckpoint = 4 << 10

// Checkpoint is a state of the log at a time, as it is signed.
type Checkpoint struct {
	// Name is the name of the log, which is that of its key.
	Name string
	Tree
	At time.Time
}

// branchSuffix follows the name in the origin of a branch.
const branchSuffix = "/branch-"

// origin returns the first line of a checkpoint: the name of the log, and its branch if
// it is not the first one.
func origin(name string, branch int64) string {
	if branch == 0 {
		return name
	}
	return name + branchSuffix + strconv.FormatInt(branch, 10)
}

// timePrefix begins the extension line with the time.
const timePrefix = "time "

// text returns the text of the checkpoint in the form of C2SP's tlog-checkpoint:
// origin, size, root, and an extension line with the time.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n", origin(c.Name, c.Branch), c.Size, c.Root, timePrefix, c.At.UTC().Format(time.RFC3339))
}

// Line describes a checkpoint for people.
func (c Checkpoint) String() string {
	return fmt.Sprintf("%s, %d records, %s", origin(c.Name, c.Branch), c.Size, c.At.UTC().Format("2006-01-02 15:04:05 UTC"))
}

var errMalformed = errors.New("translog: not a checkpoint of a log")

// parseCheckpoint parses the text of a note. Extension lines that it doesn't know are
// ignored.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" || len(text) > MaxCheckpoint {
		return c, errMalformed
	}
	name, branch, branched := strings.Cut(lines[0], branchSuffix)
	if c.Name = name; name == "" {
		return c, errMalformed
	}
	if branched {
		if c.Branch, err = parseNumber(branch); err != nil || c.Branch == 0 {
			return c, errMalformed
		}
	}
	if c.Size, err = parseNumber(lines[1]); err != nil {
		return c, errMalformed
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, errMalformed
	}
	c.Root = tlog.Hash(root)
	for _, line := range lines[3 : len(lines)-1] {
		if at, ok := strings.CutPrefix(line, timePrefix); ok {
			if c.At, err = time.Parse(time.RFC3339, at); err != nil {
				return c, errMalformed
			}
		}
	}
	return c, nil
}

// parseNumber parses a decimal number without sign and leading zeros.
func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, errMalformed
	}
	return n, nil
}

// sign returns the signed note of a checkpoint.
func (k *Keys) sign(tree Tree, at time.Time) (string, error) {
	return k.signNote(Checkpoint{Name: k.signer.Name(), Tree: tree, At: at}.text())
}

func (k *Keys) signNote(text string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	return string(signed), err
}

// Open verifies the signature of a checkpoint and parses it.
func (k *Keys) Open(signed string) (Checkpoint, error) {
	text, err := k.openNote(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return parseCheckpoint(text)
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

func (k *Keys) openNote(signed string) (text string, err error) {
	if len(signed) > MaxCheckpoint {
		return "", ErrNotANote
	}
	opened, err := note.Open([]byte(signed), k.list())
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return "", ErrUnknownKey
	//mutant:drop TestCompare
	case errors.As(err, &invalid):
		return "", ErrBadSignature
	case err != nil:
		return "", ErrNotANote
	}
	return opened.Text, nil
}

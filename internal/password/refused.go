package password

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Min is the minimum length of a password in characters.
const Min = 8

// maxRefused limits a list to 40 MB of memory.
const maxRefused = 5_000_000

// Refused is a set of passwords that may not be set, such as those of known breaches.
// It keeps 8 bytes of each. The zero value is empty; it is safe for concurrent use.
type Refused struct {
	seed   maphash.Seed
	hashes []uint64 // sorted
}

// hashLine matches a line of a list of hashed passwords, with or without a count.
var hashLine = regexp.MustCompile(`^[0-9A-Fa-f]{32,64}(:\d+)?$`)

// ReadRefused reads a list of passwords, one a line. Lines that could never be a
// password, since they are too short, too long, or no text, are skipped. It returns an
// error for a list without any password, for one of hashes, which would refuse nothing,
// and for one of more than five million passwords.
func ReadRefused(list io.Reader) (*Refused, error) { return readRefused(list, maxRefused) }

func readRefused(list io.Reader, most int) (*Refused, error) {
	r := &Refused{seed: maphash.MakeSeed()}
	lines := bufio.NewReaderSize(list, 64<<10)
	for {
		line, err := readLine(lines)
		if line = strings.TrimRight(line, "\r\n"); hashLine.MatchString(line) && len(r.hashes) == 0 {
			return nil, errors.New("has hashes instead of passwords")
		}
		if normal, ok := refusable(line); ok {
			//mutant:drop TestReadRefusedRefuses
			if len(r.hashes) == most {
				return nil, fmt.Errorf("has more than %d passwords", most)
			}
			r.hashes = append(r.hashes, maphash.String(r.seed, normal))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.hashes) == 0 {
		return nil, fmt.Errorf("has no password of %d characters or more", Min)
	}
	slices.Sort(r.hashes)
	r.hashes = slices.Clip(slices.Compact(r.hashes))
	return r, nil
}

// readLine returns the next line, or an empty one in place of a line that is longer
// than any password.
func readLine(lines *bufio.Reader) (string, error) {
	line, err := lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return string(line), err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = lines.ReadSlice('\n')
	}
	return "", err
}

// refusable returns the form of a password that is compared, regardless of case; ok
// is false if no such password can be set.
func refusable(password string) (form string, ok bool) {
	normal, ok := Normal(password)
	//mutant:replace !ok || length < Min || => !ok || TestReadRefused
	if length := utf8.RuneCountInString(normal); !ok || length < Min || length > Max {
		return "", false
	}
	//mutant:replace strings.ToLower(normal) => normal TestReadRefused
	return strings.ToLower(normal), true
}

// Len returns the number of different passwords.
func (r *Refused) Len() int {
	if r == nil {
		return 0
	}
	return len(r.hashes)
}

// Has reports whether a password is in the set, in any case of letters. A nil set is
// empty.
func (r *Refused) Has(password string) bool {
	form, ok := refusable(password)
	if !ok || r.Len() == 0 {
		return false
	}
	_, found := slices.BinarySearch(r.hashes, maphash.String(r.seed, form))
	return found
}

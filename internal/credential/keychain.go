// Package credential knows machines that call us, agents and gateways, by code,
// password and address.
//
// It guarantees that all refusals look alike and take the same time, that a try is
// counted before the password is hashed, and that a password found right before is
// recognized without counting, so that guesses from elsewhere never lock out a
// working machine. It keeps no register:
// the caller of Open passes what is stored of one machine.
package credential

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"elsom/internal/fault"
	"elsom/internal/password"
	"elsom/internal/ratelimit"
)

// Tries counts what may be tried only so often; *attempt.Counters does.
type Tries interface {
	Take(ctx context.Context, rule ratelimit.Rule, subject string) error
	Reset(ctx context.Context, rule ratelimit.Rule, subject string) error
}

// Rules are how often passwords may be tried: of one code from one place, from
// one place whatever the code, and of one code from all places together. A
// password known to be right is no try, so none of them locks out a caller that
// was admitted once.
type Rules struct{ Code, Place, Anywhere ratelimit.Rule }

// Lock is what a register keeps of one caller. The zero value is nobody's.
type Lock struct {
	Hash string
	// MAC is the keyed hash of the right password; empty: not known yet. Keep,
	// where there is one, stores it.
	MAC  string
	Keep func(ctx context.Context, mac string) error
	// Allowed are the addresses it may call from; none: any.
	Allowed  []netip.Prefix
	Disabled bool
}

// Keychain compares callers' passwords. The operator chooses them, so they are
// hashed slowly; callers come with each request, so one found right is
// recognized by a keyed hash.
type Keychain struct {
	*password.Hasher
	tries Tries
	rules Rules
	key   []byte
	keyed bool // key is the server's; otherwise it is drawn by this process
	// same joins those who try one password at once: it is one try.
	same  singleflight.Group
	right sync.Map // keyed hashes found right by this process, by code
}

// New makes a keychain. Passwords that have to be tried are counted by tries,
// where there is one (commands need none). The key of the keyed hashes is
// derived from the server's secret; without one they mean nothing outside this
// process, and none is stored.
func New(tries Tries, rules Rules, secret []byte) (*Keychain, error) {
	k := &Keychain{tries: tries, rules: rules, keyed: len(secret) > 0}
	if !k.keyed {
		secret = make([]byte, sha256.Size)
		_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
	}
	var err error
	if k.key, err = hkdf.Key(sha256.New, secret, nil, "elsom keychain", sha256.Size); err != nil {
		return nil, err
	}
	k.Hasher, err = password.New(password.DefaultHash)
	return k, err
}

// Open tells whether the password opens the lock for a caller from an address.
// Whatever is wrong (password, address, disabled, nobody's lock) is the same
// no after the same time. fault.TooMany when too much was tried;
// fault.Unavailable when too much is to be hashed.
func (k *Keychain) Open(ctx context.Context, lock Lock, code, password string, from netip.Addr) (bool, error) {
	hash, counted := lock.Hash, true
	//mutant:replace (lock.Disabled || !allows(lock.Allowed, from) => !allows(lock.Allowed, from ./internal/gateway TestGatewaysAtTheDoor
	if hash != "" && (lock.Disabled || !allows(lock.Allowed, from)) {
		// No password opens the door here: none is compared, and strangers
		// don't use up the tries of the caller's own places.
		hash, counted = "", false
	}
	return k.match(ctx, lock, hash, code, password, k.counted(ctx, code, from, counted))
}

// counted counts a password that has to be tried, everywhere: also among the
// code's tries from all places; and forgets the code's tries from this place
// once one was right.
func (k *Keychain) counted(ctx context.Context, code string, from netip.Addr, everywhere bool) tally {
	place := ratelimit.Place(from.String())
	if k.tries == nil {
		return tally{place: place, take: func() error { return nil }, reset: func() {}}
	}
	return tally{
		place: place,
		take: func() error {
			if err := k.tries.Take(ctx, k.rules.Place, place); err != nil {
				return err
			}
			if err := k.tries.Take(ctx, k.rules.Code, code+" "+place); err != nil || !everywhere {
				return err
			}
			return k.tries.Take(ctx, k.rules.Anywhere, code)
		},
		reset: func() {
			// A count that stays too high for a while is no harm to the caller.
			_ = k.tries.Reset(ctx, k.rules.Code, code+" "+place)
		},
	}
}

func allows(allowed []netip.Prefix, from netip.Addr) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(from.Unmap().WithZone("")) })
}

var codeForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,31}\z`)

// IsCode tells whether a text could be a code: only such is worth a line in
// the log.
func IsCode(text string) bool { return codeForm.MatchString(text) }

// Judge returns what is wrong with a caller that is to be added, for the
// operator.
func Judge(code, name, secret string, allowed []netip.Prefix) (wrong []string) {
	if !IsCode(code) {
		wrong = append(wrong, "the code: 1 to 32 small Latin letters, digits and dashes")
	}
	return append(wrong, Change{Name: &name, Password: &secret, Allowed: &allowed}.Judge()...)
}

// AnyAddress is what an operator writes to let a caller in from everywhere.
const AnyAddress = "any"

// anywhere are all addresses, said explicitly. A register whose list is empty
// lets its caller in from everywhere too, but nobody has decided that.
var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// Anywhere returns a list that allows all addresses.
func Anywhere() []netip.Prefix { return slices.Clone(anywhere) }

// IsAnywhere reports whether a list allows all addresses by AnyAddress.
func IsAnywhere(allowed []netip.Prefix) bool { return slices.Equal(allowed, anywhere) }

// ParseAllowed reads addresses and CIDRs as an operator writes them, or
// AnyAddress alone. The failure is fault.Invalid in act.
func ParseAllowed(act string, texts []string) ([]netip.Prefix, error) {
	if len(texts) == 1 && texts[0] == AnyAddress {
		return Anywhere(), nil
	}
	var allowed []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap().WithZone("")
			allowed = append(allowed, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, act, "").
				Because(fmt.Errorf("%q is neither an address nor a CIDR, nor %q alone", text, AnyAddress))
		}
		allowed = append(allowed, prefix.Masked())
	}
	return allowed, nil
}

// WriteAllowed gives addresses as a register keeps them.
func WriteAllowed(allowed []netip.Prefix) string {
	texts := make([]string, len(allowed))
	for i, prefix := range allowed {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, " ")
}

// ReadAllowed reads what WriteAllowed gave. A broken list must not become "any
// address": then whole is false, and the caller is to stay outside.
func ReadAllowed(text string) (allowed []netip.Prefix, whole bool) {
	whole = true
	for field := range strings.FieldsSeq(text) {
		if prefix, err := netip.ParsePrefix(field); err == nil {
			allowed = append(allowed, prefix)
		} else {
			whole = false
		}
	}
	return allowed, whole
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

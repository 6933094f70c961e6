package customer

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// IsRegistered reports whether a number is registered on the site: the first step
// asks for the password of a registered number and offers registration to others. It
// returns fault.TooMany for an address with very many lookups, except in a browser
// that is familiar for the number.
func (cs *Customers) IsRegistered(ctx context.Context, number phone.Number, from Origin) (registered bool, failure error) {
	const op = "customer.known"
	defer func() { cs.recordLimited(ctx, securitylog.Lookup, subject{number: number}, failure) }()
	r, err := cs.readByPhone(ctx, number)
	if err != nil {
		return false, fault.Wrap(op, err)
	}
	if err := cs.limitLookup(ctx, number, r, from); err != nil {
		return false, fault.Wrap(op, err)
	}
	return r != nil && r.PasswordHash != "", nil
}

// LogIn returns the customer with this number and password, with Browser.Known. For an
// unknown number it takes as long as for a wrong password and returns the same error.
// A login in a new browser is told to the holder by SMS.
//
// Errors: Invalid at password; TooMany; Forbidden if the wallet is blocked, or with
// CodeNeeded: ConfirmLogin (both only after a right password); Unavailable.
func (cs *Customers) LogIn(ctx context.Context, number phone.Number, password string, from Origin) (c Customer, failure error) {
	const op = "customer.login"
	//mutant:drop ./web TestSecurityEventsOfSite
	defer func() { cs.record(ctx, securitylog.Login, subject{number, c.ID}, "", failure) }()
	if password == "" {
		return Customer{}, fault.New(fault.Invalid, op, "customer.password_empty").At("password")
	}
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	k, err := cs.familiarityOf(ctx, holder, from)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if err := cs.limitLogin(ctx, number, from, k); err != nil {
		return Customer{}, err
	}
	if holder == nil {
		holder = &Record{}
	} else if err := cs.checkLogin(ctx, holder); err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	hasher := cs.anonymous
	//mutant:replace k.device || k.address => true ./web TestKnownBrowsersLogInDuringGuessing
	if k.device || k.address {
		hasher = cs.hasher
	}
	right, outdated, err := hasher.Match(ctx, password, holder.PasswordHash)
	if err != nil {
		return Customer{}, err
	}
	if !right {
		return Customer{}, cs.wrongPassword(ctx, op, number, holder)
	}
	//mutant:drop TestLogIn
	if holder.Blocked {
		return Customer{}, fault.New(fault.Forbidden, op, "customer.blocked")
	}
	if err := cs.checkLoginCode(ctx, op, number, holder, k, from); err != nil {
		return Customer{}, err
	}
	if err := cs.enter(ctx, op, number, holder, k, from, func(*database.Tx) error { return nil }); err != nil {
		return Customer{}, err
	}
	//mutant:drop ./web TestPasswordFromAnotherKeyboard
	if outdated {
		//mutant:drop TestOutdatedHashIsRenewed
		cs.renewHash(ctx, holder, password)
	}
	c = holder.Customer()
	c.Browser.Known = k.known
	return c, nil
}

// renewHash stores a hash with the current parameters. A failure is only logged: the
// next login tries again.
func (cs *Customers) renewHash(ctx context.Context, holder *Record, password string) {
	hash, err := cs.hasher.Hash(ctx, password)
	if err == nil {
		err = cs.rehash(ctx, holder.ID, holder.PasswordHash, hash)
	}
	if err != nil {
		slog.WarnContext(ctx, "customer: renewing a password hash failed", "customer", holder.ID, "error", err)
	}
}

// markFamiliar records that a customer has used this browser and address. A browser
// that is known stays so.
func (cs *Customers) markFamiliar(tx *database.Tx, id int64, from Origin, now time.Time) error {
	if from.Device != "" {
		if err := upsertOrigin(tx, id, familiarDevice(cs.keys.Current(), id, from.Device), now); err != nil {
			return err
		}
		known, err := hasOrigin(tx, id, cs.hashes(knownDevice, id, from.Device))
		if err != nil {
			return err
		}
		if known {
			if err := cs.markKnown(tx, id, from, now); err != nil {
				return err
			}
		}
	}
	return upsertOrigin(tx, id, familiarAddress(cs.keys.Current(), id, from.Address), now)
}

// markKnown records that a browser registered the wallet or confirmed an operation of
// it: by a row whose hash only a server with the key can make.
func (cs *Customers) markKnown(tx *database.Tx, id int64, from Origin, now time.Time) error {
	if from.Device == "" {
		return nil
	}
	return upsertOrigin(tx, id, knownDevice(cs.keys.Current(), id, from.Device), now)
}

// hashes returns an origin's hashes under all keys.
func (cs *Customers) hashes(hash func(keyedhash.Key, int64, string) string, id int64, origin string) []string {
	all := make([]string, len(cs.keys))
	for i, key := range cs.keys {
		all[i] = hash(key, id, origin)
	}
	return all
}

func familiarAddress(key keyedhash.Key, id int64, address string) string {
	return key.Sum("familiar", strconv.FormatInt(id, 10), ratelimit.Address(address))
}

func familiarDevice(key keyedhash.Key, id int64, device string) string {
	return key.Sum("familiar device", strconv.FormatInt(id, 10), device)
}

func knownDevice(key keyedhash.Key, id int64, device string) string {
	//mutant:replace "known device" => "familiar device" ./web TestStrangeBrowserConfirms
	//mutant:replace strconv.FormatInt(id, 10), device => device ./web TestForgedKnownBrowser
	return key.Sum("known device", strconv.FormatInt(id, 10), device)
}

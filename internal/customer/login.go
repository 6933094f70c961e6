package customer

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Known reports whether a number is registered on the site: the first step of
// the site asks the password of a known one and offers registration to others.
// fault.TooMany for an address that asks for very many, except in a browser that
// is known for the number.
func (cs *Customers) Known(ctx context.Context, number phone.Number, from Origin) (bool, error) {
	const act = "customer.known"
	r, err := cs.readByPhone(ctx, number)
	if err != nil {
		return false, fault.Wrap(act, err)
	}
	if err := cs.limitLookup(ctx, number, r, from); err != nil {
		return false, fault.Wrap(act, err)
	}
	return r != nil && r.PasswordHash != "", nil
}

// LogIn gives the customer of a number and password. An unknown number takes
// as long as a wrong password and gets the same answer.
//
// Faults: Invalid at password; TooMany; Forbidden where the wallet is blocked
// (told only to who knows the password); Unavailable.
func (cs *Customers) LogIn(ctx context.Context, number phone.Number, password string, from Origin) (Customer, error) {
	const act = "customer.login"
	if password == "" {
		return Customer{}, fault.New(fault.Invalid, act, "customer.password_empty").At("password")
	}
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	k, err := cs.familiarity(ctx, holder, from)
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	if err := cs.limitLogin(ctx, number, from, k); err != nil {
		return Customer{}, err
	}
	if holder == nil {
		holder = &Record{}
	}
	now := cs.o.Now()
	hasher := cs.anonymous
	//mutant:replace k.device || k.address => true ./web TestKnownBrowsersLogInDuringAStorm
	if k.device || k.address {
		hasher = cs.hasher
	}
	right, outdated, err := hasher.Match(ctx, password, holder.PasswordHash)
	if err != nil {
		return Customer{}, err
	}
	if !right {
		return Customer{}, fault.New(fault.Invalid, act, "customer.password_wrong").At("password")
	}
	//mutant:drop TestLogIn
	if holder.Blocked {
		return Customer{}, fault.New(fault.Forbidden, act, "customer.blocked")
	}
	if err := cs.resetLogin(ctx, number, from); err != nil {
		return Customer{}, err
	}
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return cs.remember(tx, holder.ID, from, now)
	})
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	if outdated {
		cs.renewHash(ctx, holder, password)
	}
	return holder.Customer(), nil
}

// renewHash hashes a password with today's parameters. It may fail without
// harm: the next login tries again.
func (cs *Customers) renewHash(ctx context.Context, holder *Record, password string) {
	hash, err := cs.hasher.Hash(ctx, password)
	if err == nil {
		err = cs.rehash(ctx, holder.ID, holder.PasswordHash, hash)
	}
	if err != nil {
		slog.WarnContext(ctx, "customer: password not hashed anew", "customer", holder.ID, "error", err)
	}
}

// remember keeps that a customer has come from here.
func (cs *Customers) remember(tx *database.Tx, id int64, from Origin, now time.Time) error {
	if from.Device != "" {
		if err := remember(tx, id, cs.familiarDevice(id, from.Device), now); err != nil {
			return err
		}
	}
	return remember(tx, id, cs.familiarAddress(id, from.Address), now)
}

func (cs *Customers) familiarAddress(id int64, address string) string {
	return cs.hash("familiar", strconv.FormatInt(id, 10), ratelimit.Address(address))
}

func (cs *Customers) familiarDevice(id int64, device string) string {
	return cs.hash("familiar device", strconv.FormatInt(id, 10), device)
}

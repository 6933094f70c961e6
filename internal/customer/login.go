package customer

import (
	"context"
	"log/slog"
	"strconv"

	"elsom/internal/attempt"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

// Known tells whether a number is registered on the site: the first step of
// the site asks the password of a known one and offers registration to others.
// fault.TooMany for an address that asks for very many.
func (cs *Customers) Known(ctx context.Context, number phone.Number, address string) (bool, error) {
	if err := cs.o.Attempts.Take(ctx, knownAddress, attempt.Place(address)); err != nil {
		return false, err
	}
	r, err := cs.readByPhone(ctx, number)
	if err != nil {
		return false, fault.Wrap("customer.known", err)
	}
	return r != nil && r.PasswordHash != "", nil
}

// LogIn gives the customer of a number and password. An unknown number takes
// as long as a wrong password and gets the same answer.
//
// Faults: Invalid at password; TooMany; Forbidden where the wallet is blocked
// (told only to who knows the password); Unavailable.
func (cs *Customers) LogIn(ctx context.Context, number phone.Number, password, address string) (Customer, error) {
	const act = "customer.login"
	if password == "" {
		return Customer{}, fault.New(fault.Invalid, act, "customer.password_empty").At("password")
	}
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	if holder == nil {
		holder = &Record{}
	}
	now := cs.o.Now()
	here := cs.familiar(holder.ID, address)
	familiar, err := cs.isFamiliar(ctx, holder.ID, here, now.Add(-familiarFor))
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	if err := cs.takeLogin(ctx, number, address, familiar); err != nil {
		return Customer{}, err
	}
	right, outdated, err := cs.hasher.Match(ctx, password, holder.PasswordHash)
	if err != nil {
		return Customer{}, err
	}
	if !right {
		return Customer{}, fault.New(fault.Invalid, act, "customer.password_wrong").At("password")
	}
	if holder.Blocked {
		return Customer{}, fault.New(fault.Forbidden, act, "customer.blocked")
	}
	if err := cs.forgetLogin(ctx, number, address); err != nil {
		return Customer{}, err
	}
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return remember(tx, holder.ID, here, now)
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

// familiar is how an address is remembered as a customer's.
func (cs *Customers) familiar(id int64, address string) string {
	return cs.hash("familiar", strconv.FormatInt(id, 10), attempt.Place(address))
}

package main

import (
	"context"
	"fmt"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

type customerCommands struct {
	Show    customerShow    `cmd:"" help:"Show a wallet: level, limits, blocks, counts. Personal data are masked."`
	Block   customerBlock   `cmd:"" help:"Block a wallet, or only what takes money out of it."`
	Unblock customerUnblock `cmd:"" help:"End all blocks of a wallet."`
	Level   customerLevel   `cmd:"" help:"Change the identification level of a wallet."`
	Unlock  customerUnlock  `cmd:"" help:"Unlock a PIN that is locked after wrong entries. The PIN stays the same."`
	PIN     customerPIN     `cmd:"" name:"pin" help:"Send a new PIN by SMS to a customer who forgot theirs. It confirms one payment."`
}

type sessionCommands struct {
	End sessionsEnd `cmd:"" help:"End all sessions of a wallet's holder on the site."`
}

// StaffFlags has the flags that name a member of staff and the reason; both are
// stored with the action.
type StaffFlags struct {
	Staff  string `help:"Name of the member of staff, in Latin or Cyrillic letters." required:""`
	Reason string `help:"Who asked, and how they proved that they are the holder." required:""`
}

func (s StaffFlags) action() customer.StaffAction { return customer.StaffAction(s) }

// Wallet is the argument that names a wallet.
type Wallet struct {
	Phone string `arg:"" help:"The wallet's number; - reads it from standard input, where no process list shows it."`
}

// number returns the wallet's number.
func (w Wallet) number() (phone.Number, error) { return readNumber(w.Phone) }

// readNumber parses a number on the command line; - reads it from standard input.
func readNumber(typed string) (phone.Number, error) {
	if typed == "-" {
		var err error
		if typed, err = readLine("Number", "number"); err != nil {
			return "", err
		}
	}
	number, err := phone.Parse(typed)
	if err != nil {
		return "", usageError("%s", errorText(err))
	}
	return number, nil
}

// desk has the services and the wallet of a command about one wallet.
type desk struct {
	*customer.Staff
	db      *database.DB
	catalog *catalog.Catalog
	holder  customer.Profile
}

// change runs a command that changes a wallet, as an entry of the operator log.
func (w Wallet) change(ctx context.Context, command string, by StaffFlags, do func(ctx context.Context, d desk) error) error {
	return operate(ctx, command, ActorFlags(by), func(ctx context.Context) error { return w.with(ctx, do) })
}

// with runs do with the wallet. It needs none of the server's keys but the books'.
func (w Wallet) with(ctx context.Context, do func(ctx context.Context, d desk) error) error {
	number, err := w.number()
	if err != nil {
		return err
	}
	return withBooks(ctx, func(db *database.DB) error {
		levels := catalog.New(db, catalog.Options{})
		d := desk{Staff: customer.NewStaff(db, levels), db: db, catalog: levels}
		if d.holder, err = d.ProfileByPhone(ctx, number); err != nil {
			return explainNumber(err)
		}
		return do(ctx, d)
	})
}

// explainNumber returns the error for a number that no wallet has; any other one
// unchanged.
func explainNumber(err error) error {
	if fault.Is(err, fault.NotFound) && fault.As(err).Err == nil {
		return refused("no wallet has this number")
	}
	return err
}

type customerBlock struct {
	Wallet
	Kind string `help:"all: logging in, paying and cash-ins. out: only what takes money out." enum:"all,out" default:"all" placeholder:"all|out"`
	StaffFlags
}

// Help implements kong.HelpProvider.
func (customerBlock) Help() string {
	return `A block of all ends the sessions; terminals get result 79. Payments that were accepted
before end as usual.`
}

// Run blocks a wallet.
func (b customerBlock) Run(ctx context.Context) error {
	return b.change(ctx, "customer block", b.StaffFlags, func(ctx context.Context, d desk) error {
		changed, err := d.Block(ctx, d.holder.ID, customer.BlockKind(b.Kind), b.action())
		if err != nil {
			return err
		}
		what := map[string]string{"all": "is blocked", "out": "can send no money out"}[b.Kind]
		fmt.Printf("The wallet of %s %s%s.\n", d.holder.Phone.Masked(), what, already(changed))
		return nil
	})
}

// already is added to what is so now, if the command changed nothing.
func already(changed bool) string {
	if changed {
		return ""
	}
	return " already; nothing was changed"
}

type customerUnblock struct {
	Wallet
	StaffFlags
}

// Run ends the blocks of a wallet.
func (u customerUnblock) Run(ctx context.Context) error {
	return u.change(ctx, "customer unblock", u.StaffFlags, func(ctx context.Context, d desk) error {
		changed, err := d.Unblock(ctx, d.holder.ID, u.action())
		if err == nil {
			fmt.Printf("The wallet of %s has no block%s.\n", d.holder.Phone.Masked(), already(changed))
		}
		return err
	})
}

type customerLevel struct {
	Wallet
	Level string `arg:"" help:"The level's code in the catalog."`
	StaffFlags
}

// Run changes the level of a wallet.
func (l customerLevel) Run(ctx context.Context) error {
	return l.change(ctx, "customer level", l.StaffFlags, func(ctx context.Context, d desk) error {
		before, err := d.SetLevel(ctx, d.holder.ID, l.Level, l.action())
		if err != nil {
			return err
		}
		if before == l.Level {
			fmt.Printf("The level of %s is %s%s.\n", d.holder.Phone.Masked(), l.Level, already(false))
		} else {
			fmt.Printf("The level of %s is %s; it was %s.\n", d.holder.Phone.Masked(), l.Level, before)
		}
		return nil
	})
}

type customerUnlock struct {
	Wallet
	StaffFlags
}

// Run unlocks a PIN.
func (u customerUnlock) Run(ctx context.Context) error {
	return u.change(ctx, "customer unlock", u.StaffFlags, func(ctx context.Context, d desk) error {
		err := d.UnlockPIN(ctx, d.holder.ID, u.action())
		if err == nil {
			fmt.Printf("The PIN of %s is open again.\n", d.holder.Phone.Masked())
		}
		return err
	})
}

type customerPIN struct {
	Wallet
	StaffFlags
}

// Run sends a new PIN. Only this command about customers needs the server's keys.
func (p customerPIN) Run(ctx context.Context) error {
	number, err := p.number()
	if err != nil {
		return err
	}
	return operate(ctx, "customer pin", ActorFlags(p.StaffFlags), func(ctx context.Context) error {
		return withApp(ctx, func(a *app) error {
			c, err := a.customers.ByPhone(ctx, number)
			if err != nil {
				return explainNumber(err)
			}
			if err := a.customers.IssuePIN(ctx, c.ID, p.action()); err != nil {
				return err
			}
			fmt.Printf("A new PIN is sent to %s by SMS.\n", c.Phone.Masked())
			return nil
		})
	})
}

type sessionsEnd struct {
	Wallet
	StaffFlags
}

// Run ends the sessions of a wallet's holder.
func (s sessionsEnd) Run(ctx context.Context) error {
	return s.change(ctx, "sessions end", s.StaffFlags, func(ctx context.Context, d desk) error {
		err := d.EndSessions(ctx, d.holder.ID, s.action())
		if err == nil {
			fmt.Printf("All sessions of %s on the site are ended.\n", d.holder.Phone.Masked())
		}
		return err
	})
}

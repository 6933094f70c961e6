package main

import (
	"context"
	"errors"
	"fmt"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

type customerCommands struct {
	Unlock customerUnlock `cmd:"" help:"Unlock a PIN that is locked after wrong entries. The PIN stays the same."`
	PIN    customerPIN    `cmd:"" name:"pin" help:"Send a new PIN by SMS to a customer who forgot theirs. It confirms one payment."`
}

// StaffFlags has the flags that name a member of staff and the reason; both are
// stored with the action.
type StaffFlags struct {
	Staff  string `help:"Name of the member of staff." required:""`
	Reason string `help:"Who asked, and how they proved that they are the holder." required:""`
}

type customerUnlock struct {
	Phone string `arg:"" help:"The wallet's number."`
	StaffFlags
}

// Run unlocks a PIN.
func (u customerUnlock) Run(ctx context.Context) error {
	return withCustomer(ctx, u.Phone, func(customers *customer.Customers, c customer.Customer) error {
		if err := customers.UnlockPIN(ctx, c.ID, customer.StaffAction(u.StaffFlags)); err != nil {
			return err
		}
		fmt.Printf("The PIN of %s is open again.\n", c.Phone.Pretty())
		return nil
	})
}

type customerPIN struct {
	Phone string `arg:"" help:"The wallet's number."`
	StaffFlags
}

// Run sends a new PIN.
func (p customerPIN) Run(ctx context.Context) error {
	return withCustomer(ctx, p.Phone, func(customers *customer.Customers, c customer.Customer) error {
		if err := customers.IssuePIN(ctx, c.ID, customer.StaffAction(p.StaffFlags)); err != nil {
			return err
		}
		fmt.Printf("A new PIN is sent to %s by SMS.\n", c.Phone.Pretty())
		return nil
	})
}

func withCustomer(ctx context.Context, typed string, do func(*customer.Customers, customer.Customer) error) error {
	number, err := phone.Parse(typed)
	if err != nil {
		return err
	}
	return withApp(ctx, func(a *app) error {
		c, err := a.customers.ByPhone(ctx, number)
		if fault.Is(err, fault.NotFound) {
			return errors.New("no wallet has this number")
		}
		if err != nil {
			return err
		}
		return do(a.customers, c)
	})
}

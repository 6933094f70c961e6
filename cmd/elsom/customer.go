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
	Unlock customerUnlock `cmd:"" help:"Give the tries of a locked PIN back. The PIN stays."`
	PIN    customerPIN    `cmd:"" name:"pin" help:"Send a new PIN by SMS to who has forgotten theirs. It confirms one payment."`
}

// StaffWord is who acts for a customer, and why; it is written down for good.
type StaffWord struct {
	Staff  string `help:"Who acts." required:""`
	Reason string `help:"Why: who asked, and how they proved to be the holder." required:""`
}

type customerUnlock struct {
	Phone string `arg:"" help:"The wallet's number."`
	StaffWord
}

// Run opens a locked PIN.
func (u customerUnlock) Run(ctx context.Context) error {
	return withCustomer(ctx, u.Phone, func(customers *customer.Customers, c customer.Customer) error {
		if err := customers.UnlockPIN(ctx, c.ID, customer.StaffAction(u.StaffWord)); err != nil {
			return err
		}
		fmt.Printf("The PIN of %s is open.\n", c.Phone.Pretty())
		return nil
	})
}

type customerPIN struct {
	Phone string `arg:"" help:"The wallet's number."`
	StaffWord
}

// Run sends a new PIN.
func (p customerPIN) Run(ctx context.Context) error {
	return withCustomer(ctx, p.Phone, func(customers *customer.Customers, c customer.Customer) error {
		if err := customers.IssuePIN(ctx, c.ID, customer.StaffAction(p.StaffWord)); err != nil {
			return err
		}
		fmt.Printf("A new PIN goes to %s by SMS.\n", c.Phone.Pretty())
		return nil
	})
}

func withCustomer(ctx context.Context, typed string, act func(*customer.Customers, customer.Customer) error) error {
	number, err := phone.Parse(typed)
	if err != nil {
		return err
	}
	return withApp(ctx, func(h *app) error {
		c, err := h.customers.ByPhone(ctx, number)
		if fault.Is(err, fault.NotFound) {
			return errors.New("no wallet has this number")
		}
		if err != nil {
			return err
		}
		return act(h.customers, c)
	})
}

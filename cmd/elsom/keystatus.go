package main

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/keycheck"
)

type keyStatus struct{}

// shortLived is how long what is made with the secret and not renewed lives at most:
// sessions, USSD sessions, counters, codes and messages that carry one.
const shortLived = 24 * time.Hour

// Run prints how much still depends on the previous secret and pepper.
func (keyStatus) Run(ctx context.Context) error {
	return withApp(ctx, func(a *app) error {
		logins, err := a.billers.logins.Stale(ctx)
		if err != nil {
			return err
		}
		pins, err := a.customers.StalePINs(ctx)
		if err != nil {
			return err
		}
		for _, k := range serverKeys(a.config) {
			since, err := keycheck.Since(ctx, a.db, k)
			if err != nil {
				return err
			}
			fmt.Print(keyLine(k, since))
			switch k.Name {
			case keycheck.Secret:
				fmt.Printf("  logins at billers sealed with another secret: %d\n", logins)
				until := since.Add(shortLived)
				removable(k, !since.IsZero() && logins == 0 && !a.db.Now().Before(until), "after "+localTime(until)+", with no such login left")
			case keycheck.Pepper:
				fmt.Printf("  PINs not entered since, hashed with another pepper: %d\n", pins)
				removable(k, !since.IsZero() && pins == 0, "with no such PIN left; without it their holders need a new PIN from staff")
			}
		}
		return nil
	})
}

func keyLine(k keycheck.Key, since time.Time) string {
	if since.IsZero() {
		return fmt.Sprintf("%s: the one in use is not the newest that this database has seen\n", k.Name)
	}
	return fmt.Sprintf("%s: in use since %s\n", k.Name, localTime(since))
}

// removable prints whether the previous key may be removed from the configuration.
func removable(k keycheck.Key, now bool, condition string) {
	switch {
	case len(k.Previous) == 0:
		fmt.Println("  previous: not set")
	case now:
		fmt.Println("  previous: set, may be removed")
	default:
		fmt.Println("  previous: set, may be removed", condition)
	}
}

package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"text/tabwriter"

	"elsom/internal/config"
	"elsom/internal/fault"
)

type billerCommands struct {
	List     billerList     `cmd:"" help:"List billers: address, login, certificate, contract."`
	Password billerPassword `cmd:"" help:"Set the portal's password at a biller. It is read from standard input."`
}

type billerList struct{}

// Run lists billers.
func (billerList) Run(ctx context.Context) error {
	return withoutPepper(ctx, func(a *app) error {
		list, err := a.catalog.Billers(ctx)
		if err != nil {
			return err
		}
		logins, err := a.billers.logins.All(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return printLine("The catalog has no billers; see `elsom help billers`.")
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tNAME\tADDRESS\tLOGIN\tCERTIFICATE UNTIL\tSTORED OUTCOMES")
		for _, b := range list {
			address, login, until, stored := "none", "none", "none", "no"
			if u, err := url.Parse(b.URL); err == nil && b.URL != "" {
				address = u.Scheme + "://" + u.Host
				if u.User != nil {
					login = "in the address"
				}
			}
			if l, ok := logins[b.Code]; ok {
				login = l.User + ", since " + localTime(l.SetAt)
			}
			if end := a.billers.certificates.until(b.Code); !end.IsZero() {
				until = localTime(end)
			}
			if b.AnswersStoredOutcome {
				stored = "yes"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Code, b.Name, address, login, until, stored)
		}
		return table.Flush()
	})
}

type billerPassword struct {
	Code   string `arg:"" help:"The biller's code in the catalog."`
	User   string `help:"The name to log in with." placeholder:"NAME" xor:"what"`
	Remove bool   `help:"Remove the stored login." xor:"what"`
	requiredActor
}

// Help implements kong.HelpProvider.
func (billerPassword) Help() string {
	return `Example: printf '%s\n' "$PASSWORD" | elsom biller password hoster --user elsom

The password is stored encrypted with a key derived from ELSOM_SECRET_KEY, and running
portals use it within a second. It takes precedence over a login in the biller's address or ELSOM_DOSTEK_URL.
A client certificate is a pair of files, CODE.crt and CODE.key (PEM), in the folder of
ELSOM_BILLER_CERTIFICATES, read at the start of the portal.`
}

// Run sets or removes a biller's login.
func (b billerPassword) Run(ctx context.Context) error {
	if b.User == "" && !b.Remove {
		return usageError("give --user NAME to set a password, or --remove; see `elsom biller password --help`")
	}
	password := ""
	if !b.Remove {
		var err error
		if password, err = readPassword(); err != nil {
			return err
		}
	}
	return operate(ctx, "biller password", b.flags(), func(ctx context.Context) error { return b.apply(ctx, password) })
}

// apply sets or removes the login.
func (b billerPassword) apply(ctx context.Context, password string) error {
	return withoutPepper(ctx, func(a *app) error {
		known, err := a.catalog.Biller(ctx, b.Code)
		switch {
		case fault.Is(err, fault.NotFound):
			return refused("there is no biller %q in the catalog; see `elsom biller list`", b.Code)
		case err != nil:
			return err
		}
		if b.Remove {
			removed, err := a.billers.logins.Remove(ctx, b.Code)
			if err == nil && !removed {
				err = refused("biller %s has no login", b.Code)
			}
			if err == nil {
				fmt.Printf("The portal no longer logs in at %s.\n", known.Name)
			}
			return err
		}
		if err := a.billers.logins.Set(ctx, b.Code, b.User, password); err != nil {
			return err
		}
		fmt.Printf("The portal logs in at %s as %s.\n", known.Name, b.User)
		if config.InClear(known.URL) {
			fmt.Fprintln(os.Stderr, "warning: the biller's address is http on another machine, so the password is sent in clear text")
		}
		return nil
	})
}

package main

import (
	"fmt"
	"time"

	"elsom/internal/customer"

	"os"
	"os/user"
	"strconv"

	"net/netip"
	"strings"

	"elsom/internal/credential"
)

func localTime(t time.Time) string { return t.In(customer.Bishkek).Format("2006-01-02 15:04:05") }

// printTruncated prints how many entries a list leaves out, if any.
func printTruncated(what string, shown, all int) {
	if shown < all {
		fmt.Printf("These are the first %d of %d %s.\n", shown, all, what)
	}
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// osUser returns the name of the operating system's user that runs the command,
// or the user's number.
func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// formatAllowed formats the addresses that a caller may call from.
func formatAllowed(allowed []netip.Prefix) string {
	switch {
	case len(allowed) == 0:
		return "any (not chosen)"
	case credential.IsAnywhere(allowed):
		return credential.AnyAddress
	}
	texts := make([]string, len(allowed))
	for i, prefix := range allowed {
		texts[i] = prefix.String()
		if prefix.IsSingleIP() {
			texts[i] = prefix.Addr().String()
		}
	}
	return strings.Join(texts, " ")
}

func stateName(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

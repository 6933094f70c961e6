package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"elsom/internal/credential"
	"elsom/internal/customer"
)

// localTime formats a time for people: RFC 3339 with the offset of Bishkek. All commands
// print times so, and audit --since takes them; JSON has them in UTC.
func localTime(t time.Time) string { return bishkek(t).Format(time.RFC3339) }

// bishkek returns a time in the zone of commands; a zero one unchanged.
func bishkek(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(customer.Bishkek)
}

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

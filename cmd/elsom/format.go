package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/signature"
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

// actingUser is osUser with the user who logged in to the machine, where that is another
// one: "elsom (login aida)" after sudo or su. Only Linux stores it, outside containers.
func actingUser() string {
	login, _ := os.ReadFile("/proc/self/loginuid")
	return withLogin(osUser(), os.Getuid(), strings.TrimSpace(string(login)))
}

// withLogin adds the user with the number login to the name of the user with the number
// uid, if that is another one.
func withLogin(name string, uid int, login string) string {
	const unset = "4294967295" // no login: a service, or a container
	if login == "" || login == unset || login == strconv.Itoa(uid) {
		return name
	}
	loginName := "uid " + login
	if u, err := user.LookupId(login); err == nil {
		loginName = u.Username
	}
	return name + " (login " + loginName + ")"
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

// mark returns what is added to a row of a list that is not as it was signed.
func mark(wrong error) string {
	if wrong == nil {
		return ""
	}
	return ", NOT USED: " + signatureProblem(wrong)
}

// signatureProblem says what is wrong with the signature of a row, and what to do.
func signatureProblem(err error) string {
	switch {
	case errors.Is(err, signature.ErrUnknownKey):
		return "it is signed with a key that ELSOM_BOOKS_KEY does not have; set the list of keys of the portals"
	case errors.Is(err, signature.ErrUnsigned):
		return "it is not signed: it was written past the program, or by a portal without ELSOM_BOOKS_KEY; run elsom audit"
	case errors.Is(err, signature.ErrForged):
		return "it is not as it was signed: it was changed past the program; run elsom audit"
	}
	return err.Error()
}

func isSignatureProblem(err error) bool {
	return errors.Is(err, signature.ErrUnknownKey) || errors.Is(err, signature.ErrUnsigned) || errors.Is(err, signature.ErrForged)
}

// signedText returns a text: whether a row is as it was signed.
func signedText(db *database.DB, err error) string {
	switch {
	case db.Keys() == nil:
		return "not checked, since ELSOM_BOOKS_KEY is not set"
	case err != nil:
		return "WRONG: " + signatureProblem(err)
	}
	return "as it was signed"
}

func stateName(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

// printLine prints a sentence, such as that a list is empty.
func printLine(format string, args ...any) error {
	_, err := fmt.Printf(format+"\n", args...)
	return err
}

package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The checks in this file report at the start what an adapter would report only at
// its first use.

// checkURL returns the parsed address; nil if none is set or it is invalid.
func checkURL(variable string, address Secret, problems *Problems, schemes ...string) *url.URL {
	if address == "" {
		return nil
	}
	at, err := url.Parse(address.Reveal())
	if err != nil || at.Hostname() == "" || at.Fragment != "" || !slices.Contains(schemes, at.Scheme) {
		problems.add(variable, "must be an address that begins with %s://, without a #", strings.Join(schemes, ":// or "))
		return nil
	}
	return at
}

// checkBiller requires an address to which the protocol's parameters can be added.
func checkBiller(variable string, address Secret, problems *Problems) {
	at := checkURL(variable, address, problems, "http", "https")
	if at == nil {
		return
	}
	query, err := url.ParseQuery(at.RawQuery)
	if err != nil {
		problems.add(variable, "has a query that can't be read")
	}
	for _, name := range []string{"command", "txn_id", "txn_date", "account", "sum"} {
		if query.Has(name) {
			problems.add(variable, "must not have the parameter %s: each request brings its own", name)
		}
	}
}

// checkSMS requires Kannel's user and password.
func checkSMS(variable string, address Secret, problems *Problems) {
	at := checkURL(variable, address, problems, "http", "https")
	if at == nil {
		return
	}
	//mutant:replace User.Username() == "" || password == "" => Host == password TestRefusedAddresses
	if password, _ := at.User.Password(); at.User.Username() == "" || password == "" {
		problems.add(variable, "needs Kannel's user and password before the host, as http://user:…@host:13013/cgi-bin/sendsms")
	}
}

// unescaped matches text that Kannel forwards unchanged.
var unescaped = regexp.MustCompile(`\A[A-Za-z0-9._~-]+\z`)

// checkReceipts requires a gateway's code and password in characters that Kannel
// forwards unchanged.
func checkReceipts(variable string, address Secret, problems *Problems) {
	at := checkURL(variable, address, problems, "http", "https")
	if at == nil {
		return
	}
	password, _ := at.User.Password()
	switch {
	case !unescaped.MatchString(at.User.Username()) || !unescaped.MatchString(password):
		problems.add(variable, "needs a gateway's code and password before the host, of letters, digits and . _ ~ - only")
	case at.RawQuery != "" || strings.Contains(at.EscapedPath(), "%"):
		problems.add(variable, "must have no query and no escaped character in its path")
	}
}

package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"elsom/internal/database"
)

type exampleCommands struct {
	Kannel     exampleKannel     `cmd:"" help:"kannel.conf: SMS and receipts through Kannel, and the connection for *900#."`
	KannelUSSD exampleKannelUSSD `cmd:"" name:"kannel-ussd" help:"kannel-ussd.conf: the smsbox of *900#."`
	Roles      exampleRoles      `cmd:"" help:"SQL that makes the two roles of PostgreSQL: the owner of the tables, and the role of elsom serve."`
	Assetlinks assetlinksCommand `cmd:"" help:"assetlinks.json: ties the site to an application in Google Play, which then opens without an address bar."`
}

//go:embed example/kannel.conf
var kannelConf string

//go:embed example/kannel-ussd.conf
var kannelUSSDConf string

type exampleKannel struct{}

// Run prints kannel.conf.
func (exampleKannel) Run() error {
	fmt.Print(kannelConf)
	return nil
}

type exampleKannelUSSD struct{}

// Run prints kannel-ussd.conf.
func (exampleKannelUSSD) Run() error {
	fmt.Print(kannelUSSDConf)
	return nil
}

type exampleRoles struct {
	Owner   string `default:"elsom_owner" help:"The role that owns the tables and runs elsom migrate."`
	Serving string `default:"elsom" help:"The role of elsom serve and the other commands."`
}

// roleShape matches a name that needs no quotes.
var roleShape = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Run prints the script.
func (e exampleRoles) Run() error {
	for _, name := range []string{e.Owner, e.Serving} {
		//mutant:drop ./internal/e2e TestExampleRoles
		if !roleShape.MatchString(name) {
			return usageError("%q can't be the name of a role here: use lower-case letters, digits and _", name)
		}
	}
	if e.Owner == e.Serving {
		return usageError("the two roles must have different names")
	}
	fmt.Print(database.RolesSQL(e.Owner, e.Serving))
	return nil
}

type assetlinksCommand struct {
	Package     string   `default:"kg.example.wallet" placeholder:"ID" help:"The application's id in Google Play."`
	Fingerprint []string `help:"SHA-256 fingerprint of a signing certificate, as Play Console shows it. May be repeated."`
}

// placeholderPackage is the default of --package.
const placeholderPackage = "kg.example.wallet"

var (
	packageShape     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	fingerprintShape = regexp.MustCompile(`^[0-9A-F]{2}(:[0-9A-F]{2}){31}$`)
)

// Help implements kong.HelpProvider.
func (assetlinksCommand) Help() string {
	return `Example: elsom example assetlinks --package kg.example.wallet --fingerprint AB:CD:… > assetlinks.json

Without flags it prints the form with placeholders, and on standard error what to give.
"elsom help push" says where to serve the file.`
}

// Run prints the statement. Source:
// https://developers.google.com/digital-asset-links/v1/statements
func (a assetlinksCommand) Run() error {
	if !packageShape.MatchString(a.Package) {
		return usageError("%q is not an application id; it looks like kg.example.wallet", a.Package)
	}
	prints := make([]string, 0, 1)
	for _, fingerprint := range a.Fingerprint {
		if fingerprint = strings.ToUpper(fingerprint); !fingerprintShape.MatchString(fingerprint) {
			return usageError("%q is not a SHA-256 fingerprint: 32 bytes in hex, separated by colons", fingerprint)
		}
		prints = append(prints, fingerprint)
	}
	if len(prints) == 0 {
		prints = append(prints, strings.TrimSuffix(strings.Repeat("00:", 32), ":"))
		_, _ = fmt.Fprintln(os.Stderr, "the fingerprint is a placeholder: give --fingerprint AB:CD:… from Play Console, App integrity, App signing key")
	}
	if a.Package == placeholderPackage {
		_, _ = fmt.Fprintln(os.Stderr, "the package is a placeholder: give --package, the application's id in Google Play; see elsom help push")
	}
	type target struct {
		Namespace    string   `json:"namespace"`
		Package      string   `json:"package_name"`
		Fingerprints []string `json:"sha256_cert_fingerprints"`
	}
	text, err := json.MarshalIndent([]struct {
		Relation []string `json:"relation"`
		Target   target   `json:"target"`
	}{{[]string{"delegate_permission/common.handle_all_urls"}, target{"android_app", a.Package, prints}}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, string(text))
	return err
}

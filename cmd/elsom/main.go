// Command elsom is the portal and all its operator commands.
//
// It parses the command line and wires the packages of internal and web.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"elsom/internal/i18n"
)

var commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Help     helpCommand      `cmd:"" group:"portal" help:"Print a topic of the operator's handbook; without one, list the topics."`
	Serve    serveCommand     `cmd:"" group:"portal" help:"Run the portal. Migrates an empty or older database first; SIGTERM and SIGHUP drain and end."`
	Migrate  migrateCommand   `cmd:"" group:"portal" help:"Bring the database's schema to this release and exit."`
	Backup   backupCommand    `cmd:"" group:"portal" help:"Copy the SQLite database to a file while the portal runs. For PostgreSQL, use pg_dump."`
	Restore  restoreCommand   `cmd:"" group:"portal" help:"Restore a lost SQLite database from a backup. Stop the portal first."`
	Audit    auditCommand     `cmd:"" group:"books" help:"Verify the books. Exits with 0 if they hold, 1 with a line for each violation, 2 if they could not be checked."`
	Verify   verifyCommand    `cmd:"" group:"books" help:"Verify the file of a receipt with the public key of the log alone."`
	Log      logCommands      `cmd:"" group:"books" help:"The log of signed rows: start a new branch after a restore. (Its checkpoints: audit --head, --compare-head.)"`
	Key      keyCommands      `cmd:"" group:"books" help:"Keys of the books (ELSOM_BOOKS_KEY) and of the log's checkpoints, and the state of a replaced secret or pepper."`
	Payment  paymentCommand   `cmd:"" group:"money" help:"Payments that need a decision."`
	Settle   settleCommands   `cmd:"" group:"money" help:"Record settlements with agents and billers."`
	Agent    agentCommands    `cmd:"" group:"money" help:"Cash-in agents."`
	Biller   billerCommands   `cmd:"" group:"money" help:"Logins at billers."`
	Catalog  catalogCommand   `cmd:"" group:"money" help:"Categories, services, billers, limits, carriers."`
	Customer customerCommands `cmd:"" group:"people" help:"Wallet holders."`
	Sessions sessionCommands  `cmd:"" group:"people" help:"Sessions of wallet holders on the site."`
	Operator operatorCommands `cmd:"" group:"people" help:"The log of the commands that changed something."`
	Security securityCommands `cmd:"" group:"people" help:"The security log."`
	Gateway  gatewayCommands  `cmd:"" group:"other" help:"Gateways of *900# and SMS."`
	SMS      smsCommand       `cmd:"" group:"other" name:"sms" help:"Text messages: test the gateway, count messages by state."`
	Vapid    vapidCommand     `cmd:"" group:"other" help:"Generate a key for Web Push (ELSOM_VAPID_KEY)."`
	Example  exampleCommands  `cmd:"" group:"other" help:"Example configuration files for other programs."`
}

func main() {
	//mutant:replace logs => os.Stderr ./internal/e2e TestLogWithoutReader/stalled
	slog.SetDefault(slog.New(slog.NewJSONHandler(logs, nil)))
	defer logs.flush()
	//mutant:drop ./internal/e2e TestLogWithoutReader/gone
	signal.Ignore(syscall.SIGPIPE) // a reader that closes our output must not end the program
	ctx, stop := signal.NotifyContext(context.Background(), shutdownSignals()...)
	defer stop()

	//mutant:replace {"version": version()}, kong. => {"version": ""}, kong. TestVersion
	parser := kong.Must(&commands, kong.Name("elsom"),
		kong.Description("A mobile wallet: the portal and its operator's commands."),
		kong.Vars{"version": version()}, kong.Vars{"langs": languages()},
		kong.ExplicitGroups([]kong.Group{
			{Key: "portal", Title: "The portal and its database:"}, {Key: "books", Title: "Proof of the books, and keys:"},
			{Key: "money", Title: "Payments, agents, billers, tariffs:"}, {Key: "people", Title: "Customers, and who did what:"},
			{Key: "other", Title: "Connections to other programs:"},
		}),
		kong.Exit(exitOfParser), kong.ShortUsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(os.Args[1:])
	if readerGone(err) { // --help was printed to a closed pipe
		return
	}
	parser.FatalIfErrorf(err)
	if err := command.Run(); err != nil && !readerGone(err) {
		stop()
		for line := range strings.SplitSeq(errorText(err), "\n") {
			_, _ = fmt.Fprintln(logs, "elsom:", line)
		}
		logs.flush()
		os.Exit(exitCode(err)) //nolint:gocritic // the deferred calls were made above
	}
}

// shutdownSignals returns the signals that shut a command down gracefully. SIGHUP is one
// unless it was ignored at the start, as by nohup.
func shutdownSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		//mutant:drop ./internal/e2e TestDraining
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// version returns the release's tag (or Go's pseudo-version), with the compiler
// and the platform.
func version() string {
	release := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		release = info.Main.Version
	}
	return fmt.Sprintf("elsom %s (%s %s/%s)", release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// languages returns the codes of all languages as an enum of kong.
func languages() string {
	codes := make([]string, 0, len(i18n.Langs()))
	for _, lang := range i18n.Langs() {
		codes = append(codes, string(lang))
	}
	return strings.Join(codes, ",")
}

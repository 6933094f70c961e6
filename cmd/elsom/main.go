// Command elsom is the portal and all its operator commands.
//
// It starts parts and joins them; what they do stands in internal and web.
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
)

var commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Help     helpCommand      `cmd:"" help:"Print a topic of the operator's handbook; without one, list the topics."`
	Serve    serveCommand     `cmd:"" help:"Run the portal. Migrates an empty or older database first; SIGTERM and SIGHUP drain and end."`
	Migrate  migrateCommand   `cmd:"" help:"Bring the database's schema to this release and exit."`
	Audit    auditCommand     `cmd:"" help:"Prove the books. Exit 0 when all holds, 1 with a line for each violation, 2 when it could not be made."`
	Backup   backupCommand    `cmd:"" help:"Copy the SQLite database into a file, while the portal runs. PostgreSQL has pg_dump."`
	Restore  restoreCommand   `cmd:"" help:"Put a backup into the place of an SQLite database that is gone. The portal must not run."`
	Agent    agentCommands    `cmd:"" help:"Cash-in agents."`
	Gateway  gatewayCommands  `cmd:"" help:"Gateways of *900# and SMS."`
	Settle   settleCommands   `cmd:"" help:"Payments at the bank: from agents, to billers."`
	Catalog  catalogCommand   `cmd:"" help:"Categories, services, billers, limits, carriers."`
	Biller   billerCommands   `cmd:"" help:"How the portal logs in at billers."`
	Payment  paymentCommand   `cmd:"" help:"Payments that wait for a person."`
	Customer customerCommands `cmd:"" help:"Holders of wallets."`
	Vapid    vapidCommand     `cmd:"" help:"Draw a key for Web Push, for ELSOM_VAPID_KEY."`
	Example  exampleCommands  `cmd:"" help:"Examples of other programs' files."`
	SMS      smsCommand       `cmd:"" name:"sms" help:"Text messages: try the gateway, see what became of them."`
}

func main() {
	//mutant:replace logs => os.Stderr ./internal/e2e TestLogNobodyReads/stalled
	slog.SetDefault(slog.New(slog.NewJSONHandler(logs, nil)))
	defer logs.flush()
	//mutant:drop ./internal/e2e TestLogNobodyReads/gone
	signal.Ignore(syscall.SIGPIPE) // a reader that closes our output must not end the program
	ctx, stop := signal.NotifyContext(context.Background(), shutdownSignals()...)
	defer stop()

	//mutant:replace {"version": version()}, kong. => {"version": ""}, kong. TestVersion
	parser := kong.Must(&commands, kong.Name("elsom"),
		kong.Description("A mobile wallet: the portal and its operator's commands."),
		kong.Vars{"version": version()},
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(os.Args[1:])
	if readerGone(err) { // of the help
		return
	}
	parser.FatalIfErrorf(err)
	if err := command.Run(); err != nil && !readerGone(err) {
		stop()
		for line := range strings.SplitSeq(errorText(err), "\n") {
			_, _ = fmt.Fprintln(logs, "elsom:", line)
		}
		logs.flush()
		os.Exit(exitCode(err)) //nolint:gocritic // what is deferred was done
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

// Command sochi is a stand-in for DosTek's side, for development and tests: an OSMP
// provider whose companies have balances that payments add to. Nothing in it is
// DosTek's; names and balances are invented.
//
// It guarantees that a payment is booked once per service and txn_id, in one
// transaction with its balance, that a repeat gets the stored outcome, and that
// the data survives a killed process. Its front page can make it misbehave, to show
// what the wallet does then. It listens on loopback only and has no passwords: it
// must never serve real payments.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"
)

// environment has the settings.
type environment struct {
	Listen   string `env:"SOCHI_LISTEN" envDefault:"127.0.0.1:8090"`
	Database string `env:"SOCHI_DATABASE" envDefault:"var/sochi.db"`
}

// drainTime is the limit for requests in flight after SIGTERM.
const drainTime = 10 * time.Second

const usage = `Usage: sochi

A stand-in for DosTek's side, for development and tests. It takes no arguments.

  SOCHI_LISTEN    address on loopback (default: 127.0.0.1:8090)
  SOCHI_DATABASE  SQLite file (default: var/sochi.db)
`

func main() {
	if len(os.Args) > 1 {
		if os.Args[1] == "--help" || os.Args[1] == "-h" {
			fmt.Print(usage)
			return
		}
		fmt.Fprintf(os.Stderr, "sochi: unexpected argument %s; see sochi --help\n", os.Args[1])
		os.Exit(80)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader that closes our output must not end the program
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sochi: "+err.Error())
		os.Exit(1)
	}
}

// run serves until ctx ends and the requests in flight are answered.
func run(ctx context.Context, out io.Writer) error {
	e, err := env.ParseAs[environment]()
	if err != nil {
		return err
	}
	if err := loopback(e.Listen); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.Listen)
	if err != nil {
		return fmt.Errorf("can't listen on SOCHI_LISTEN=%s: %w", e.Listen, listenCause(err))
	}
	defer func() { _ = listener.Close() }()
	books, err := openBooks(ctx, e.Database)
	if err != nil {
		return fmt.Errorf("can't open SOCHI_DATABASE=%s: %w", e.Database, err)
	}
	defer books.close()
	fmt.Fprintf(out, "sochi: the stand-in for DosTek's side listens on http://%s\n", listener.Addr())
	return serve(ctx, listener, books)
}

// loopback returns an error for an address that other machines can reach.
func loopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("SOCHI_LISTEN=%s is not host:port", listen)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("SOCHI_LISTEN=%s is not a loopback address, and the stand-in is for this machine only", listen)
	}
	return nil
}

// listenCause returns the error without the address, which the message names.
func listenCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func serve(ctx context.Context, listener net.Listener, books *books) error {
	standIn := newServer(books, time.Now)
	server := &http.Server{
		Handler:           standIn.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // connections are dropped on purpose
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	standIn.stop() // ends responses that are delayed on purpose
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("requests in flight were cut off: %w", err)
	}
	return nil
}

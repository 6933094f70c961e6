// Package system starts elsom and the stand-in for DosTek's side as processes
// and uses them from outside, for tests of the whole system.
//
// A Site is a portal with its stand-in. A Page is what a person sees of it: a
// Client reads it over plain HTTP, a Tab in Chromium. Whatever a program logs is
// searched for phone numbers, ИНН, PINs and codes when its test ends.
package system

import (
	"flag"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// Main runs a package's tests, then closes what they shared.
func Main(m *testing.M) {
	// A signal that is ignored here (by nohup) would be ignored by the programs
	// that the tests start; one that is caught here is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // these tests wait for other processes more than they work
		if err := flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	closeBrowser()
	if temporary != "" {
		_ = os.RemoveAll(temporary)
	}
	os.Exit(code)
}

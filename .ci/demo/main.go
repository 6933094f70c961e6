// Demo shows a payment that survives a failure, with the real programs: the biller
// does not answer, the portal is killed and started again, the biller answers, the
// books are audited. It uses free ports and a temporary folder, which it removes.
// It exits with 1 if a step fails.
//
//	go run ./.ci/demo -bin bin
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "the folder of elsom and sochi")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nFailed: %v\n", err)
		os.Exit(1)
	}
}

// timeout bounds the whole demo.
const timeout = 3 * time.Minute

func run(ctx context.Context, bin string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "elsom-demo-")
	if err != nil {
		return err
	}
	d := &demo{bin: bin, folder: folder, out: out}
	defer func() {
		if err != nil {
			d.showLogs()
		}
		d.portal.stop()
		d.standIn.stop()
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	return d.play(ctx)
}

// demo is the state that its steps share.
type demo struct {
	bin, folder     string
	out             io.Writer
	steps           int
	portal, standIn *program
	browser         *browser
	receipt, code   string
}

const (
	phone   = "+996700123456"
	inn     = "00207199610017"
	balance = "74950" // tyiyn, after the payment
	paid    = 25050
)

// play runs the steps. Each prints what it does, does it and checks the outcome.
func (d *demo) play(ctx context.Context) error {
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"Two programs start: the portal on an empty SQLite database, and a stand-in for DosTek's side.", d.start},
		{"A customer opens a wallet on the site: number, e-mail, password, the code from an SMS.", d.signUp},
		{"A cash terminal puts 1,000 som into it.", d.fill},
		{"DosTek stops answering: it books payments, but its answers never arrive.", d.silence},
		{"The customer pays 250.50 som to a company. The money is in transit, and the receipt says «Платёж обрабатывается».", d.pay},
		{"DosTek has booked it, but the portal has no answer. Now the portal is killed (SIGKILL), during the call.", d.kill},
		{"The portal starts again on the same database. The payment is still there, and so is the login.", d.restart},
		{"DosTek answers again.", d.recover},
		{"The portal repeats the payment with the same txn_id until it is answered: «Платёж проведён».", d.completes},
		{"The company received 250.50 som, once. The wallet has 749.50. An SMS brings the payment's code.", d.compare},
		{"The books are audited: every transfer, every balance, every payment.", d.audit},
	} {
		d.steps++
		_, _ = fmt.Fprintf(d.out, "%2d. %s\n", d.steps, step.title)
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d: %w", d.steps, err)
		}
		_, _ = fmt.Fprintf(d.out, "    Done (%.1f s).\n", time.Since(began).Seconds())
	}
	_, _ = fmt.Fprintln(d.out, "\nNo money was lost: paid once, booked once, and the books hold.")
	return nil
}

func (d *demo) start(ctx context.Context) (err error) {
	if d.standIn, err = d.run(ctx, "sochi", "SOCHI_DATABASE="+d.path("sochi.db")); err != nil {
		return err
	}
	// The first start creates the database and its catalog, the second reads the
	// changed catalog.
	if d.portal, err = d.serve(ctx, ""); err != nil {
		return err
	}
	if err := d.shortenCalls(ctx); err != nil {
		return err
	}
	d.portal.stop()
	if d.portal, err = d.serve(ctx, d.portal.listen); err != nil {
		return err
	}
	d.browser, err = newBrowser(d.portal.url())
	return err
}

// serve starts the portal, on a free port or on the given address.
func (d *demo) serve(ctx context.Context, listen string) (*program, error) {
	return d.runOn(ctx, listen, "elsom", append(d.environment(), "ELSOM_DOSTEK_URL="+d.standIn.url()+"/pay"), "serve")
}

func (d *demo) signUp(ctx context.Context) error {
	b := d.browser
	return b.all(
		func() error { return b.open(ctx, "/") },
		func() error { return b.fill("phone", phone) },
		func() error { return b.press(ctx, "Войти") },
		func() error { return b.fill("email", "demo@example.kg") },
		func() error { return b.fill("password", "Ala-Too "+d.folder) },
		func() error { return b.fill("offer", "on") },
		func() error { return b.press(ctx, "Зарегистрироваться") },
		func() error {
			code, err := d.message(ctx, `\b\d{6}\b`)
			return errors.Join(err, b.fill("code", code))
		},
		func() error { return b.press(ctx, "Подтвердить") },
		func() error { return b.shows("data-balance", "0") },
	)
}

func (d *demo) pay(ctx context.Context) error {
	b := d.browser
	err := b.all(
		func() error { return b.open(ctx, "/cabinet") },
		func() error { return b.shows("data-balance", "100000") },
		func() error { return b.press(ctx, "Услуги") },
		func() error { return b.press(ctx, "Другие") },
		func() error { return b.press(ctx, "DosTek group") },
		func() error { return b.fill("account", inn) },
		func() error { return b.fill("amount", "250,50") },
		func() error { return b.press(ctx, "Далее") },
		func() error { return b.press(ctx, "Оплатить") },
		func() error { return b.shows("data-payment-status", "processing") },
	)
	if err != nil {
		return err
	}
	d.receipt, d.code = b.Path(), b.attribute("data-payment-code")
	return d.checkBalance(ctx)
}

// checkBalance checks the balance on the cabinet page, which is the same during and
// after the payment.
func (d *demo) checkBalance(ctx context.Context) error {
	if err := d.browser.open(ctx, "/cabinet"); err != nil {
		return err
	}
	return d.browser.shows("data-balance", balance)
}

func (d *demo) kill(ctx context.Context) error {
	err := until(ctx, "DosTek has booked the payment", func() (bool, error) {
		got, err := d.companyBalance(ctx)
		return got == paid, err
	})
	if err != nil {
		return err
	}
	d.portal.kill()
	if err := d.browser.open(ctx, "/"); err == nil {
		return errors.New("the portal was killed, but answers")
	}
	return nil
}

func (d *demo) restart(ctx context.Context) (err error) {
	if d.portal, err = d.serve(ctx, d.portal.listen); err != nil {
		return err
	}
	if err := d.browser.open(ctx, d.receipt); err != nil {
		return err
	}
	if err := d.browser.shows("data-payment-status", "processing"); err != nil {
		return err
	}
	return d.checkBalance(ctx)
}

func (d *demo) completes(ctx context.Context) error {
	return until(ctx, "the receipt says completed", func() (bool, error) {
		if err := d.browser.open(ctx, d.receipt); err != nil {
			return false, err
		}
		switch status := d.browser.attribute("data-payment-status"); status {
		case "completed":
			return true, d.browser.shows("data-payment-code", d.code)
		case "processing":
			return false, nil
		default:
			return false, fmt.Errorf("the receipt says %q", status)
		}
	})
}

func (d *demo) compare(ctx context.Context) error {
	got, err := d.companyBalance(ctx)
	if err != nil {
		return err
	}
	if got != paid {
		return fmt.Errorf("the company has %d tyiyn, not %d", got, paid)
	}
	if err := d.checkBalance(ctx); err != nil {
		return err
	}
	code := d.code
	_, err = d.message(ctx, code[:4]+`\s?`+code[4:8]+`\s?`+code[8:])
	return err
}

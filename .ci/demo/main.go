// Demo plays a bad day with the real programs, in plain words: a payment while
// the biller is silent, the portal killed and started again, the biller back, the
// books audited. It uses free ports of this machine and a temporary folder, and
// leaves nothing behind. It ends with 1 if anything is not as it should be.
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
		fmt.Fprintf(os.Stderr, "\nNot as it should be: %v\n", err)
		os.Exit(1)
	}
}

// patience is how long the whole may take.
const patience = 3 * time.Minute

func run(ctx context.Context, bin string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "elsom-demo-")
	if err != nil {
		return err
	}
	d := &day{bin: bin, folder: folder, out: out}
	defer func() {
		if err != nil {
			d.showLogs()
		}
		d.portal.stop()
		d.company.stop()
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	return d.live(ctx)
}

// day is the story and what it takes.
type day struct {
	bin, folder     string
	out             io.Writer
	steps           int
	portal, company *program
	browser         *browser
	receipt, code   string
}

const (
	phone   = "+996700123456"
	inn     = "00207199610017"
	balance = "74950" // tyiyn, after the payment
	paid    = 25050
)

// live tells the day. Each step does what it says and checks what came of it.
func (d *day) live(ctx context.Context) error {
	for _, step := range []struct {
		words string
		do    func(context.Context) error
	}{
		{"Two programs start: the portal on an empty SQLite database, and a stand-in for DosTek's side.", d.start},
		{"Somebody opens a wallet on the site: number, e-mail, password, the code from an SMS.", d.signUp},
		{"A cash terminal puts 1,000 som into it.", d.fill},
		{"DosTek falls silent: it books what it is asked to book, and never answers.", d.silence},
		{"The holder pays 250.50 som to a company. The portal holds the money and says: «Платёж обрабатывается».", d.pay},
		{"DosTek has booked it, and the portal can't know that. Now the portal is killed (SIGKILL), amid the call.", d.kill},
		{"The portal starts again, on the database as it was left. The payment is still there, and so is the login.", d.restart},
		{"DosTek answers again.", d.recover},
		{"The portal repeats the payment under the same number until it is answered: «Платёж проведён».", d.completes},
		{"The company got 250.50 som, once. The wallet holds 749.50. An SMS brings the payment's code.", d.compare},
		{"The books are audited: every transfer, every balance, every payment.", d.audit},
	} {
		d.steps++
		_, _ = fmt.Fprintf(d.out, "%2d. %s\n", d.steps, step.words)
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d: %w", d.steps, err)
		}
		_, _ = fmt.Fprintf(d.out, "    Done (%.1f s).\n", time.Since(began).Seconds())
	}
	_, _ = fmt.Fprintln(d.out, "\nNobody lost anything: paid once, booked once, and the books hold.")
	return nil
}

func (d *day) start(ctx context.Context) (err error) {
	if d.company, err = d.run(ctx, "sochi", "SOCHI_DATABASE="+d.path("sochi.db")); err != nil {
		return err
	}
	// The first start makes the database and its catalog, the second reads what was
	// changed in it.
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
func (d *day) serve(ctx context.Context, listen string) (*program, error) {
	return d.runOn(ctx, listen, "elsom", append(d.environment(), "ELSOM_DOSTEK_URL="+d.company.url()+"/pay"), "serve")
}

func (d *day) signUp(ctx context.Context) error {
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

func (d *day) pay(ctx context.Context) error {
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
	d.receipt, d.code = b.path(), b.attribute("data-payment-code")
	return d.holds(ctx)
}

// holds checks what the cabinet shows while the payment is under way and after.
func (d *day) holds(ctx context.Context) error {
	if err := d.browser.open(ctx, "/cabinet"); err != nil {
		return err
	}
	return d.browser.shows("data-balance", balance)
}

func (d *day) kill(ctx context.Context) error {
	err := until(ctx, "DosTek has booked the payment", func() (bool, error) {
		got, err := d.companyBalance(ctx)
		return got == paid, err
	})
	if err != nil {
		return err
	}
	d.portal.kill()
	if err := d.browser.open(ctx, "/"); err == nil {
		return errors.New("the portal was killed, and answers")
	}
	return nil
}

func (d *day) restart(ctx context.Context) (err error) {
	if d.portal, err = d.serve(ctx, d.portal.listen); err != nil {
		return err
	}
	if err := d.browser.open(ctx, d.receipt); err != nil {
		return err
	}
	if err := d.browser.shows("data-payment-status", "processing"); err != nil {
		return err
	}
	return d.holds(ctx)
}

func (d *day) completes(ctx context.Context) error {
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

func (d *day) compare(ctx context.Context) error {
	got, err := d.companyBalance(ctx)
	if err != nil {
		return err
	}
	if got != paid {
		return fmt.Errorf("the company has %d tyiyn, not %d", got, paid)
	}
	if err := d.holds(ctx); err != nil {
		return err
	}
	code := d.code
	_, err = d.message(ctx, code[:4]+`\s?`+code[4:8]+`\s?`+code[8:])
	return err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// program is a started program.
type program struct {
	name, listen string
	cmd          *exec.Cmd
	done         chan struct{}
}

func (p *program) url() string { return "http://" + p.listen }

// kill sends SIGKILL and waits until the process has ended.
func (p *program) kill() { p.end(syscall.SIGKILL) }

// stop sends SIGTERM, and SIGKILL after ten seconds, and waits.
func (p *program) stop() {
	if p == nil {
		return
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	p.end(syscall.SIGTERM)
}

func (p *program) end(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal)
	<-p.done
}

func (d *demo) path(name string) string { return filepath.Join(d.folder, name) }

// environment returns the variables of the portal and its commands.
func (d *demo) environment() []string {
	return []string{"ELSOM_MODE=development", "ELSOM_DATABASE_URL=sqlite:" + d.path("elsom.db")}
}

// environ returns this process's environment with env, without the variables of
// another installation.
func environ(env []string) []string {
	var clean []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "ELSOM_") && !strings.HasPrefix(line, "SOCHI_") {
			clean = append(clean, line)
		}
	}
	return append(clean, env...)
}

func (d *demo) run(ctx context.Context, name string, env ...string) (*program, error) {
	return d.runOn(ctx, "", name, env)
}

// runOn starts a program on an address, or on a free port, and waits until it
// is healthy.
func (d *demo) runOn(ctx context.Context, listen, name string, env []string, args ...string) (*program, error) {
	if listen == "" {
		free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listen = free.Addr().String()
		_ = free.Close()
	}
	log, err := os.OpenFile(d.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(d.bin, name), args...)
	cmd.Env = environ(append(env, strings.ToUpper(name)+"_LISTEN="+listen))
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.folder, log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{name: name, listen: listen, cmd: cmd, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.done) }()
	err = until(ctx, name+" answers", func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("%s ended by itself", name)
		default:
		}
		return healthy(ctx, p.url()+"/healthz"), nil
	})
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func healthy(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

var client = &http.Client{Timeout: 10 * time.Second}

// until polls until done returns true or an error.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("timeout while waiting until %s: %w", what, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// command runs a command of elsom to its end and returns what it printed.
func (d *demo) command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, "elsom"), args...)
	cmd.Env, cmd.Dir = environ(d.environment()), d.folder
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("elsom %s: %w\n%s%s", strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.Bytes(), nil
}

// shortenCalls lowers the deadline of calls to billers from twenty seconds to two,
// so that the demo takes less than a minute.
func (d *demo) shortenCalls(ctx context.Context) error {
	file, err := d.command(ctx, "catalog", "export")
	if err != nil {
		return err
	}
	short := regexp.MustCompile(`deadline: \d+s`).ReplaceAll(file, []byte("deadline: 2s"))
	if err := os.WriteFile(d.path("catalog.yaml"), short, 0o600); err != nil {
		return err
	}
	_, err = d.command(ctx, "catalog", "import", d.path("catalog.yaml"))
	return err
}

// fill sends the cash-in request of a terminal of the agent QIWI.
func (d *demo) fill(ctx context.Context) error {
	query := url.Values{
		"command": {"pay"}, "txn_id": {"1"}, "txn_date": {time.Now().Format("20060102150405")}, "account": {phone}, "sum": {"1000.00"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.portal.url()+"/osmp?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth("qiwi", "dev-qiwi")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	response := struct {
		Result  *int   `xml:"result"`
		Comment string `xml:"comment"`
	}{}
	if err := xml.NewDecoder(answer.Body).Decode(&response); err != nil {
		return fmt.Errorf("the terminal is answered %s: %w", answer.Status, err)
	}
	if response.Result == nil || *response.Result != 0 {
		return fmt.Errorf("the terminal is refused: %+v", response)
	}
	return nil
}

func (d *demo) silence(ctx context.Context) error { return d.behave(ctx, "silent-after") }
func (d *demo) recover(ctx context.Context) error { return d.behave(ctx, "normal") }

// behave sets how the stand-in answers payments.
func (d *demo) behave(ctx context.Context, mode string) error {
	form := url.Values{"service": {"dostek"}, "command": {"pay"}, "mode": {mode}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.standIn.url()+"/switches", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the stand-in's switch: %s", answer.Status)
	}
	return nil
}

// getJSON decodes the JSON of an address into a value.
func getJSON(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(address + ": " + answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// companyBalance returns the balance that the stand-in has booked, in tyiyn.
func (d *demo) companyBalance(ctx context.Context) (int, error) {
	var company struct{ Balance int }
	err := getJSON(ctx, d.standIn.url()+"/companies/"+inn, &company)
	return company.Balance, err
}

// message waits for an SMS that matches a pattern and returns the match.
func (d *demo) message(ctx context.Context, pattern string) (found string, err error) {
	wanted := regexp.MustCompile(pattern)
	err = until(ctx, "an SMS arrives", func() (bool, error) {
		var list []struct{ Text string }
		if err := getJSON(ctx, d.portal.url()+"/dev/sms?phone="+url.QueryEscape(phone), &list); err != nil {
			return false, err
		}
		for _, sms := range list {
			if found = wanted.FindString(sms.Text); found != "" {
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

// audit runs elsom audit and prints its last line.
func (d *demo) audit(ctx context.Context) error {
	proof, err := d.command(ctx, "audit")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(proof)), "\n")
	_, _ = fmt.Fprintf(d.out, "    elsom audit: %s\n", lines[len(lines)-1])
	return nil
}

// showLogs prints the last lines of both programs.
func (d *demo) showLogs() {
	for _, name := range []string{"elsom", "sochi"} {
		log, err := os.ReadFile(d.path(name + ".log"))
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(log)), "\n")
		fmt.Fprintf(os.Stderr, "\nThe last lines of %s:\n%s\n", name, strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
}

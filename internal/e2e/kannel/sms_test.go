package kannel_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// TestSMS sends messages through Debian's Kannel, bound over SMPP.
func TestSMS(t *testing.T) {
	t.Parallel()
	c := newChain(t)
	for _, part := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"a code signs somebody up", c.signUpByCode}, {"letters", c.showTexts}, {"ends", c.receiptsOfFailure}, {"an operator tries", c.smsTestCommand},
		{"the center disconnects", c.centerDisconnects}, {"an answer is lost", c.answerLost}, {"a call is lost", c.callLost},
		{"the portal is away", c.portalAway}, {"Kannel is killed", c.kannelKilled}, {"a phone dials", c.dialOverSMPP},
	} {
		if !t.Run(part.name, part.do) {
			t.FailNow() // the rest depends on it
		}
	}
	c.logs(t)
}

// The code in the SMS opens the wallet, and the delivery receipt arrives.
func (c *chain) signUpByCode(t *testing.T) {
	p, r := system.NewPerson(), system.NewClient(t, c.Site)
	r.Open("/")
	r.Fill("phone", p.Phone)
	r.Press("Войти")
	r.Fill("email", p.Email)
	r.Fill("password", p.Password)
	r.Tick("offer")
	r.Press("Зарегистрироваться")
	got := c.center.waitMessage(0, p.Phone, "код подтверждения")
	code := system.KeepCode(system.SixDigits.FindStringSubmatch(got.Text)[1])
	c.secrets = append(c.secrets, code, p.Phone[4:])
	r.Fill("code", code)
	r.Press("Подтвердить")
	if r.Path() != "/cabinet" || got.From != "ELSOM" || got.Coding != 8 {
		t.Fatalf("%s after %+v", r.Path(), got)
	}
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		r.Open("/messages")
		if strings.Contains(r.Text(), "Доставлено") {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("no receipt: %s", r.Text())
		}
	}
	if strings.Contains(r.Text(), code) || !strings.Contains(r.Text(), "••••••") {
		t.Errorf("the messages are %s", r.Text())
	}
}

// The phone shows the text as written, in each language, in one or two parts.
func (c *chain) showTexts(t *testing.T) {
	for _, lang := range i18n.Langs() {
		s := c.queueSMS(t, lang)
		got := c.center.waitMessage(0, s.phone, "")
		if got.Text != s.text || got.Parts > 2 || got.Link != "elsom" {
			t.Errorf("%s: %d parts\n%s\n%s", lang, got.Parts, got.Text, s.text)
		}
		c.waitState(t, s.key, "delivered")
	}
}

func (c *chain) receiptsOfFailure(t *testing.T) {
	defer c.center.command(map[string]any{"receipts": "DELIVRD"})
	for _, fate := range []string{"UNDELIV", "REJECT"} {
		c.center.command(map[string]any{"receipts": fate})
		s := c.queueSMS(t, i18n.RU)
		c.waitState(t, s.key, "failed")
	}
}

func (c *chain) smsTestCommand(t *testing.T) {
	out := system.Run(t, c.Env, "sms", "test", "0700 654 321")
	c.secrets = append(c.secrets, "700654321")
	if out.Code != 0 || !strings.Contains(out.Stdout, "Delivered.") {
		t.Errorf("%+v", out)
	}
	c.center.waitMessage(0, "+996700654321", "проверка")
	c.center.command(map[string]any{"receipts": "UNDELIV"})
	defer c.center.command(map[string]any{"receipts": "DELIVRD"})
	if out := system.Run(t, c.Env, "sms", "test", "0700654321", "--lang", "ky"); out.Code != 1 || !strings.Contains(out.Stderr, "not delivered") {
		t.Errorf("not delivered: %+v", out)
	}
	if out := system.Run(t, c.Env, "sms", "test", "0312 960 888"); out.Code != 80 || !strings.Contains(out.Stderr, "not a mobile number") {
		t.Errorf("a landline: %+v", out)
	}
}

// Kannel stores accepted messages until the center is back.
func (c *chain) centerDisconnects(t *testing.T) {
	before := c.center.command(map[string]any{"cut": true})
	var list []testMessage
	for range 3 {
		list = append(list, c.queueSMS(t, i18n.KY))
	}
	for _, s := range list {
		c.waitState(t, s.key, "sent")
	}
	c.center.command(map[string]any{"cut": false})
	c.waitBound(before)
	for _, s := range list {
		c.waitState(t, s.key, "delivered")
		if n := c.center.countMessages(s.text); n != 1 {
			t.Errorf("%s arrived %d times", s.key, n)
		}
	}
}

// Kannel has the message, and its receipt arrives: it is not sent again.
func (c *chain) answerLost(t *testing.T) {
	c.proxy.setLose("answer")
	defer c.proxy.setLose("")
	s := c.queueSMS(t, i18n.RU)
	c.waitState(t, s.key, "delivered")
	c.proxy.setLose("")
	c.skipPauses(t)
	time.Sleep(time.Second) // some searches for due messages
	c.waitState(t, s.key, "delivered")
	if _, repeats := c.state(t, s.key); repeats != 0 || c.center.countMessages(s.text) != 1 {
		t.Errorf("%d repeats, arrived %d times", repeats, c.center.countMessages(s.text))
	}
}

// Kannel did not receive it, which the portal can't detect: the message is sent again later,
// which is counted and shown. A code is not sent again.
func (c *chain) callLost(t *testing.T) {
	c.proxy.setLose("call")
	defer c.proxy.setLose("")
	s := c.queueSMS(t, i18n.EN)
	p, r := system.NewPerson(), system.NewClient(t, c.Site)
	c.secrets = append(c.secrets, p.Phone[4:])
	r.Open("/")
	r.Fill("phone", p.Phone)
	r.Press("Войти")
	r.Fill("email", p.Email)
	r.Fill("password", p.Password)
	r.Tick("offer")
	r.Press("Зарегистрироваться")
	c.waitState(t, s.key, "queued")
	code := "none"
	for begin := time.Now(); code == "none" && time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		_ = c.books.Pool().QueryRow("SELECT key FROM messages WHERE phone = $1 AND asked_by <> 0", p.Phone).Scan(&code)
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		var waiting int
		if err := c.books.Pool().QueryRow("SELECT COUNT(*) FROM messages WHERE state = 'queued' AND asked_by <> 0 AND tries = 1 AND due_at > asked_at").
			Scan(&waiting); err == nil && waiting == 2 {
			break // both calls have failed
		}
	}
	c.proxy.setLose("")
	c.skipPauses(t)
	c.waitState(t, s.key, "delivered")
	c.waitState(t, code, "failed")
	if _, repeats := c.state(t, s.key); repeats != 1 || c.center.countMessages(s.text) != 1 {
		t.Errorf("%d repeats, arrived %d times", repeats, c.center.countMessages(s.text))
	}
	if out := system.Run(t, c.Env, "sms", "status"); out.Code != 0 || !regexp.MustCompile(`lost answer, ever +1\n`).MatchString(out.Stdout) {
		t.Errorf("%+v", out)
	}
	answer, err := http.Get("http://" + c.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if figures, err := io.ReadAll(answer.Body); err != nil || !bytes.Contains(figures, []byte("elsom_sms_repeated_total 1\n")) {
		t.Errorf("the metrics don't count the repeat: %v", err)
	}
}

// Kannel repeats a receipt while the portal is down.
func (c *chain) portalAway(t *testing.T) {
	c.center.command(map[string]any{"delay": 1000})
	defer c.center.command(map[string]any{"delay": 20})
	s := c.queueSMS(t, i18n.RU)
	c.waitState(t, s.key, "sent")
	c.Portal.Stop(syscall.SIGKILL)
	time.Sleep(1500 * time.Millisecond) // the receipt arrives meanwhile
	c.Site.Start(c.t)
	c.waitState(t, s.key, "delivered")
}

// Messages that Kannel accepted survive its kill, others are sent later, and only
// those whose answer was lost are sent again.
func (c *chain) kannelKilled(t *testing.T) {
	messages, calls := c.proxy.counts()
	repeated := c.repeats(t)
	before := c.center.command(map[string]any{"cut": true})
	var list []testMessage
	for range 4 {
		list = append(list, c.queueSMS(t, i18n.KY))
	}
	for _, s := range list {
		c.waitState(t, s.key, "sent")
	}
	for range 6 {
		list = append(list, c.queueSMS(t, i18n.RU))
	}
	time.Sleep(50 * time.Millisecond) // some are being sent
	c.kannel.kill()
	c.proxy.close()
	time.Sleep(300 * time.Millisecond)
	c.center.command(map[string]any{"cut": false})
	c.proxy.open(t)
	c.kannel.open(c.t)
	c.waitBound(before)
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		c.skipPauses(t)
		open := 0
		for _, s := range list {
			if state, _ := c.state(t, s.key); state != "delivered" {
				open++
			}
		}
		if open == 0 {
			break
		}
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("%d messages have not arrived", open)
		}
	}
	for _, s := range list {
		if c.center.countMessages(s.text) == 0 {
			t.Errorf("%s was lost", s.key)
		}
	}
	messagesNow, callsNow := c.proxy.counts()
	if n := c.repeats(t) - repeated; messagesNow-messages != len(list) || callsNow-calls != len(list)+n {
		t.Errorf("%d messages in %d calls, %d repeats counted", messagesNow-messages, callsNow-calls, n)
	}
}

func (c *chain) repeats(t *testing.T) (n int) {
	t.Helper()
	if err := c.books.Pool().QueryRow("SELECT COALESCE(SUM(repeats), 0) FROM messages").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// logs checks that the logs of Kannel and the portal have no text, number, code,
// token or password.
func (c *chain) logs(t *testing.T) {
	t.Helper()
	logs, err := filepath.Glob(c.kannel.folder + "/*.log")
	if err != nil || len(logs) < 3 {
		t.Fatalf("logs: %v, %v", logs, err)
	}
	for _, p := range append(c.kannel.boxes, c.Portal) {
		logs = append(logs, p.Log)
	}
	lines := 0
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
		for _, secret := range append(c.proxy.tokens(), c.secrets...) {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s contains %q", filepath.Base(path), secret)
			}
		}
	}
	if lines < 50 {
		t.Errorf("only %d lines were logged", lines)
	}
}

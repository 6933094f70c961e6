package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestReadmeSteps does what the README tells a newcomer to do, in Chromium with
// scripts and without, on the programs as `make run` starts them: the five
// steps, *900#, and the bad day. Addresses, names of controls and values are
// those of the README; one that the walk didn't need, or that the README
// doesn't have, fails it.
func TestReadmeSteps(t *testing.T) {
	t.Parallel()
	for _, screen := range []screen{{width: 360, scripts: true}, {width: 1280, dark: true}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			w := &readmeWalk{guide: readGuide(t), site: makeRun(t)}
			w.surfer = newSurfer(t, w.site, screen)
			w.signUp()
			w.payCash("your number, 1000", "0700 123 456", "1000")
			w.pay()
			w.outcome("250,50")
			w.badDay()
			w.dialAndPay()
			w.site.audit(t)
			w.guide.used(t)
		})
	}
}

// makeRun starts both programs by the script of `make run`.
func makeRun(t *testing.T) *site {
	t.Helper()
	folder, script := t.TempDir(), filepath.Join("..", "..", ".ci", "start")
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, ".ci"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".ci", "start"), text, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(binary(t, "elsom")), filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	listen, company := freeAddress(t), freeAddress(t)
	cmd := exec.Command(filepath.Join(folder, ".ci", "start"))
	cmd.Dir, cmd.Env = folder, cleanEnvironment([]string{"ELSOM_LISTEN=" + listen, "SOCHI_LISTEN=" + company})
	guide, err := os.Create(filepath.Join(folder, "guide"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guide.Close() })
	cmd.Stdout = guide // it names an ИНН, which no log may
	s := &site{base: "http://" + listen, company: "http://" + company, database: "sqlite:" + filepath.Join(folder, "var", "elsom.db")}
	s.portal = launch(t, "make run", cmd)
	s.portal.log = filepath.Join(folder, "var", "elsom.log")
	s.portal.serves(t, s.company)
	s.portal.serves(t, s.base)
	return s
}

// guide is the README's chapter «Try it». It tells which of its quoted words
// the walk has used.
type guide struct {
	text string
	seen map[string]bool
}

var quoted = regexp.MustCompile("«([^»]+)»|`([^`]+)`|<(http[^>]+)>")

func readGuide(t *testing.T) *guide {
	t.Helper()
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(content), "Then, in five minutes:")
	text, _, ended := strings.Cut(text, "`make help`")
	if !found || !ended {
		t.Fatal("the README has no steps to try")
	}
	return &guide{line(text), map[string]bool{}}
}

// words returns words that the README must have.
func (g *guide) words(t testing.TB, words string) string {
	t.Helper()
	if !strings.Contains(g.text, words) {
		t.Fatalf("the README doesn't say %q:\n%s", words, g.text)
	}
	g.seen[words] = true
	return words
}

// used fails where the README quotes something that the walk has not used.
func (g *guide) used(t *testing.T) {
	t.Helper()
	for _, groups := range quoted.FindAllStringSubmatch(g.text, -1) {
		if words := strings.Join(groups[1:], ""); !g.seen[words] {
			t.Errorf("the README says %q, and no step of this test follows it", words)
		}
	}
}

// readmeWalk is a newcomer with the README in hand.
type readmeWalk struct {
	*surfer
	guide *guide
	site  *site
}

// visit opens an address that the README names.
func (w *readmeWalk) visit(address string) {
	w.t.Helper()
	address = w.guide.words(w.t, address)
	for documented, base := range map[string]string{"http://127.0.0.1:8080": w.site.base, "http://127.0.0.1:8090": w.site.company} {
		if path, ours := strings.CutPrefix(address, documented); ours {
			w.run(chromedp.Navigate(base + path))
			return
		}
	}
	w.t.Fatalf("the README leads to %s", address)
}

// choose presses the control of that name.
func (w *readmeWalk) choose(name string) {
	w.t.Helper()
	w.press(w.guide.words(w.t, name))
}

func (w *readmeWalk) enter(field, value string) {
	w.t.Helper()
	w.fill(field, w.guide.words(w.t, value))
}

const (
	readmePhone   = "http://127.0.0.1:8080/dev/phone"
	readmeCompany = "http://127.0.0.1:8090/companies/00207199610017"
)

// signUp is steps 1 and 2.
func (w *readmeWalk) signUp() {
	w.visit("http://127.0.0.1:8080")
	w.enter("phone", "0700 123 456")
	w.choose("Войти")
	w.fill("email", "newcomer@example.kg")
	w.fill("password", "көк-дөңгөлөк 2026")
	w.tick("offer")
	w.choose("Зарегистрироваться")
	confirm := w.path()
	if link := "/dev/phone?phone="; !strings.HasPrefix(w.attribute("target"), "_blank") || !w.links(link) {
		w.t.Errorf("the page of the code has no link to the handset: %s", w.text())
	}
	code := keepCode(sixDigits.FindStringSubmatch(w.handset("0700 123 456", sixDigits))[1])
	w.open(confirm)
	w.fill("code", code)
	w.choose("Подтвердить")
	if w.path() != "/cabinet" {
		w.t.Fatalf("signed up, and at %s: %s", w.path(), w.text())
	}
}

func (w *readmeWalk) links(address string) (found bool) {
	w.t.Helper()
	w.ask(&found, `!!document.querySelector('a[href^="' + %s + '"]')`, address)
	return found
}

// handset waits for a message on the handset's page and returns it.
func (w *readmeWalk) handset(number string, like *regexp.Regexp) string {
	w.t.Helper()
	w.visit(readmePhone)
	w.fill("phone", number)
	w.press("Взять телефон")
	var texts []string
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
		// Without scripts the page gets itself anew, and may be away just now.
		if w.try(&texts, `[...document.querySelectorAll('.sms-text')].map(e => e.textContent)`) != nil {
			continue
		}
		if i := slices.IndexFunc(texts, like.MatchString); i >= 0 {
			return texts[i]
		}
	}
	w.t.Fatalf("the handset of %s has no message like %s: %q", number, like, texts)
	return ""
}

// payCash is step 3: the terminal. The README's words name what is typed.
func (w *readmeWalk) payCash(words, number, sum string) {
	w.t.Helper()
	w.guide.words(w.t, words)
	w.visit("http://127.0.0.1:8080/dev/terminal")
	w.fill("phone", number)
	w.fill("amount", sum)
	w.choose("Найти кошелёк")
	w.choose("Внести")
	if result := w.attribute("data-cashin-result"); result != "0" {
		w.t.Fatalf("the terminal says %s: %s", result, w.text())
	}
}

// pay is step 4.
func (w *readmeWalk) pay() {
	w.t.Helper()
	w.open("/cabinet")
	for _, place := range []string{"Услуги", "Другие", "DosTek group"} {
		w.choose(place)
	}
	w.enter("account", "00207199610017")
	w.enter("amount", "250,50")
	w.choose("Далее")
	w.choose("Оплатить")
}

// outcome is step 5: receipt, SMS, the company's balance.
func (w *readmeWalk) outcome(balance string) {
	w.t.Helper()
	w.wait("data-payment-status", "completed")
	code := w.attribute("data-payment-code")
	w.handset("0700 123 456", regexp.MustCompile(strings.ReplaceAll(grouped(code), " ", `\D?`)))
	w.visit(readmeCompany)
	w.says(balance)
}

// badDay makes the biller silent, pays, and lets it answer again.
func (w *readmeWalk) badDay() {
	w.visit("http://127.0.0.1:8090")
	var found bool
	w.ask(&found, `(() => { const o = [...document.querySelectorAll('option')].find(o => o.textContent === %s); if (!o) return false;
		o.selected = true; return true; })()`, w.guide.words(w.t, "молчать, не зачисляя"))
	if !found {
		w.t.Fatalf("the stand-in can't be silent: %s", w.text())
	}
	w.choose("Включить")
	w.pay()
	w.says(w.guide.words(w.t, "Платёж обрабатывается"))
	receipt := w.path()
	w.visit("http://127.0.0.1:8090")
	w.choose("Сбросить всё")
	w.open(receipt)
	w.wait("data-payment-status", "completed")
}

// dialAndPay is the same without the Internet.
func (w *readmeWalk) dialAndPay() {
	number := w.guide.words(w.t, "0550 123 456")
	w.visit(readmePhone)
	w.fill("phone", number)
	w.press("Взять телефон")
	w.dialed(w.guide.words(w.t, "*900#"))
	w.says("1 Кыргызча")
	w.guide.words(w.t, "(language, 1, `Бакыт Асанов`, a person's ИНН such as `21503199012345`, 1, 1)")
	for _, step := range [][2]string{
		{"2", "1 Подтвердить"}, {"1", "имя и фамилию"}, {w.guide.words(w.t, "Бакыт Асанов"), "личный ИНН"},
		{w.guide.words(w.t, "21503199012345"), "1 Верно"}, {"1", "оферту"}, {"1", "Кошелёк открыт"},
	} {
		w.answer(step[0], step[1])
	}
	pin := pinOf(w.handset(number, regexp.MustCompile(`^\d{4} `)))
	w.payCash("put money in at the terminal", number, "500")
	w.visit(readmePhone)
	w.dialed("*900#")
	w.says("3 Платежи")
	w.guide.words(w.t, "dial again: 3, 3, 14, 14, the company's ИНН, the sum, the PIN from the SMS")
	for _, step := range [][2]string{
		{"3", "3 Оплатить счёт"}, {"3", "14 Другие услуги"}, {"14", "14 Достэк"}, {"14", "14 цифр"},
		{"00207199610017", "Введите сумму"}, {"250,50", "Введите ПИН"}, {pin, "Платёж принят. Код"},
	} {
		w.answer(step[0], step[1])
	}
	code := regexp.MustCompile(`Код (\d{4}) (\d{4}) (\d{4})`).FindStringSubmatch(w.text())
	w.handset(number, regexp.MustCompile(strings.Join(code[1:], `\D?`)))
	w.visit(readmeCompany)
	w.says("751,50")
}

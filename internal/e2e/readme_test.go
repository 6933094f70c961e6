package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// TestReadmeSteps follows the README's steps, in Chromium with scripts and without,
// on the programs as `make run` starts them: the five steps, *900#, and a silent
// biller. Addresses, names of controls and values are those of the README; the test
// fails if it doesn't use one of them, or if the README doesn't have it.
func TestReadmeSteps(t *testing.T) {
	t.Parallel()
	for _, screen := range []system.Screen{{Width: 360, Scripts: true}, {Width: 1280, Dark: true}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			w := &readmeWalk{guide: readGuide(t), site: makeRun(t)}
			w.Tab = system.NewTab(t, w.site, screen)
			w.signUp()
			w.payCash("your number, 1000", "0700 123 456", "1000")
			w.pay()
			w.outcome("250,50")
			w.silentBiller()
			w.dialAndPay()
			w.site.Audit(t)
			w.guide.used(t)
		})
	}
}

// makeRun starts both programs with the script of `make run`.
func makeRun(t *testing.T) *system.Site {
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
	if err := os.Symlink(filepath.Dir(system.Binary(t, "elsom")), filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	listen, company := system.FreeAddress(t), system.FreeAddress(t)
	cmd := exec.Command(filepath.Join(folder, ".ci", "start"))
	cmd.Dir, cmd.Env = folder, system.Environment([]string{"ELSOM_LISTEN=" + listen, "SOCHI_LISTEN=" + company})
	guide, err := os.Create(filepath.Join(folder, "guide"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guide.Close() })
	cmd.Stdout = guide // it has an ИНН, which no log may contain
	s := &system.Site{BaseURL: "http://" + listen, StandInURL: "http://" + company, Database: "sqlite:" + filepath.Join(folder, "var", "elsom.db")}
	s.Portal = system.Launch(t, "make run", cmd)
	s.Portal.Log = filepath.Join(folder, "var", "elsom.log")
	s.Portal.WaitHealthy(t, s.StandInURL)
	s.Portal.WaitHealthy(t, s.BaseURL)
	return s
}

// guide is the README's section «Try it», and which of its quoted texts were used.
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
	return &guide{system.OneLine(text), map[string]bool{}}
}

// words returns a text that the README must have.
func (g *guide) words(t testing.TB, words string) string {
	t.Helper()
	if !strings.Contains(g.text, words) {
		t.Fatalf("the README doesn't say %q:\n%s", words, g.text)
	}
	g.seen[words] = true
	return words
}

// used reports an error for each quoted text that was not used.
func (g *guide) used(t *testing.T) {
	t.Helper()
	for _, groups := range quoted.FindAllStringSubmatch(g.text, -1) {
		if words := strings.Join(groups[1:], ""); !g.seen[words] {
			t.Errorf("the README has %q, which no step of this test uses", words)
		}
	}
}

// readmeWalk follows the README in a tab.
type readmeWalk struct {
	*system.Tab
	guide *guide
	site  *system.Site
}

// visit opens an address of the README.
func (w *readmeWalk) visit(address string) {
	w.T.Helper()
	address = w.guide.words(w.T, address)
	for documented, base := range map[string]string{"http://127.0.0.1:8080": w.site.BaseURL, "http://127.0.0.1:8090": w.site.StandInURL} {
		if path, ours := strings.CutPrefix(address, documented); ours {
			w.Load(base + path)
			return
		}
	}
	w.T.Fatalf("the README leads to %s", address)
}

// choose presses a control that the README names.
func (w *readmeWalk) choose(name string) {
	w.T.Helper()
	w.Press(w.guide.words(w.T, name))
}

func (w *readmeWalk) enter(field, value string) {
	w.T.Helper()
	w.Fill(field, w.guide.words(w.T, value))
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
	w.Fill("email", "newcomer@example.kg")
	w.Fill("password", "көк-дөңгөлөк 2026")
	w.Tick("offer")
	w.choose("Зарегистрироваться")
	confirm := w.Path()
	if link := "/dev/phone?phone="; !strings.HasPrefix(w.Attribute("target"), "_blank") || !w.links(link) {
		w.T.Errorf("the page of the code has no link to the handset: %s", w.Text())
	}
	code := system.KeepCode(system.SixDigits.FindStringSubmatch(w.handset("0700 123 456", system.SixDigits))[1])
	w.Open(confirm)
	w.Fill("code", code)
	w.choose("Подтвердить")
	if w.Path() != "/cabinet" {
		w.T.Fatalf("signed up, and at %s: %s", w.Path(), w.Text())
	}
}

func (w *readmeWalk) links(address string) (found bool) {
	w.T.Helper()
	w.Eval(&found, `!!document.querySelector('a[href^="' + %s + '"]')`, address)
	return found
}

// handset waits for a message on the handset's page and returns it.
func (w *readmeWalk) handset(number string, like *regexp.Regexp) string {
	w.T.Helper()
	w.visit(readmePhone)
	w.Fill("phone", number)
	w.Press("Взять телефон")
	var texts []string
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
		w.Eval(&texts, `[...document.querySelectorAll('.sms-text')].map(e => e.textContent)`)
		if i := slices.IndexFunc(texts, like.MatchString); i >= 0 {
			return texts[i]
		}
		if !w.Screen.Scripts {
			w.Press("Обновить")
		}
	}
	w.T.Fatalf("the handset of %s has no message like %s: %q", number, like, texts)
	return ""
}

// payCash is step 3: the terminal.
func (w *readmeWalk) payCash(words, number, sum string) {
	w.T.Helper()
	w.guide.words(w.T, words)
	w.visit("http://127.0.0.1:8080/dev/terminal")
	w.Fill("phone", number)
	w.Fill("amount", sum)
	w.choose("Найти кошелёк")
	w.choose("Внести")
	if result := w.Attribute("data-cashin-result"); result != "0" {
		w.T.Fatalf("the terminal says %s: %s", result, w.Text())
	}
}

// pay is step 4.
func (w *readmeWalk) pay() {
	w.T.Helper()
	w.Open("/cabinet")
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
	w.T.Helper()
	w.WaitAttribute("data-payment-status", "completed")
	code := w.Attribute("data-payment-code")
	w.handset("0700 123 456", regexp.MustCompile(strings.ReplaceAll(system.Grouped(code), " ", `\D?`)))
	w.visit(readmeCompany)
	waitText(w.Tab, balance)
}

// silentBiller pays while the biller doesn't answer, then lets it answer again.
func (w *readmeWalk) silentBiller() {
	w.visit("http://127.0.0.1:8090")
	var found bool
	w.Eval(&found, `(() => { const o = [...document.querySelectorAll('option')].find(o => o.textContent === %s); if (!o) return false;
		o.selected = true; return true; })()`, w.guide.words(w.T, "молчать, не зачисляя"))
	if !found {
		w.T.Fatalf("the stand-in can't be silent: %s", w.Text())
	}
	w.choose("Включить")
	w.pay()
	waitText(w.Tab, w.guide.words(w.T, "Платёж обрабатывается"))
	receipt := w.Path()
	w.visit("http://127.0.0.1:8090")
	w.choose("Сбросить всё")
	w.Open(receipt)
	w.WaitAttribute("data-payment-status", "completed")
}

// dialAndPay pays by *900#.
func (w *readmeWalk) dialAndPay() {
	number := w.guide.words(w.T, "0550 123 456")
	w.visit(readmePhone)
	w.Fill("phone", number)
	w.Press("Взять телефон")
	dialNumber(w.Tab, w.guide.words(w.T, "*900#"))
	waitText(w.Tab, "1 Кыргызча")
	w.guide.words(w.T, "(language, 1, `Бакыт Асанов`, a person's ИНН such as `21503199012345`, 1, 1)")
	for _, step := range [][2]string{
		{"2", "1 Подтвердить"}, {"1", "имя и фамилию"}, {w.guide.words(w.T, "Бакыт Асанов"), "личный ИНН"},
		{w.guide.words(w.T, "21503199012345"), "1 Верно"}, {"1", "оферту"}, {"1", "Кошелёк открыт"},
	} {
		answer(w.Tab, step[0], step[1])
	}
	pin := system.PINOf(w.handset(number, regexp.MustCompile(`^\d{4} `)))
	w.payCash("put money in at the terminal", number, "500")
	w.visit(readmePhone)
	dialNumber(w.Tab, "*900#")
	waitText(w.Tab, "3 Платежи")
	w.guide.words(w.T, "dial again: 3, 3, 14, 14, the company's ИНН, the sum, the PIN from the SMS")
	for _, step := range [][2]string{
		{"3", "3 Оплатить счёт"}, {"3", "14 Другие услуги"}, {"14", "14 Достэк"}, {"14", "14 цифр"},
		{"00207199610017", "Введите сумму"}, {"250,50", "Введите ПИН"}, {pin, "Платёж принят. Код"},
	} {
		answer(w.Tab, step[0], step[1])
	}
	code := regexp.MustCompile(`Код (\d{4}) (\d{4}) (\d{4})`).FindStringSubmatch(w.Text())
	w.handset(number, regexp.MustCompile(strings.Join(code[1:], `\D?`)))
	w.visit(readmeCompany)
	waitText(w.Tab, "751,50")
}

package kannel_test

import (
	"database/sql"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

const (
	gatewayPassword = "gateway.Word-2026"
	dialogPassword  = "dialog.Word-2026"
	sendsmsPassword = "sendsms.Word-2026"
	centerPassword  = "c3ntr3"
)

// kannel is Debian's Kannel with the files of `elsom example`: a bearerbox, a smsbox
// for SMS and one for *900#.
type kannel struct {
	folder string
	conf   map[string]string // name of the file → its path
	boxes  []*system.Program
	// Addresses of its parts.
	admin, boxPort, sendsms string
}

func portOf(address string) string { _, port, _ := net.SplitHostPort(address); return port }

// newKannel writes the files of the examples with this test's addresses. Each text
// that it replaces has to be there.
func newKannel(t *testing.T, portal, center string) *kannel {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	k := &kannel{folder: folder, conf: map[string]string{}, admin: system.FreeAddress(t), boxPort: system.FreeAddress(t), sendsms: system.FreeAddress(t)}
	everywhere := map[string]string{
		"13001": portOf(k.boxPort), "/var/spool/kannel": folder, "/var/log/kannel": folder,
	}
	for name, pieces := range map[string]map[string]string{
		"kannel": {
			"admin-port = 13000": "admin-port = " + portOf(k.admin), "sendsms-port = 13013": "sendsms-port = " + portOf(k.sendsms),
			"CARRIER-HOST\nport = 2775": "127.0.0.1\nport = " + center, "CARRIER-USSD-USER": "ussd", "CARRIER-USER": "elsom", "CARRIER-PASSWORD": centerPassword,
			"ADMIN-PASSWORD": "admin", "STATUS-PASSWORD": "status", "SENDSMS-PASSWORD": sendsmsPassword,
			"reconnect-delay = 5": "reconnect-delay = 1", "http-queue-delay = 2": "http-queue-delay = 1",
		},
		"kannel-ussd": {"127.0.0.1:8080": portal, "DIALOG-PASSWORD": dialogPassword},
	} {
		out := system.Run(t, nil, "example", name)
		if out.Code != 0 {
			t.Fatal(out.Stderr)
		}
		text := out.Stdout
		for piece, with := range pieces {
			text = replaced(t, name, text, piece, with)
		}
		for piece, with := range everywhere {
			if name == "kannel" || piece != "/var/spool/kannel" {
				text = replaced(t, name, text, piece, with)
			}
		}
		k.conf[name] = filepath.Join(folder, name+".conf")
		if err := os.WriteFile(k.conf[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "kannel" {
			k.createReceiptTable(t, text)
		}
	}
	return k
}

func replaced(t *testing.T, name, text, piece, with string) string {
	t.Helper()
	if !strings.Contains(text, piece) {
		t.Fatalf("example %s has no %q", name, piece)
	}
	return strings.ReplaceAll(text, piece, with)
}

// createReceiptTable creates the table of receipts with the command in the file.
func (k *kannel) createReceiptTable(t *testing.T, text string) {
	t.Helper()
	command := regexp.MustCompile(`sqlite3 (\S+) '([^']+)'`).FindStringSubmatch(text)
	if command == nil {
		t.Fatal("the example has no command for the table of receipts")
	}
	db, err := sql.Open("sqlite3", "file:"+command[1])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(command[2]); err != nil {
		t.Fatal(err)
	}
}

// open starts the boxes, at first or after kill.
func (k *kannel) open(t *testing.T) {
	t.Helper()
	k.boxes = nil
	k.startBox(t, "bearerbox", "kannel")
	waitListening(t, k.boxPort)
	k.startBox(t, "smsbox", "kannel")
	k.startBox(t, "smsbox", "kannel-ussd")
	waitListening(t, k.sendsms)
	t.Cleanup(k.kill) // by SIGTERM a bearerbox takes too long
}

func (k *kannel) startBox(t *testing.T, name, conf string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
	}
	cmd := exec.Command(path, "-v", "4", k.conf[conf])
	cmd.Dir = k.folder
	k.boxes = append(k.boxes, system.Launch(t, name+" of "+conf, cmd))
}

// kill sends SIGKILL to all boxes.
func (k *kannel) kill() {
	for _, box := range k.boxes {
		_ = box.Cmd.Process.Signal(syscall.SIGKILL)
	}
	for _, box := range k.boxes {
		<-box.Done
	}
}

func waitListening(t *testing.T, address string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
			return
		}
	}
	t.Fatalf("no program listens on %s", address)
}

// proxy is between the portal and sendsms: it counts the calls by the message's
// token, and can lose a call or its answer.
type proxy struct {
	address string
	proxy   *httputil.ReverseProxy
	server  *http.Server

	mu    sync.Mutex
	calls map[string]int
	lose  string // "call", "answer" or nothing
}

func newProxy(t *testing.T, sendsms string) *proxy {
	t.Helper()
	w := &proxy{address: system.FreeAddress(t), calls: map[string]int{}}
	w.proxy = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: sendsms})
	w.proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	w.proxy.ErrorLog = nil
	w.open(t)
	t.Cleanup(w.close)
	return w
}

func (w *proxy) open(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
	go func() { _ = w.server.Serve(listener) }()
}

// close acts as a killed smsbox: calls are cut, and the port is closed.
func (w *proxy) close() { _ = w.server.Close() }

var tokenOf = regexp.MustCompile(`token=([\w-]+)`)

func (w *proxy) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	lose := w.lose
	if token := tokenOf.FindStringSubmatch(r.Header.Get("X-Kannel-DLR-Url")); token != nil {
		w.calls[token[1]]++
	}
	w.mu.Unlock()
	switch lose {
	case "call":
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	case "answer":
		w.proxy.ServeHTTP(discard{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	}
	w.proxy.ServeHTTP(answer, r)
}

func (w *proxy) setLose(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = what
}

// counts returns how many messages were sent, and in how many calls.
func (w *proxy) counts() (messages, calls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.calls {
		calls += n
	}
	return len(w.calls), calls
}

// tokens returns the tokens of all messages.
func (w *proxy) tokens() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for token := range w.calls {
		list = append(list, token)
	}
	return list
}

// discard is the writer of an answer that is lost.
type discard struct{ header http.Header }

func (n discard) Header() http.Header { return n.header }

func (n discard) Write(p []byte) (int, error) { return len(p), nil }

func (n discard) WriteHeader(int) {}

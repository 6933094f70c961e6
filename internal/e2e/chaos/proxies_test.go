package chaos_test

import (
	"bufio"
	"bytes"
	bytewise "encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"elsom/internal/testkit/system"
)

// points counts the moments after which something of a portal stays, whatever
// becomes of it: a commit, and a call that has reached another house. At the
// one it is set for the portal is killed, before it can hear the answer. What
// lies between two points leaves nothing behind, so dying there is the same as
// dying at the one before.
type points struct {
	mu     sync.Mutex
	victim *system.Site
	at     int // dies at this one; 0: at none
	seen   int
	died   string // of what; "": it lives
}

// set makes the portal die at the n-th point from here; 0: at none.
func (p *points) set(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.seen, p.died = n, 0, ""
}

// death tells where the portal died; "" where it lives.
func (p *points) death() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.died
}

// pass tells whether the portal lives on behind this point.
func (p *points) pass(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.died != "" {
		return false // one of the dead's last
	}
	if p.at == 0 {
		return true
	}
	if p.seen++; p.seen < p.at {
		return true
	}
	_ = p.victim.Portal.Cmd.Process.Kill()
	<-p.victim.Portal.Done
	p.died = what
	return false
}

// accept gives every connection to serve until the test ends.
func accept(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

// sqliteCommits is whom the disaster program tells of its commits.
func (p *points) sqliteCommits(t *testing.T) (address string) {
	t.Helper()
	return accept(t, func(conn net.Conn) {
		defer conn.Close()
		p.pass("commit")
	})
}

// postgresCommits stands between a portal and PostgreSQL, and understands as
// much of what the server says as to see a commit.
func (p *points) postgresCommits(t *testing.T, database string) (address string) {
	t.Helper()
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	server := at.Host
	at.Host = accept(t, func(client net.Conn) {
		defer client.Close()
		behind, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer behind.Close()
		go func() {
			_, _ = io.Copy(behind, client)
			_ = behind.Close()
		}()
		_ = p.relay(behind, client)
	})
	at.RawQuery += "&application_name=" + behindThePoints
	return at.String()
}

// behindThePoints is what PostgreSQL knows such a portal as.
const behindThePoints = "portal"

var errDead = errors.New("the portal is dead")

func (p *points) relay(server io.Reader, client io.Writer) error {
	in, out := bufio.NewReader(server), bufio.NewWriter(client)
	wrote := false
	for {
		var head [5]byte // type and length of a message
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		body := make([]byte, bytewise.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		switch head[0] {
		case 'C': // a command is complete
			tag := string(bytes.TrimRight(body, "\x00"))
			wrote = tag != "ROLLBACK" && (wrote || tag == "COMMIT" || changes(tag))
		case 'Z': // ready for the next; I: in no transaction
			if body[0] == 'I' {
				if wrote && !p.pass("commit") {
					return errDead
				}
				wrote = false
			}
		}
		_, _ = out.Write(head[:])
		_, _ = out.Write(body)
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

// changes tells whether a statement, by its tag, has changed a row.
func changes(tag string) bool {
	words := strings.Fields(tag)
	if len(words) < 2 || words[0] == "SELECT" {
		return false
	}
	n, err := strconv.Atoi(words[len(words)-1])
	return err == nil && n > 0
}

// calls stands between a portal and a biller.
func (p *points) calls(t *testing.T, biller string) (address string) {
	t.Helper()
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		command := r.URL.Query().Get("command")
		if !p.pass(command + " is asked") {
			panic(http.ErrAbortHandler)
		}
		answer, err := http.Get(biller + r.URL.RequestURI())
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || !p.pass(command+" is answered") {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body)
	}))
	t.Cleanup(relay.Close)
	return relay.URL
}

// sendsms is a Kannel that takes every SMS.
type sendsms struct{ took atomic.Int64 }

func (s *sendsms) all() int { return int(s.took.Load()) }

func (p *points) sendsms(t *testing.T) (s *sendsms, address string) {
	t.Helper()
	s = &sendsms{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !p.pass("SMS is asked") {
			panic(http.ErrAbortHandler)
		}
		s.took.Add(1)
		if !p.pass("SMS is taken") {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	}))
	t.Cleanup(server.Close)
	return s, strings.Replace(server.URL, "http://", "http://elsom:password@", 1) + "/cgi-bin/sendsms?from=ELSOM"
}

// What the suite's own program has inside, the released one has not.
func TestChaosHooksAreNotReleased(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"elsom": false, system.ChaosBinary: true} {
		content, err := os.ReadFile(system.Binary(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, hook := range []string{"CHAOS_COMMITS", "CHAOS_CLOCK"} {
			if has := bytes.Contains(content, []byte(hook)); has != want {
				t.Errorf("%s in %s: %v", hook, name, has)
			}
		}
	}
}

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

// killPoints counts the portal's effects that outlast it: commits, and calls that
// have reached another system. At the target the portal is killed before it gets
// the answer. There is no effect between two points, so a kill there would be the
// same as at the point before.
type killPoints struct {
	mu     sync.Mutex
	victim *system.Site
	target int // the point at which the portal is killed; 0: none
	seen   int
	killed string // name of the point; "": not killed
}

// set makes the proxies kill the portal at the n-th point from now; 0: not at all.
func (p *killPoints) set(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target, p.seen, p.killed = n, 0, ""
}

// killedAt returns the point at which the portal was killed; "" if it was not.
func (p *killPoints) killedAt() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// reach is called at each point. It reports whether the portal is still running.
func (p *killPoints) reach(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed != "" {
		return false // sent before the kill
	}
	if p.target == 0 {
		return true
	}
	if p.seen++; p.seen < p.target {
		return true
	}
	_ = p.victim.Portal.Cmd.Process.Kill()
	<-p.victim.Portal.Done
	p.killed = what
	return false
}

// accept calls serve for every connection until the test ends.
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

// sqliteCommits listens for the commits that ChaosBinary reports.
func (p *killPoints) sqliteCommits(t *testing.T) (address string) {
	t.Helper()
	return accept(t, func(conn net.Conn) {
		defer conn.Close()
		p.reach("commit")
	})
}

// postgresCommits is a proxy between a portal and PostgreSQL.
func (p *killPoints) postgresCommits(t *testing.T, database string) (address string) {
	t.Helper()
	return proxyCommits(t, database, p.reach)
}

// proxyCommits is a proxy between portals and PostgreSQL. It calls reach after each commit
// and closes the connection, without its answer, if that returns false.
func proxyCommits(t *testing.T, database string, reach func(what string) bool) (address string) {
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
		_ = relayCommits(behind, client, reach)
	})
	at.RawQuery += "&application_name=" + proxiedName
	return at.String()
}

// proxiedName is the application_name of the proxied portal.
const proxiedName = "portal"

var errCut = errors.New("the connection is cut")

// relayCommits parses enough of the protocol to see commits.
func relayCommits(server io.Reader, client io.Writer, reach func(what string) bool) error {
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
			wrote = tag != "ROLLBACK" && (wrote || tag == "COMMIT" || changedRows(tag))
		case 'Z': // ready for the next; I: in no transaction
			if body[0] == 'I' {
				if wrote && !reach("commit") {
					return errCut
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

// changedRows reports whether a statement with this command tag changed a row.
func changedRows(tag string) bool {
	words := strings.Fields(tag)
	if len(words) < 2 || words[0] == "SELECT" {
		return false
	}
	n, err := strconv.Atoi(words[len(words)-1])
	return err == nil && n > 0
}

// calls is a proxy between a portal and a biller.
func (p *killPoints) calls(t *testing.T, biller string) (address string) {
	t.Helper()
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		command := r.URL.Query().Get("command")
		if !p.reach(command + " is asked") {
			panic(http.ErrAbortHandler)
		}
		answer, err := http.Get(biller + r.URL.RequestURI())
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || !p.reach(command+" is answered") {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body)
	}))
	t.Cleanup(relay.Close)
	return relay.URL
}

// sendsms is a fake Kannel that accepts every SMS.
type sendsms struct{ count atomic.Int64 }

func (s *sendsms) all() int { return int(s.count.Load()) }

func (p *killPoints) sendsms(t *testing.T) (s *sendsms, address string) {
	t.Helper()
	s = &sendsms{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !p.reach("SMS is asked") {
			panic(http.ErrAbortHandler)
		}
		s.count.Add(1)
		if !p.reach("SMS is taken") {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	}))
	t.Cleanup(server.Close)
	return s, strings.Replace(server.URL, "http://", "http://elsom:password@", 1) + "/cgi-bin/sendsms?from=ELSOM"
}

// The hooks of ChaosBinary are not in the released program.
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

package ledger_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// breakPoint is where a connection is cut.
type breakPoint int

const (
	unbroken     breakPoint = iota
	beforeCommit            // the COMMIT never reaches the server
	afterCommit             // the server commits, its answer never comes back
)

// proxy forwards connections to PostgreSQL and cuts them at commits.
type proxy struct {
	t       *testing.T
	address string
	server  string
	mu      sync.Mutex
	next    breakPoint
	decide  func() breakPoint // if set, called at each commit
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &proxy{t: t, address: listener.Addr().String(), server: server}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(conn)
		}
	})
	t.Cleanup(func() { _ = listener.Close(); wg.Wait() })
	return w
}

func (w *proxy) cutNext(c breakPoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = c
}

func (w *proxy) wasCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next == unbroken
}

// take returns where to cut, if the message is a commit.
func (w *proxy) take(words []byte) breakPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The first message of a connection names the setting synchronous_commit.
	if !bytes.Contains(bytes.ReplaceAll(words, []byte("synchronous_commit"), nil), []byte("commit")) {
		return unbroken
	}
	if w.decide != nil {
		return w.decide()
	}
	c := w.next
	w.next = unbroken
	return c
}

func (w *proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer server.Close()
	var mute sync.WaitGroup
	back := make(chan []byte)
	mute.Go(func() { read(server, back) })
	forth := make(chan []byte)
	mute.Go(func() { read(client, forth) })
	defer func() {
		_ = client.Close()
		_ = server.Close()
		drain(back)
		drain(forth)
		mute.Wait()
	}()
	for {
		select {
		case words, open := <-forth:
			if !open {
				return
			}
			switch w.take(words) {
			case beforeCommit:
				return
			case afterCommit:
				_, _ = server.Write(words)
				<-back // the server has committed
				return
			case unbroken:
				_, _ = server.Write(words)
			}
		case words, open := <-back:
			if !open {
				return
			}
			_, _ = client.Write(words)
		}
	}
}

// drain reads until the reader has ended.
func drain(from <-chan []byte) {
	for open := true; open; {
		_, open = <-from
	}
}

func read(conn net.Conn, into chan<- []byte) {
	defer close(into)
	for {
		buffer := make([]byte, 64<<10)
		n, err := conn.Read(buffer)
		if n > 0 {
			into <- buffer[:n]
		}
		if err != nil {
			return
		}
	}
}

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
	afterCommit             // the server commits, its answer is never received
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
			go w.forward(conn)
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

// nextCut returns where to cut the connection at this message of the client.
func (w *proxy) nextCut(data []byte) breakPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The first message of a connection names the setting synchronous_commit.
	if !bytes.Contains(bytes.ReplaceAll(data, []byte("synchronous_commit"), nil), []byte("commit")) {
		return unbroken
	}
	if w.decide != nil {
		return w.decide()
	}
	c := w.next
	w.next = unbroken
	return c
}

func (w *proxy) forward(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer server.Close()
	var readers sync.WaitGroup
	fromServer := make(chan []byte)
	readers.Go(func() { read(server, fromServer) })
	fromClient := make(chan []byte)
	readers.Go(func() { read(client, fromClient) })
	defer func() {
		_ = client.Close()
		_ = server.Close()
		drain(fromServer)
		drain(fromClient)
		readers.Wait()
	}()
	for {
		select {
		case data, open := <-fromClient:
			if !open {
				return
			}
			switch w.nextCut(data) {
			case beforeCommit:
				return
			case afterCommit:
				_, _ = server.Write(data)
				<-fromServer // the server has committed
				return
			case unbroken:
				_, _ = server.Write(data)
			}
		case data, open := <-fromServer:
			if !open {
				return
			}
			_, _ = client.Write(data)
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

package ledger_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
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

// nextCut returns where to cut the connection at messages of the client.
func (w *proxy) nextCut(commits bool) breakPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !commits {
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
	fromClient := make(chan clientMessages)
	readers.Go(func() { readRequests(client, fromClient) })
	defer func() {
		_ = client.Close()
		_ = server.Close()
		drain(fromServer)
		drain(fromClient)
		readers.Wait()
	}()
	for {
		select {
		case r, open := <-fromClient:
			if !open {
				return
			}
			switch w.nextCut(r.commits) {
			case beforeCommit:
				return
			case afterCommit:
				_, _ = server.Write(r.data)
				<-fromServer // the server has committed
				return
			case unbroken:
				_, _ = server.Write(r.data)
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
func drain[T any](from <-chan T) {
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

// clientMessages are what a client sends before it waits for answers.
type clientMessages struct {
	data    []byte
	commits bool // a COMMIT is run
}

// readRequests reads the messages of a client of PostgreSQL's protocol, version 3. A
// request ends with Sync, a simple query, a password or the end of the connection.
func readRequests(conn net.Conn, into chan<- clientMessages) {
	defer close(into)
	in, commits := bufio.NewReader(conn), map[string]bool{} // names of prepared COMMITs
	first, err := readMessage(in, 0)                        // the startup message has no type
	if err != nil {
		return
	}
	into <- clientMessages{data: first}
	for r := (clientMessages{}); ; {
		message, err := readMessage(in, 1)
		if err != nil {
			return
		}
		r.data = append(r.data, message...)
		texts := bytes.Split(message[5:], []byte{0})
		switch message[0] {
		case 'P': // Parse: the name and the statement
			commits[string(texts[0])] = isCommit(texts[1])
		case 'B': // Bind: the portal's name and the statement's
			r.commits = r.commits || commits[string(texts[1])]
		case 'Q':
			r.commits = isCommit(texts[0])
		}
		if bytes.IndexByte([]byte("SQpX"), message[0]) >= 0 { // p: password, X: end
			into <- r
			r = clientMessages{}
		}
	}
}

func isCommit(statement []byte) bool { return strings.EqualFold(string(statement), "commit") }

// readMessage reads a message, whose length follows its type.
func readMessage(in io.Reader, typeBytes int) ([]byte, error) {
	head := make([]byte, typeBytes+4)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	message := make([]byte, typeBytes+int(binary.BigEndian.Uint32(head[typeBytes:])))
	_, err := io.ReadFull(in, message[copy(message, head):])
	return message, err
}

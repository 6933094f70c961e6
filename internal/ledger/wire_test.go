package ledger_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// cut is where a wire breaks.
type cut int

const (
	whole        cut = iota
	beforeCommit     // the COMMIT never reaches the server
	afterCommit      // the server commits, its answer never comes back
)

// wire stands between the program and PostgreSQL, and breaks when told to.
type wire struct {
	t       *testing.T
	address string
	server  string
	mu      sync.Mutex
	next    cut
	lose    func() cut // asked at each commit, where it is there
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, address: listener.Addr().String(), server: server}
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

func (w *wire) cutNext(c cut) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = c
}

func (w *wire) wasCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next == whole
}

// take tells where to break, once, when the words of a commit pass by.
func (w *wire) take(words []byte) cut {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The first message of a connection names a setting, synchronous_commit.
	if !bytes.Contains(bytes.ReplaceAll(words, []byte("synchronous_commit"), nil), []byte("commit")) {
		return whole
	}
	if w.lose != nil {
		return w.lose()
	}
	c := w.next
	w.next = whole
	return c
}

func (w *wire) carry(client net.Conn) {
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
				<-back // the server has committed and says so, to nobody
				return
			case whole:
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

// drain lets a reader end: what still comes belongs to nobody.
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

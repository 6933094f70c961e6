package osmp

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"elsom/internal/biller"
)

// keeper is a biller that keeps its connections open.
type keeper struct {
	address                string
	connections, questions atomic.Int32
}

// keeping answers requests in order, over any connection; without an answer left it
// breaks the connection.
func keeping(t *testing.T, answers ...string) *keeper {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	k := &keeper{address: "http://" + listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			k.connections.Add(1)
			go k.serve(t, conn, answers)
		}
	}()
	return k
}

func (k *keeper) serve(t *testing.T, conn net.Conn, answers []string) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if len(request.TransferEncoding) > 0 || request.Header.Get("Content-Length") != "" {
			t.Errorf("a GET with a body: %v", request.Header)
		}
		n := int(k.questions.Add(1))
		if n > len(answers) {
			return // booked, and the answer is lost
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answers[n-1]), answers[n-1])
	}
}

// A request whose reused connection breaks is sent once: the library would repeat
// it.
func TestBrokenKeptConnectionIsNotRepeated(t *testing.T) {
	k := keeping(t, result(0), result(0))
	c := New(Options{URL: k.address})
	for range 2 {
		if a := c.Pay(t.Context(), asked()); a.Outcome != biller.Good {
			t.Fatalf("%+v", a)
		}
	}
	if a := c.Pay(t.Context(), asked()); a.Outcome != biller.Unknown {
		t.Errorf("the one that broke: %+v", a)
	}
	if n := k.connections.Load(); n != 2 {
		t.Errorf("%d connections: none was used again", n)
	}
	if n := k.questions.Load(); n != 3 {
		t.Errorf("%d questions reached the biller, want 3", n)
	}
}

// A connection is reused only after an answer that names its request.
func TestConnectionReuseNeedsEchoedID(t *testing.T) {
	const nameless = "<response><result>0</result></response>"
	for _, c := range []struct {
		answers     []string
		connections int32
	}{
		{[]string{result(0), result(0), result(0), result(0)}, 2}, // the first is of nobody known yet
		{[]string{nameless, nameless, nameless}, 3},
		{[]string{result(0), result(0), nameless, result(0), result(0), result(0)}, 4},
		{[]string{result(0), result(0), strings.Replace(result(0), ours.TxnID, "7", 1), result(0)}, 3},
	} {
		k := keeping(t, c.answers...)
		client := New(Options{URL: k.address})
		for _, answer := range c.answers {
			want := biller.Good
			if strings.Contains(answer, ">7<") {
				want = biller.Unknown
			}
			if a := client.Pay(t.Context(), asked()); a.Outcome != want {
				t.Errorf("%s: %+v", answer, a)
			}
		}
		if n := k.connections.Load(); n != c.connections {
			t.Errorf("%v: %d connections, want %d", c.answers, n, c.connections)
		}
	}
}

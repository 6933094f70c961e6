package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"elsom/internal/testkit/require"
)

// standIn is a server with as little cost as possible, since it shares the cores with
// what is measured. It answers each request by the path and query of its first line;
// "" means never.
func standIn(b testing.TB, answer func(path string) string) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveStandIn(conn, answer)
		}
	}()
	return listener.Addr().String()
}

func serveStandIn(conn net.Conn, answer func(path string) string) {
	in := bufio.NewReaderSize(conn, 8<<10)
	var path string
	for {
		first, err := in.ReadSlice('\n')
		if err != nil {
			break
		}
		_, rest, _ := bytes.Cut(first, []byte(" "))
		named, _, _ := bytes.Cut(rest, []byte(" "))
		path = string(named)
		length, last, err := skipHeaders(in)
		if err != nil {
			break
		}
		if _, err := in.Discard(length); err != nil {
			break
		}
		body := answer(path)
		if body == "" {
			_, _ = io.Copy(io.Discard, in) // until the caller gives up
			break
		}
		if _, err := io.WriteString(conn, body); err != nil || last {
			break
		}
	}
	_ = conn.Close()
}

// skipHeaders returns the length of the body, and whether the caller closes the
// connection afterwards.
func skipHeaders(in *bufio.Reader) (length int, last bool, err error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !ok {
			return length, last, nil
		}
		switch string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, err
			}
		case "Connection":
			last = string(value) == "close"
		}
	}
}

func standInAnswer(status, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, contentType, len(body), body)
}

// silent is a biller that never answers, so that only accepting is measured.
func silent(b testing.TB) string {
	b.Helper()
	return "http://" + standIn(b, func(string) string { return "" }) + "/pay"
}

// instant is a biller that answers 0 at once.
func instant(b testing.TB) string {
	b.Helper()
	var booked atomic.Int64
	return "http://" + standIn(b, func(path string) string {
		_, query, _ := strings.Cut(path, "?")
		asked, _ := url.ParseQuery(query) // txn_id and sum have no character that XML escapes
		return standInAnswer("200 OK", "text/xml", fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><response><osmp_txn_id>%s</osmp_txn_id>`+
			`<prv_txn>%d</prv_txn><sum>%s</sum><result>0</result><comment>OK</comment></response>`, asked.Get("txn_id"), booked.Add(1), asked.Get("sum")))
	}) + "/pay"
}

// smsCenter is an SMS gateway that accepts each message at once.
type smsCenter struct {
	url      string
	accepted atomic.Int64
}

func newSMSCenter(b testing.TB) *smsCenter {
	b.Helper()
	c := &smsCenter{}
	c.url = "http://bench:bench@" + standIn(b, func(string) string {
		c.accepted.Add(1)
		return standInAnswer("202 Accepted", "text/plain", "0: Accepted for delivery")
	}) + "/cgi-bin/sendsms"
	return c
}

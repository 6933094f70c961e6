package bench_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// browserHeaders are what Chrome on Android sends with a form or a link, without the
// headers that depend on the address and the session.
const browserHeaders = "Connection: keep-alive\r\nCache-Control: max-age=0\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n" +
	"sec-ch-ua-mobile: ?1\r\nsec-ch-ua-platform: \"Android\"\r\nUpgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8," +
	"application/signed-exchange;v=b3;q=0.7\r\n" +
	"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: ru-RU,ru;q=0.9,ky;q=0.8,en-US;q=0.7,en;q=0.6\r\n"

// connection is a keep-alive connection to a portal. It shares the cores with what it
// measures, so it only copies headers that were formatted before, and reads of an
// answer no more than it needs: a compressed body is skipped, not decompressed.
type connection struct {
	host     string
	conn     net.Conn
	in       *bufio.Reader
	out      []byte
	rejected draft // its payment is sent again
}

// response is a response's status, Location and length of the body.
type response struct {
	status   int
	location string
	length   int
}

var errAnswer = errors.New("bench: an answer that can't be read")

// post sends a form of a page, with the headers of a browser.
func (w *connection) post(path, headers, form string) (response, error) {
	w.begin("POST ", path)
	w.out = append(append(append(w.out, "Origin: http://"...), w.host...), "\r\nReferer: http://"...)
	w.out = append(append(append(append(w.out, w.host...), path...), "\r\n"...), headers...)
	w.out = append(w.out, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "...)
	w.out = append(strconv.AppendInt(w.out, int64(len(form)), 10), "\r\n\r\n"...)
	w.out = append(w.out, form...)
	return w.send()
}

// get follows a link.
func (w *connection) get(path, headers string) (response, error) {
	w.begin("GET ", path)
	w.out = append(append(append(append(w.out, "Referer: http://"...), w.host...), "/services\r\n"...), headers...)
	w.out = append(w.out, "\r\n"...)
	return w.send()
}

func (w *connection) begin(method, path string) {
	w.out = append(append(append(w.out[:0], method...), path...), " HTTP/1.1\r\nHost: "...)
	w.out = append(append(w.out, w.host...), "\r\n"...)
}

// send sends the request in out. After an error the next call connects again.
func (w *connection) send() (r response, err error) {
	if w.conn == nil {
		if w.conn, err = net.DialTimeout("tcp", w.host, 10*time.Second); err != nil {
			return response{}, err
		}
		w.in = bufio.NewReaderSize(w.conn, 16<<10)
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	_ = w.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := w.conn.Write(w.out); err != nil {
		return response{}, err
	}
	return w.read()
}

func (w *connection) read() (r response, err error) {
	first, err := w.in.ReadSlice('\n')
	if err != nil {
		return r, err
	}
	if len(first) < 12 {
		return r, errAnswer
	}
	if r.status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return r, errAnswer
	}
	chunked := false
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return r, err
		}
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !ok {
			break
		}
		switch string(name) {
		case "Content-Length":
			if r.length, err = strconv.Atoi(string(value)); err != nil {
				return r, errAnswer
			}
		case "Transfer-Encoding":
			chunked = true
		case "Location":
			r.location = string(value)
		}
	}
	if chunked {
		r.length, err = w.skipChunks()
		return r, err
	}
	_, err = w.in.Discard(r.length)
	return r, err
}

// skipChunks returns the length of a chunked body.
func (w *connection) skipChunks() (length int, err error) {
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return 0, errAnswer
		}
		if _, err := io.CopyN(io.Discard, w.in, size+2); err != nil {
			return 0, err
		}
		if length += int(size); size == 0 {
			return length, nil
		}
	}
}

func (w *connection) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

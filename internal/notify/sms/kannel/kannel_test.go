package kannel_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/kannel"
)

var message = sms.Rendered{Phone: "+996700123456", Text: "Ңөү & 100% + код 471193", ID: "a", Token: "t0ken"}

// request is a request to Kannel.
type request struct {
	method, address, text string
	header                http.Header
}

// serve starts a Kannel that returns status and stores the request.
func serve(t *testing.T, status int) (client *kannel.Client, got *request) {
	t.Helper()
	got = &request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*got = request{r.Method, r.RequestURI, string(text), r.Header}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL), got
}

const receipts = "http://kannel:p-w@127.0.0.1:8080/sms/dlr"

func newClient(t *testing.T, server string) *kannel.Client {
	t.Helper()
	client, err := kannel.New(kannel.Options{
		URL:  strings.Replace(server, "://", "://elsom:p%40ss@", 1) + "/cgi-bin/sendsms",
		From: "ELSOM", Receipts: receipts,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestSend(t *testing.T) {
	client, got := serve(t, http.StatusAccepted)
	if err := client.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	// The URL contains no part of the message, since URLs are logged.
	if got.method != http.MethodPost || got.address != "/cgi-bin/sendsms" || got.text != message.Text {
		t.Errorf("request %s %s %q", got.method, got.address, got.text)
	}
	for name, want := range map[string]string{
		"Username": "elsom", "Password": "p@ss", "From": "ELSOM", "To": "+996700123456", "Coding": "2", "DLR-Mask": "31",
		"DLR-Url": receipts + "?type=%d&token=t0ken",
	} {
		if value := got.header.Get("X-Kannel-" + name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if kind := got.header.Get("Content-Type"); kind != "text/plain; charset=UTF-8" {
		t.Errorf("content type %s", kind)
	}
}

func TestSendWithoutReceipts(t *testing.T) {
	_, got := serve(t, http.StatusAccepted)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.header = r.Header
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	client, err := kannel.New(kannel.Options{URL: strings.Replace(server.URL, "://", "://u:p@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if receipt := got.header.Get("X-Kannel-DLR-Url") + got.header.Get("X-Kannel-DLR-Mask"); receipt != "" {
		t.Errorf("a receipt was requested: %s", receipt)
	}
}

// Gateways that return another 2xx status than Kannel's 202 have accepted the message
// too. Sent again, the customer would get the same SMS several times.
func TestAnySuccessStatusIsAccepted(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent, 299} {
		client, _ := serve(t, status)
		if err := client.Send(t.Context(), message); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestResponses(t *testing.T) {
	for status, want := range map[int]fault.Kind{
		http.StatusMultipleChoices: fault.Unavailable, http.StatusFound: fault.Unavailable, http.StatusBadRequest: fault.Invalid,
		http.StatusUnauthorized: fault.Unavailable, http.StatusForbidden: fault.Unavailable, http.StatusNotFound: fault.Unavailable,
		http.StatusServiceUnavailable: fault.Unavailable, http.StatusInternalServerError: fault.Unknown,
		http.StatusBadGateway: fault.Unknown, http.StatusGatewayTimeout: fault.Unknown,
	} {
		client, _ := serve(t, status)
		err := client.Send(t.Context(), message)
		if !fault.Is(err, want) {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
		wantNoSecrets(t, err)
	}
}

func TestNoResponse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Close()
	err := newClient(t, server.URL).Send(t.Context(), message)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("Kannel not running: %v", err)
	}
	wantNoSecrets(t, err)

	aborting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer aborting.Close()
	err = newClient(t, aborting.URL).Send(t.Context(), message)
	if !fault.Is(err, fault.Unknown) {
		t.Errorf("Kannel closed the connection without a response: %v", err)
	}
	wantNoSecrets(t, err)

	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client has gone
		<-r.Context().Done()
	}))
	defer slow.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = newClient(t, slow.URL).Send(ctx, message)
	if !fault.Is(err, fault.Unknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Kannel did not respond in time: %v", err)
	}
	wantNoSecrets(t, err)
}

// wantNoSecrets fails the test if an error contains the phone number, the text or a
// password.
func wantNoSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"700123456", "471193", "p@ss", "p%40ss", "sendsms", "t0ken", "p-w"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error contains %q: %v", secret, err)
		}
	}
}

func TestNewRejectsURL(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:13013", "ftp://u:p@host/", "http://host/cgi-bin/sendsms", "http://u@host/", "http://u:p@/x", "http://u:p@h:x/"} {
		if _, err := kannel.New(kannel.Options{URL: address}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// Kannel replaces %-escapes of its own in a URL, so that the URL must have none.
func TestNewRejectsReceiptURL(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:8080", "ftp://u:p@h/", "http://h/sms/dlr", "http://u@h/sms/dlr", "http://u:p%40@h/sms/dlr", "http://u%C3:p@h/",
		"http://u:p@h/sms/dlr?x=1", "http://u:p@h/%41", "http://u:p@h/#x",
	} {
		_, err := kannel.New(kannel.Options{URL: "http://u:p@h/", Receipts: address})
		if err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

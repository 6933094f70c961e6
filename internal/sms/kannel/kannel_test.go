package kannel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"elsom/internal/fault"
	"elsom/internal/sms"
	"elsom/internal/sms/kannel"
)

var message = sms.Rendered{Phone: "+996700123456", Text: "Ңөү & 100% + код 471193", ID: "a"}

// serve runs a Kannel that answers with status and gives what it was asked.
func serve(t *testing.T, status int) (client *kannel.Client, asked *url.Values) {
	t.Helper()
	asked = &url.Values{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = r.URL.Query()
		asked.Set("path", r.URL.Path)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return dial(t, server.URL), asked
}

func dial(t *testing.T, server string) *kannel.Client {
	t.Helper()
	client, err := kannel.New(kannel.Options{URL: strings.Replace(server, "://", "://elsom:p%40ss@", 1) + "/cgi-bin/sendsms", From: "ELSOM"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestSend(t *testing.T) {
	client, asked := serve(t, http.StatusAccepted)
	if err := client.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"path": "/cgi-bin/sendsms", "username": "elsom", "password": "p@ss", "from": "ELSOM", "to": "+996700123456",
		"text": message.Text, "coding": "2", "charset": "UTF-8",
	} {
		if got := asked.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Only 202 says that Kannel took the message.
func TestAnswers(t *testing.T) {
	for status, want := range map[int]fault.Kind{
		http.StatusOK: fault.Unavailable, http.StatusFound: fault.Unavailable, http.StatusBadRequest: fault.Invalid,
		http.StatusUnauthorized: fault.Unavailable, http.StatusForbidden: fault.Unavailable, http.StatusNotFound: fault.Unavailable,
		http.StatusServiceUnavailable: fault.Unavailable, http.StatusInternalServerError: fault.Unavailable,
	} {
		client, _ := serve(t, status)
		err := client.Send(t.Context(), message)
		if !fault.Is(err, want) {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
		secretless(t, err)
	}
}

func TestNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Close()
	err := dial(t, server.URL).Send(t.Context(), message)
	if !fault.Is(err, fault.Unknown) {
		t.Errorf("a dead Kannel: %v", err)
	}
	secretless(t, err)

	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = dial(t, slow.URL).Send(ctx, message)
	if !fault.Is(err, fault.Unknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow Kannel: %v", err)
	}
	secretless(t, err)
}

// What is logged of a failure tells neither number, nor text, nor password.
func secretless(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"700123456", "471193", "p@ss", "p%40ss", "sendsms"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q: %v", secret, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:13013", "ftp://u:p@host/", "http://host/cgi-bin/sendsms", "http://u@host/", "http://u:p@/x", "http://u:p@h:x/"} {
		if _, err := kannel.New(kannel.Options{URL: address}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

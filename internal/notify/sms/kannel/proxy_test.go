package kannel

import (
	"net/http"
	"testing"
)

func TestEnvironmentProxyIsNotUsed(t *testing.T) {
	c, err := New(Options{URL: "http://u:p@kannel.kg/"})
	if err != nil {
		t.Fatal(err)
	}
	if transport, ok := c.http.Transport.(*http.Transport); !ok || transport.Proxy != nil {
		t.Error("the transport uses a proxy")
	}
}

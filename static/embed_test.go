package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, address string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestAFileIsServedForEverByItsHash(t *testing.T) {
	address := Path("css/elsom.css")
	if !regexp.MustCompile(`^/static/css/elsom\.[0-9a-f]{12}\.css$`).MatchString(address) {
		t.Fatalf("address %q", address)
	}
	answer := get(t, address)
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	if c := answer.Header().Get("Cache-Control"); !strings.Contains(c, "immutable") {
		t.Errorf("Cache-Control %q", c)
	}
	for _, other := range []string{Prefix + "css/elsom.css", Prefix + "nothing.css", Path("nothing.css"), Prefix + "../embed.go", Prefix} {
		if answer := get(t, other); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", other, answer.Code)
		}
	}
}

func TestPackedAndPlainAreTheSame(t *testing.T) {
	plain, err := io.ReadAll(get(t, Path("js/elsom.js")).Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := get(t, Path("js/elsom.js"), "Accept-Encoding", "gzip, br")
	if answer.Header().Get("Content-Encoding") != "gzip" || answer.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v", answer.Header())
	}
	r, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(plain, unpacked) || len(plain) == 0 {
		t.Fatalf("%d and %d bytes, %v", len(plain), len(unpacked), err)
	}
}

func TestPostIsRefused(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, Path("js/elsom.js"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Fatalf("%d", w.Code)
	}
}

// What a style sheet names must be there, by its hashed address, and be ours.
func TestStyleSheetNamesItsFiles(t *testing.T) {
	css, err := io.ReadAll(get(t, Path("css/elsom.css")).Body)
	if err != nil {
		t.Fatal(err)
	}
	found := reference.FindAllSubmatch(css, -1)
	if len(found) < 5 {
		t.Fatalf("only %d references", len(found))
	}
	for _, m := range found {
		if answer := get(t, string(m[1])); answer.Code != http.StatusOK {
			t.Errorf("%s: %d", m[1], answer.Code)
		}
	}
}

// The promise to slow phones, of what is sent.
func TestSizes(t *testing.T) {
	for name, most := range map[string]int{"css/elsom.css": 32 << 10, "js/elsom.js": 5 << 10, "js/app.js": 3 << 10} {
		if n := len(stock().byName[name].plain); n > most {
			t.Errorf("%s has %d bytes, more than %d", name, n, most)
		}
	}
	if n := len(Worker); n > 4<<10 {
		t.Errorf("the worker has %d bytes", n)
	}
}

// What is taken out of a style sheet means nothing to a browser.
func TestSqueeze(t *testing.T) {
	for from, want := range map[string]string{
		"/* a { */\n@media (width < 22rem) {\n  .a > .b, .c::before { content: \" \"; margin: 0 auto; }\n}\n": `@media (width < 22rem){.a > .b, .c::before{content: " ";margin: 0 auto;}}`,
		"@layer a, b;\n.a {\n  --x: calc(1px + 2px);\n}":                                                      "@layer a, b;.a{--x: calc(1px + 2px);}",
	} {
		if got := string(squeeze([]byte(from))); got != want {
			t.Errorf("%q became %q", from, got)
		}
	}
}

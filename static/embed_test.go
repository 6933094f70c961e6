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

func TestFileIsImmutableAtItsHash(t *testing.T) {
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

func TestCompressedAndPlainAreEqual(t *testing.T) {
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

func TestPostIsNotAllowed(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, Path("js/elsom.js"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Fatalf("%d", w.Code)
	}
}

// TestStyleSheetReferencesExist checks that every address in the style sheets is
// served.
func TestStyleSheetReferencesExist(t *testing.T) {
	var found [][][]byte
	for _, name := range []string{"css/elsom.css", "css/receipt.css"} {
		css, err := io.ReadAll(get(t, Path(name)).Body)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, reference.FindAllSubmatch(css, -1)...)
	}
	if len(found) < 5 {
		t.Fatalf("only %d references", len(found))
	}
	for _, m := range found {
		if answer := get(t, string(m[1])); answer.Code != http.StatusOK {
			t.Errorf("%s: %d", m[1], answer.Code)
		}
	}
}

// TestSizes bounds what slow phones have to load and parse, in bytes.
func TestSizes(t *testing.T) {
	for name, most := range map[string]struct{ plain, gzipped int }{
		"css/elsom.css": {40 << 10, 9 << 10}, "css/receipt.css": {7 << 10, 2 << 10}, "css/history.css": {9 << 10, 3 << 10}, "css/settings.css": {3 << 10, 1 << 10}, "css/template.css": {5 << 10, 2 << 10}, "js/elsom.js": {6 << 10, 2200}, "js/app.js": {3 << 10, 1500},
	} {
		f := all().byName[name]
		if n := len(f.plain); n > most.plain {
			t.Errorf("%s has %d bytes, more than %d", name, n, most.plain)
		}
		if n := len(f.gzipped); n > most.gzipped {
			t.Errorf("%s has %d bytes compressed, more than %d", name, n, most.gzipped)
		}
	}
	if n := len(Worker); n > 4<<10 {
		t.Errorf("the worker has %d bytes", n)
	}
}

// forbiddenInScripts are what turns text into code or HTML, and what lets a name in
// data reach an object's prototype.
var forbiddenInScripts = regexp.MustCompile(`\beval\(|\bFunction\(|\.(inner|outer)HTML\s*\+?=[^=]|insertAdjacentHTML|document\.write|\bset(Timeout|Interval)\("|Object\.assign|__proto__|\bprototype\b|JSON\.parse|postMessage|["']message["']`)

func TestScriptsMakeNoCodeOfText(t *testing.T) {
	scripts := map[string]string{"worker.js": Worker}
	for name, f := range all().byName {
		if strings.HasSuffix(name, ".js") {
			scripts[name] = string(f.plain)
		}
	}
	if len(scripts) < 4 {
		t.Fatalf("only %d scripts", len(scripts))
	}
	for name, script := range scripts {
		if found := forbiddenInScripts.FindString(script); found != "" {
			t.Errorf("%s has %s", name, found)
		}
	}
}

// Package static serves the portal's own css, script, font and pictures.
//
// It promises that an address carries its content's hash, so that a browser
// may keep the file for ever and still gets a new one at once. It holds
// nothing private.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed css js fonts icons
var files embed.FS

// Prefix is where the handler expects to be mounted.
const Prefix = "/static/"

type file struct {
	plain, packed []byte
	kind          string
	address       string
}

type shelf struct {
	byName    map[string]*file
	byAddress map[string]*file
}

var stock = sync.OnceValue(func() shelf {
	s := shelf{byName: map[string]*file{}, byAddress: map[string]*file{}}
	var sheets []string
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path.Ext(name) == ".css" {
			sheets = append(sheets, name)
			return nil
		}
		return s.put(name, nil)
	})
	// Style sheets last: they name the other files by their hashed addresses.
	for _, name := range sheets {
		_ = s.put(name, func(name string, content []byte) []byte { return squeeze(s.resolve(name, content)) })
	}
	return s
})

func (s shelf) put(name string, edit func(name string, content []byte) []byte) error {
	content, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if edit != nil {
		content = edit(name, content)
	}
	f := &file{plain: content, kind: kindOf(name), address: Prefix + hashed(name, content)}
	if packs(name) {
		f.packed = pack(content)
	}
	s.byName[name], s.byAddress[f.address] = f, f
	return nil
}

var reference = regexp.MustCompile(`url\("([^"]+)"\)`)

// resolve writes hashed addresses for the relative ones of a style sheet.
func (s shelf) resolve(name string, content []byte) []byte {
	return reference.ReplaceAllFunc(content, func(match []byte) []byte {
		to := string(reference.FindSubmatch(match)[1])
		f, ok := s.byName[path.Join(path.Dir(name), to)]
		if !ok {
			return match
		}
		return []byte(`url("` + f.address + `")`)
	})
}

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/`)
	comfort  = regexp.MustCompile(`\s*([{};])\s*`)
)

// squeeze takes out of a style sheet what only its author reads: comments, and
// white space around what ends a rule or declaration.
func squeeze(content []byte) []byte {
	return bytes.TrimSpace(comfort.ReplaceAll(comments.ReplaceAll(content, nil), []byte("$1")))
}

func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func packs(name string) bool {
	switch path.Ext(name) {
	case ".css", ".js", ".svg":
		return true
	}
	return false
}

func pack(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// Path gives the address of a file by its name in this folder:
// "css/elsom.css" → "/static/css/elsom.0f3a….css". An unknown name gives an
// address that answers 404.
func Path(name string) string {
	if f, ok := stock().byName[name]; ok {
		return f.address
	}
	return Prefix + name
}

// Handler serves the files by their hashed addresses, whole path included:
// mount it at Prefix without stripping it.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := stock().byAddress[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		f.serve(w, r)
	})
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	body := f.plain
	if f.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.packed
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

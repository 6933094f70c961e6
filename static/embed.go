// Package static serves style sheets, scripts, fonts and icons.
//
// A file's address contains the hash of its content, so that browsers can cache
// it without a time limit and still load a new version at once. The files are
// public.
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

// Prefix is the path that the handler is mounted at.
const Prefix = "/static/"

type file struct {
	plain, gzipped []byte // gzipped is nil for formats that are compressed already
	contentType    string
	address        string
}

type index struct {
	byName    map[string]*file
	byAddress map[string]*file
}

var all = sync.OnceValue(func() index {
	s := index{byName: map[string]*file{}, byAddress: map[string]*file{}}
	var sheets []string
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path.Ext(name) == ".css" {
			sheets = append(sheets, name)
			return nil
		}
		return s.add(name, nil)
	})
	// Style sheets come last: they contain the hashed addresses of the other files.
	for _, name := range sheets {
		_ = s.add(name, s.resolve)
	}
	return s
})

func (s index) add(name string, edit func(name string, content []byte) []byte) error {
	content, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if edit != nil {
		content = edit(name, content)
	}
	f := &file{plain: content, contentType: contentType(name), address: Prefix + hashed(name, content)}
	if compressible(name) {
		f.gzipped = compress(content)
	}
	s.byName[name], s.byAddress[f.address] = f, f
	return nil
}

var reference = regexp.MustCompile(`url\("([^"]+)"\)`)

// resolve replaces the relative addresses in a style sheet by the hashed ones.
func (s index) resolve(name string, content []byte) []byte {
	return reference.ReplaceAllFunc(content, func(match []byte) []byte {
		to := string(reference.FindSubmatch(match)[1])
		f, ok := s.byName[path.Join(path.Dir(name), to)]
		if !ok {
			return match
		}
		return []byte(`url("` + f.address + `")`)
	})
}

func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
}

func contentType(name string) string {
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

func compressible(name string) bool {
	switch path.Ext(name) {
	case ".css", ".js", ".svg":
		return true
	}
	return false
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// Path returns the address of a file by its name in this folder:
// "css/elsom.css" → "/static/css/elsom.0f3a….css". The address of an unknown name
// answers 404.
func Path(name string) string {
	if f, ok := all().byName[name]; ok {
		return f.address
	}
	return Prefix + name
}

// Handler serves the files by their hashed addresses. Mount it at Prefix without
// stripping the prefix.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		//mutant:replace byAddress[r.URL.Path] => byName[strings.TrimPrefix(r.URL.Path, Prefix)] TestFileIsImmutableAtItsHash
		f, ok := all().byAddress[r.URL.Path]
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
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	body := f.plain
	if f.gzipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.gzipped
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

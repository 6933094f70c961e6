package arch_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// repository is the top of the repository.
const repository = "../.."

// maxReadme is the size of README.md, in bytes: what is longer belongs in a help
// topic or in internal/README.md.
const maxReadme = 9 << 10

// textsOf returns the text of all files below folders whose names end with one of
// the suffixes, by path.
func textsOf(t *testing.T, suffixes []string, roots ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range roots {
		err := fs.WalkDir(os.DirFS(repository), root, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "node_modules":
				return fs.SkipDir
			case entry.IsDir():
				return nil
			}
			for _, suffix := range suffixes {
				if strings.HasSuffix(name, suffix) {
					text, err := os.ReadFile(filepath.Join(repository, name))
					found[name] = string(text)
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// documents returns the project's documents by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := textsOf(t, []string{".md"}, "README.md", "CHANGELOG.md", ".github", "cmd", "internal")
	if len(found) < 20 {
		t.Fatalf("only %d documents were found", len(found))
	}
	return found
}

var (
	codeBlock    = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

func TestDocumentLinksResolve(t *testing.T) {
	t.Parallel()
	all, links := documents(t), 0
	for name, text := range all {
		for _, match := range markdownLink.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			at := name
			if target != "" {
				at = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(repository, at)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, match[1])
			} else if anchor != "" && !hasAnchor(all[at], anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, match[1])
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// hasAnchor reports whether a heading of the text has the anchor that GitHub
// makes of it.
func hasAnchor(text, anchor string) bool {
	for _, title := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, title[1])
		if slug == anchor {
			return true
		}
	}
	return false
}

func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	if size := len(documents(t)["README.md"]); size > maxReadme {
		t.Errorf("README.md has %d bytes, more than %d", size, maxReadme)
	}
}

// TestDocumentsNameWhatExists keeps documents in step with the code: the tests,
// variables, metrics, targets and paths that they name have to be there. The
// changelog is history and may name what is gone.
func TestDocumentsNameWhatExists(t *testing.T) {
	t.Parallel()
	var code, tests strings.Builder
	for name, text := range textsOf(t, []string{".go"}, "cmd", "internal", "web", "templates", "static", "migrations") {
		if strings.HasSuffix(name, "_test.go") {
			tests.WriteString(text)
		} else {
			code.WriteString(text)
		}
	}
	makefile := textsOf(t, []string{"Makefile"}, "Makefile")["Makefile"]
	known := []struct {
		what   string
		named  *regexp.Regexp // its first group is the name
		exists func(name string) bool
	}{
		{"test", regexp.MustCompile("`(Test[A-Z]\\w*)`"), func(name string) bool { return strings.Contains(tests.String(), "func "+name+"(") }},
		{"variable", regexp.MustCompile(`\b(ELSOM_[A-Z_]*[A-Z])\b`), func(name string) bool {
			return strings.Contains(code.String(), `"`+name+`"`) || strings.Contains(code.String(), `"`+strings.TrimSuffix(name, "_FILE")+`"`)
		}},
		{"metric", regexp.MustCompile(`\b(elsom_[a-z_]*[a-z])\b`), func(name string) bool { return strings.Contains(code.String(), `"`+name+`"`) }},
		{"target", regexp.MustCompile("`make ([a-z-]+)"), func(name string) bool { return strings.Contains("\n"+makefile, "\n"+name+":") }},
		{"path", regexp.MustCompile("`((?:cmd|web|templates|static|internal|migrations|\\.ci)/[\\w./-]*)`"), func(name string) bool {
			_, err := os.Stat(filepath.Join(repository, name))
			return err == nil
		}},
	}
	for name, text := range documents(t) {
		if name == "CHANGELOG.md" {
			continue
		}
		for _, k := range known {
			for _, match := range k.named.FindAllStringSubmatch(text, -1) {
				if !k.exists(match[1]) {
					t.Errorf("%s names the %s %s, which is not there", name, k.what, match[1])
				}
			}
		}
	}
}

func TestPackagesAreDescribed(t *testing.T) {
	t.Parallel()
	text := documents(t)["internal/README.md"]
	folders, err := os.ReadDir(filepath.Join(repository, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if folder.IsDir() && !strings.Contains(text, "]("+folder.Name()+")") && !strings.Contains(text, "]("+folder.Name()+"/") {
			t.Errorf("internal/README.md does not link to %s", folder.Name())
		}
	}
}

var (
	tableRow = regexp.MustCompile("(?m)^\\|.*`Test.*$")
	testName = regexp.MustCompile("`(Test\\w+)`")
)

// TestGuaranteesAreMutated requires that each test in the table of guarantees is
// named by a mutation annotation in a file of its row.
func TestGuaranteesAreMutated(t *testing.T) {
	t.Parallel()
	rows := tableRow.FindAllString(documents(t)["internal/README.md"], -1)
	if len(rows) < 15 {
		t.Fatalf("only %d guarantees were found", len(rows))
	}
	for _, row := range rows {
		var annotated strings.Builder
		for _, link := range markdownLink.FindAllStringSubmatch(row, -1) {
			text, err := os.ReadFile(filepath.Join(repository, "internal", link[1]))
			if err != nil {
				t.Error(err)
			}
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, "mutant:") {
					annotated.WriteString(line)
				}
			}
		}
		for _, test := range testName.FindAllStringSubmatch(row, -1) {
			if !regexp.MustCompile(" " + test[1] + `\b`).MatchString(annotated.String()) {
				t.Errorf("no annotation in the files of this row names %s: %s", test[1], row)
			}
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMutations(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"drop a statement":            {"//mutant:drop TestX\n\tcount(1)", "if false { count(1) }"},
		"drop an if":                  {"//mutant:drop TestX\n\tif n := f(); n > 0 {\n\t\treturn\n\t}", "if false { if n := f(); n > 0 {\n\t\treturn\n\t} }"},
		"drop an if with an else":     {"//mutant:drop TestX\n\tif a {\n\t\treturn\n\t} else {\n\t}", "if false && (a) {"},
		"drop an else if":             {"if a {\n\t\tcount(1)\n\t\t//mutant:drop TestX\n\t} else if b {\n\t}", "} else if false && (b) {"},
		"drop a case":                 {"switch {\n\t//mutant:drop TestX\n\tcase a, b:\n\t}", "case false && (a), false && (b):"},
		"drop a case with a value":    {"switch n {\n\t//mutant:drop TestX\n\tcase 1:\n\t\tcount(1)\n\tcase 2:\n\t}", "switch n {\n\t//mutant:drop TestX\n\t\n\tcase 2:"},
		"drop a received value":       {"select {\n\t//mutant:drop TestX\n\tcase <-c:\n\tdefault:\n\t}", "select {\n\t//mutant:drop TestX\n\t\n\tdefault:"},
		"drop an element":             {"_ = T{\n\t\t//mutant:drop TestX\n\t\tA: 1,\n\t\tB: 2,\n\t}", "TestX\n\t\t\n\t\tB: 2,"},
		"drop an operand":             {"_ = a ||\n\t\t//mutant:drop TestX\n\t\tb && f(1)", "_ = a\n"},
		"drop the use of an import":   {"//mutant:drop TestX\n\t_ = T{\n\t\tA: 1,\n\t}", "if false { _ = T{"},
		"negate an if":                {"//mutant:negate TestX\n\tif a || b {\n\t}", "if !(a || b) {"},
		"negate a loop":               {"//mutant:negate TestX\n\tfor a {\n\t}", "for !(a) {"},
		"negate a case":               {"switch {\n\t//mutant:negate TestX\n\tcase a:\n\t}", "case !(a):"},
		"negate a value":              {"//mutant:negate TestX\n\treturn a || b", "return !(a || b)"},
		"replace":                     {"//mutant:replace 1 => 2 TestX\n\tcount(1)", "count(2)"},
		"replace by nothing":          {"//mutant:replace , 12 => TestX\n\tcount(1, 12)", "count(1)"},
		"replace in a string":         {"//mutant:replace AND b => TestX\n\tcount(`a\n\t\tAND b`)", "count(`a\n\t\t`)"},
		"replace the line of an if":   {"//mutant:replace a => b TestX // why\n\tif a {\n\t\tcount(a)\n\t}", "if b {\n\t\tcount(a)"},
		"replace over lines":          {"//mutant:replace 1, 2 => 3 TestX\n\tcount(1,\n\t\t2)", "count(3)"},
		"replace whole words":         {"//mutant:replace a => b TestX\n\tcount(a, aa)", "count(b, aa)"},
		"replace with an arrow in it": {"//mutant:replace 1 => \"=> 2\" TestX\n\tcount(1)", "count(\"=> 2\")"},
	} {
		t.Run(name, func(t *testing.T) {
			all, problems := read("p/p.go", []byte("package p\n\nfunc f() {\n\t"+test.source+"\n}\n"))
			if len(problems) > 0 || len(all) != 1 {
				t.Fatal(len(all), problems)
			}
			if got := string(all[0].source); !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant in it\n%s", got, test.want)
			}
			if m := all[0]; m.pkg != "./p" || m.test != "TestX" || m.file != "p/p.go" {
				t.Error(m)
			}
		})
	}
}

func TestStackedAnnotationsAreSeparateMutants(t *testing.T) {
	all, problems := read("p/p.go", []byte("package p\n\n// f is documented.\n//\n//mutant:replace 1 => 2 TestX\n//mutant:replace 1 => 3 ./q TestY/case\nfunc f() int { return 1 }\n"))
	if len(problems) > 0 || len(all) != 2 {
		t.Fatal(len(all), problems)
	}
	if got := string(all[0].source); !strings.Contains(got, "return 2") {
		t.Error(got)
	}
	if m := all[1]; !strings.Contains(string(m.source), "return 3") || m.pkg != "./q" || m.test != "TestY/case" {
		t.Error(m, string(m.source))
	}
}

func TestUnusedImportsBecomeBlank(t *testing.T) {
	all, problems := read("p/p.go", []byte("package p\n\nimport \"fmt\"\n\n//mutant:drop TestX\nfunc f() { fmt.Println() }\n"))
	if len(problems) > 0 || len(all) != 1 || !strings.Contains(string(all[0].source), "import _ \"fmt\"") {
		t.Fatal(all, problems)
	}
}

func TestOtherFiles(t *testing.T) {
	for file, test := range map[string]struct{ source, want string }{
		"a.sql":  {"-- mutant:replace b > 0 => 1 = 1 ./p TestX\n-- why\nCREATE TABLE a (\n  CHECK (b > 0)\n);\n\nb > 0\n", "CHECK (1 = 1)\n);\n\nb > 0\n"},
		"a.toml": {"# mutant:replace один => два ./p TestX\na = \"один\"\nb = \"один\"\n", "a = \"два\"\nb = \"один\"\n"},
		"a.yaml": {"a:\n  # mutant:replace \"1\" => none ./p TestX\n  b: \"1\"\n", "  b: none\n"},
		"a.js":   {"// mutant:replace a() => b() ./p TestX\na();\n", "b();\n"},
	} {
		all, problems := read(file, []byte(test.source))
		if len(problems) > 0 || len(all) != 1 {
			t.Error(file, len(all), problems)
		} else if got := string(all[0].source); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: got %q, want %q at its end", file, got, test.want)
		}
	}
}

func TestWrongAnnotations(t *testing.T) {
	for source, want := range map[string]string{
		"//mutant:drop TestX\n\n\tcount(1)":                     "no code below",
		"count(1) //mutant:drop TestX":                          "follows code",
		"//mutant:drop TestX":                                   "no code below",
		"//mutant:drop\n\tcount(1)":                             "names no test",
		"//mutant:drop all TestX\n\tcount(1)":                   "not part of drop",
		"//mutant:erase TestX\n\tcount(1)":                      "no kind",
		"//mutant:drop TestX\n\tn := 1":                         "can't drop",
		"//mutant:negate TestX\n\tcount(1)":                     "can't negate",
		"//mutant:replace 1 2 TestX\n\tcount(1)":                "write replace",
		"//mutant:replace 1 => 2 TestX\n\tcount(1, 1)":          "occurs 2 times",
		"//mutant:replace 3 => 2 TestX\n\tcount(1)":             "occurs 0 times",
		"//mutant:replace 1 => 1 TestX\n\tcount(1)":             "changes nothing",
		"//mutant:replace count(1) => count( TestX\n\tcount(1)": "is not valid Go",
	} {
		all, problems := read("p/p.go", []byte("package p\n\nfunc f() {\n\t"+source+"\n}\n"))
		if len(all) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%q: got %d mutants and %v, want %q", source, len(all), problems, want)
		}
	}
}

func TestScanFindsAnnotationsAndMissingTests(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"p/p.go":           "package p\n\nfunc f() {\n\t//mutant:drop TestX/case\n\tg()\n\t//mutant:drop TestMissing\n\tg()\n\t//mutant:drop ./missing TestX\n\tg()\n}\n",
		"p/p_test.go":      "package p\n\nfunc TestX(t *testing.T) {}\n",
		"p/testdata/p.go":  "//mutant:drop\n",
		"p/page_templ.go":  "//mutant:drop\n",
		"p/annotations.md": "//mutant:drop\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, problems := scan(root, "p")
	if len(all) != 3 || len(problems) != 0 {
		t.Fatal(all, problems)
	}
	t.Chdir(root)
	problems = missingTests(all)
	if len(problems) != 2 || !strings.Contains(problems[0].Error(), "has no TestMissing") || !strings.Contains(problems[1].Error(), "./missing has no TestX") {
		t.Error(problems)
	}
}

func TestMutantsThatDoNotCompile(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	if err := os.Mkdir("p", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod":    "module m\n\ngo 1.26\n",
		"p/more.go": "package p\n\nimport \"fmt\"\n\nfunc g(n int) int { fmt.Print(n); return n }\n",
		"p/p.go":    "package p\n\nfunc F() int {\n\t//mutant:replace 1 => 2 TestX\n\t//mutant:replace 1 => `2` TestX\n\t//mutant:replace 1 => h TestX\n\treturn g(1)\n}\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, problems := scan(".", "p")
	if len(all) != 3 || len(problems) != 0 {
		t.Fatal(all, problems)
	}
	problems = typeErrors(all)
	if len(problems) != 2 || !strings.Contains(problems[0].Error(), "p/p.go:5") || !strings.Contains(problems[1].Error(), "undefined: h") {
		t.Error(problems)
	}
}

package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elsom/internal/testkit/system"
)

// topics returns the files of the operator's handbook by topic.
func topics(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("help/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no topics: %v", err)
	}
	found := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".md")] = string(content)
	}
	return found
}

func TestHelpListsAndPrintsTopics(t *testing.T) {
	t.Parallel()
	list := system.Run(t, nil, "help")
	if list.Code != 0 {
		t.Fatal(list.Stderr)
	}
	for name, text := range topics(t) {
		title, _, _ := strings.Cut(text, "\n")
		if line := regexp.MustCompile(`(?m)^  ` + name + ` +(.*)$`).FindStringSubmatch(list.Stdout); line == nil || "# "+line[1] != title {
			t.Errorf("%s is not in the list as %q:\n%s", name, title, list.Stdout)
		}
		topic := system.Run(t, nil, "help", name)
		if topic.Code != 0 || !strings.HasPrefix(topic.Stdout, title+"\n") || strings.Contains(topic.Stdout, "](") || strings.Contains(topic.Stdout, "<!--") {
			t.Errorf("help %s: %+v", name, topic)
		}
	}
}

func TestHelpOfCommand(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"gateway"}, {"agent", "add"}} {
		help, flag := system.Run(t, nil, append([]string{"help"}, command...)...), system.Run(t, nil, append(command, "--help")...)
		if help.Code != 0 || help.Stdout == "" || help.Stdout != flag.Stdout {
			t.Errorf("%v: %+v, want %+v", command, help, flag)
		}
	}
}

func TestHelpRejectsUnknownTopic(t *testing.T) {
	t.Parallel()
	out := system.Run(t, nil, "help", "nothing")
	if out.Code != 80 || out.Stdout != "" {
		t.Errorf("%+v", out)
	}
	for name := range topics(t) {
		if !strings.Contains(out.Stderr, name) {
			t.Errorf("the error doesn't name the topic %s: %s", name, out.Stderr)
		}
	}
}

var variableTag = regexp.MustCompile(`env:"(ELSOM_[A-Z_]+)"`)

func TestHelpConfigHasEveryVariable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../internal/config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out, found := system.Run(t, nil, "help", "config"), 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range variableTag.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(out.Stdout, "- `"+tag[1]+"`") {
				t.Errorf("%s is not in `elsom help config`", tag[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d variables were found", found)
	}
}

var namedCommand = regexp.MustCompile("(?m)(?:`|^ *|&& |bin/)elsom ([a-z]+)(?: ([a-z][a-z-]*))?")

// TestHelpNamesCommands runs the commands that the documents name, with --help.
func TestHelpNamesCommands(t *testing.T) {
	t.Parallel()
	texts := topics(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts["README.md"] = string(readme)
	tried := map[string]bool{}
	for name, text := range texts {
		for _, match := range namedCommand.FindAllStringSubmatch(text, -1) {
			command, sub := match[1], match[2]
			if command == "help" {
				if _, known := texts[sub]; sub != "" && !known {
					t.Errorf("%s names the topic %s, which is not there", name, sub)
				}
				continue
			}
			words := command + " " + sub
			if tried[words] {
				continue
			}
			tried[words] = true
			if out := system.Run(t, nil, append(strings.Fields(words), "--help")...); out.Code != 0 {
				t.Errorf("%s names elsom %s: %s", name, words, out.Stderr)
			}
		}
	}
	if len(tried) < 20 {
		t.Errorf("only %d commands were found", len(tried))
	}
}

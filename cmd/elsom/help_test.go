package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
	list := operate(t, nil, "help")
	if list.code != 0 {
		t.Fatal(list.err)
	}
	for name, text := range topics(t) {
		title, _, _ := strings.Cut(text, "\n")
		if line := regexp.MustCompile(`(?m)^  ` + name + ` +(.*)$`).FindStringSubmatch(list.out); line == nil || "# "+line[1] != title {
			t.Errorf("%s is not in the list as %q:\n%s", name, title, list.out)
		}
		topic := operate(t, nil, "help", name)
		if topic.code != 0 || !strings.HasPrefix(topic.out, title+"\n") || strings.Contains(topic.out, "](") || strings.Contains(topic.out, "<!--") {
			t.Errorf("help %s: %+v", name, topic)
		}
	}
}

func TestHelpOfCommand(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"gateway"}, {"agent", "add"}} {
		help, flag := operate(t, nil, append([]string{"help"}, command...)...), operate(t, nil, append(command, "--help")...)
		if help.code != 0 || help.out == "" || help.out != flag.out {
			t.Errorf("%v: %+v, want %+v", command, help, flag)
		}
	}
}

func TestHelpRejectsUnknownTopic(t *testing.T) {
	t.Parallel()
	told := operate(t, nil, "help", "nothing")
	if told.code != 80 || told.out != "" {
		t.Errorf("%+v", told)
	}
	for name := range topics(t) {
		if !strings.Contains(told.err, name) {
			t.Errorf("the error doesn't name the topic %s: %s", name, told.err)
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
	told, found := operate(t, nil, "help", "config"), 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range variableTag.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(told.out, "- `"+tag[1]+"`") {
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
			if told := operate(t, nil, append(strings.Fields(words), "--help")...); told.code != 0 {
				t.Errorf("%s names elsom %s: %s", name, words, told.err)
			}
		}
	}
	if len(tried) < 20 {
		t.Errorf("only %d commands were found", len(tried))
	}
}

package main

import (
	"embed"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// handbook is the operator's handbook, one topic a file. The first line of a file
// is its title.
//
//go:embed help/*.md
var handbook embed.FS

type helpCommand struct {
	Topic []string `arg:"" optional:"" help:"A topic, or a command. Without one the topics are listed."`
}

// Run prints a topic of the handbook, the help of a command, or the list of topics.
func (h helpCommand) Run(parsed *kong.Context) error {
	if len(h.Topic) == 0 {
		return listTopics()
	}
	if len(h.Topic) == 1 {
		if text, err := handbook.ReadFile("help/" + h.Topic[0] + ".md"); err == nil {
			_, err = os.Stdout.WriteString(plainText(string(text)))
			return err
		}
	}
	for _, command := range parsed.Model.Children {
		if command.Name == h.Topic[0] {
			_, err := parsed.Kong.Parse(append(h.Topic[:len(h.Topic):len(h.Topic)], "--help")) // prints it and exits
			return err
		}
	}
	return usageError("there is no topic %q; topics: %s", strings.Join(h.Topic, " "), strings.Join(topics(), ", "))
}

// topics returns the names of all topics, sorted.
func topics() []string {
	files, _ := handbook.ReadDir("help") // an embedded folder can be read
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file.Name(), path.Ext(file.Name()))
	}
	return names
}

func listTopics() error {
	fmt.Print("The operator's handbook; `elsom help TOPIC` prints a topic, `elsom COMMAND --help`\nthe arguments of a command.\n\n")
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, name := range topics() {
		text, err := handbook.ReadFile("help/" + name + ".md")
		if err != nil {
			return err
		}
		title, _, _ := strings.Cut(string(text), "\n")
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", name, strings.TrimPrefix(title, "# "))
	}
	return table.Flush()
}

var (
	markdownComment = regexp.MustCompile(`(?m)^<!--.*-->\n`)
	markdownLink    = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)
)

// plainText prepares Markdown for a terminal: it drops comments and the targets
// of links.
func plainText(markdown string) string {
	return markdownLink.ReplaceAllString(markdownComment.ReplaceAllString(markdown, ""), "$1")
}

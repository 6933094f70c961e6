package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"elsom/internal/database"
	"elsom/internal/money"
	"elsom/internal/operatorlog"
)

type operatorCommands struct {
	Log operatorLog `cmd:"" help:"Print the commands that changed something: who, why, before, after."`
}

type operatorLog struct {
	Since   time.Duration `help:"How far back, as 24h or 90m." default:"24h"`
	Command string        `help:"Only this command or group, such as agent or \"agent set\"."`
	Staff   string        `help:"Only this person, under any spelling of the name."`
	JSON    bool          `help:"One JSON object a line; before and after are as stored." name:"json"`
}

// Help implements kong.HelpProvider.
func (operatorLog) Help() string {
	return `Example: elsom operator log --since 720h --command "agent set" --staff Aida

CHANGE has what differs between before and after; amounts are in som. USER is the user of
the machine, with the one who logged in where they differ; STAFF is the name that was given.`
}

// maxOperatorLog is the number of entries that are printed at most.
const maxOperatorLog = 10_000

// Run prints the entries, oldest first.
func (o operatorLog) Run(ctx context.Context, parsed *kong.Context) error {
	if o.Since <= 0 {
		return usageError("--since must be positive")
	}
	if err := knownCommand(parsed.Model, o.Command); err != nil {
		return err
	}
	return withDatabase(ctx, func(db *database.DB) error {
		filter := operatorlog.Filter{Since: db.Now().Add(-o.Since), Command: o.Command, Staff: o.Staff}
		entries, more, err := operatorlog.List(ctx, db, filter, maxOperatorLog)
		if err != nil {
			return err
		}
		if o.JSON {
			return printEntriesJSON(entries)
		}
		if len(entries) == 0 {
			return printLine("No such commands in the last %s.", o.Since)
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "TIME\tCOMMAND\tSUBJECT\tSTAFF\tUSER\tREASON\tCHANGE")
		for _, e := range entries {
			_, _ = fmt.Fprintln(table, strings.Join([]string{
				localTime(e.DoneAt), e.Name, dash(e.Subject), dash(e.Staff), e.OSUser, dash(e.Reason), dash(changeText(e.Before, e.After)),
			}, "\t"))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if more {
			return printLine("These are the first %d; give a shorter --since for the latest.", maxOperatorLog)
		}
		return nil
	})
}

// knownCommand returns an error that lists the commands, for one that is neither a
// command nor a group of them.
func knownCommand(app *kong.Application, command string) error {
	var known []string
	for _, leaf := range app.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), app.Name+" ")
		group, _, _ := strings.Cut(name, " ")
		known = append(known, name)
		if group != name && !slices.Contains(known, group) {
			known = append(known, group)
		}
	}
	slices.Sort(known)
	return knownValue("--command", command, known)
}

// changeText returns the differences between two states, which are JSON or empty. A value
// that is new is shown without an arrow.
func changeText(before, after string) string {
	was, is := stateTexts(before), stateTexts(after)
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(is)) {
		switch old, known := was[key]; {
		case !known:
			parts = append(parts, key+": "+is[key])
		case old != is[key]:
			parts = append(parts, key+": "+old+" → "+is[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, there := is[key]; !there && after != "" {
			parts = append(parts, key+": "+was[key]+" → –")
		}
	}
	return strings.Join(parts, "; ")
}

// amountKeys are the keys of states whose values are amounts in tyiyn.
var amountKeys = []string{"ceiling", "amount", "total", "owed"}

// stateTexts returns the values of a state by their keys, as people read them. Nested
// objects are flattened: their keys stand alone.
func stateTexts(state string) map[string]string {
	decoder := json.NewDecoder(strings.NewReader(state))
	decoder.UseNumber()
	var values map[string]any
	if decoder.Decode(&values) != nil {
		return nil
	}
	texts := map[string]string{}
	flatten(values, texts)
	return texts
}

func flatten(values map[string]any, into map[string]string) {
	for key, value := range values {
		name := strings.ToLower(strings.ReplaceAll(key, "_", " "))
		switch v := value.(type) {
		case map[string]any:
			flatten(v, into)
		case json.Number:
			n, err := v.Int64()
			if tyiyn := strings.TrimSuffix(name, " tyiyn"); err == nil && (tyiyn != name || slices.Contains(amountKeys, name)) {
				into[tyiyn] = money.Amount(n).String() + " som"
				continue
			}
			into[name] = v.String()
		case bool:
			into[name] = map[bool]string{true: "yes", false: "no"}[v]
		case string:
			into[name] = dash(v)
		case nil:
			into[name] = "–"
		default:
			text, _ := json.Marshal(v)
			into[name] = string(text)
		}
	}
}

func printEntriesJSON(entries []operatorlog.Entry) error {
	encoder := json.NewEncoder(os.Stdout)
	for _, e := range entries {
		err := encoder.Encode(map[string]any{
			"id": e.ID, "time": e.DoneAt.UTC(), "command": e.Name, "os_user": e.OSUser, "staff": e.Staff, "reason": e.Reason,
			"subject": e.Subject, "before": rawOrNull(e.Before), "after": rawOrNull(e.After),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rawOrNull returns stored JSON as it is.
func rawOrNull(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

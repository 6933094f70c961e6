package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

// Record returns the canonical form of a version, which its signature covers. It is
// stored in signatures and in the log, so it never changes.
func (r versionRow) record() *signature.Record {
	return signature.NewRecord(signature.Catalog, r.Version).Text(r.Content).Time(r.PutAt).Text(r.Staff).Text(r.OSUser).
		Text(string(r.Origin)).Int(r.RestoredFrom)
}

// The lists whose entries decide about money. An entry that a version leaves out stays
// in its table as retired, and open payments still use it.
const (
	billersList  = "billers"
	servicesList = "services"
	levelsList   = "levels"
)

// errNotNewest reports that a later version than the one in force is stored.
var errNotNewest = errors.New("it is not the newest version that is stored")

// verification is the result of comparing the tables with the signed versions.
type verification struct {
	// problem is why nothing of the catalog may decide about money; nil if the tables
	// are what the newest signed version says.
	problem error
	// differences are the lines of the diff from that version to the tables.
	differences []string
	// unproven has the retired entries, as "billers CODE", that are not as the newest
	// signed version that names them.
	unproven map[string]bool
}

// check returns fault.Unavailable for an entry that may not decide about money: a
// later try succeeds when the catalog was put right.
func (v verification) check(list, code string) error {
	//mutant:drop TestChangedTablesAreNotUsed/sqlite
	if v.problem != nil {
		return fault.New(fault.Unavailable, "catalog.verify", "").Because(v.problem)
	}
	//mutant:drop TestRetiredEntriesAreVerified/sqlite
	if v.unproven[list+" "+code] {
		return fault.New(fault.Unavailable, "catalog.verify", "").Because(fmt.Errorf("%s: %s is not as any signed version has it", list, code))
	}
	return nil
}

// verify compares the contents of the tables with the newest stored version. Without
// keys it accepts everything. err means that the versions could not be read.
func (c *Catalog) verify(ctx context.Context, contents Contents, version int64) (verification, error) {
	if c.db.Keys() == nil {
		return verification{}, nil
	}
	return verify(inDatabase(ctx, c.db), contents, version)
}

// verify compares the contents of the tables with the newest stored version. It accepts
// an empty catalog, and a version that may be unsigned.
func verify(r source, contents Contents, version int64) (v verification, err error) {
	if version == 0 {
		return v, nil
	}
	newest, found, err := readNewestVersion(r)
	if err != nil {
		return v, err
	}
	//mutant:drop TestOldVersionPutBackIsNotUsed/sqlite
	if newest.Version > version {
		v.problem = fmt.Errorf("version %d: %w", version, errNotNewest)
		return v, nil
	}
	if !found || newest.Version < version { // of a release that stored no versions
		newest = versionRow{Version: version}
	}
	if err := r.signed(newest); err != nil {
		v.problem = fmt.Errorf("version %d: %w", version, err)
		return v, nil
	}
	if len(newest.MAC) == 0 { // unsigned rows are still allowed
		return v, nil
	}
	want, err := readFile([]byte(newest.Content))
	if err != nil {
		v.problem = fmt.Errorf("version %d: %w", version, err)
		return v, nil
	}
	if v.differences = diff(want, contents); len(v.differences) > 0 {
		v.problem = fmt.Errorf("the tables are not version %d: %s", version, shortened(v.differences))
		return v, nil
	}
	v.unproven, err = unprovenRetired(r, contents, version)
	return v, err
}

// Check compares the catalog in force with the newest signed version, in the snapshot of
// a transaction, and returns a line for each difference. Without keys it takes the
// versions as they are stored.
func Check(tx *database.Tx, keys *signature.Keys) (lines []string, err error) {
	allowed, err := tx.UnsignedAllowed()
	if err != nil {
		return nil, err
	}
	r := inSnapshot(tx, func(row versionRow) error {
		err := keys.Verify(row.record(), row.MAC, row.KeyID)
		if keys == nil || allowed && errors.Is(err, signature.ErrUnsigned) {
			return nil
		}
		return err
	})
	version, err := readVersion(r)
	if errors.Is(err, errNoState) {
		return []string{errNoState.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	contents, err := readContents(r)
	if err != nil {
		return nil, err
	}
	v, err := verify(r, contents, version)
	switch {
	case len(v.differences) > 0:
		for _, entry := range byEntry(v.differences) {
			lines = append(lines, fmt.Sprintf("not as version %d: %s", version, entry))
		}
	case v.problem != nil:
		lines = append(lines, v.problem.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(v.unproven)) {
		if v.unproven[name] {
			lines = append(lines, name+", which is retired, is not as any signed version has it")
		}
	}
	return lines, err
}

// byEntry joins the lines of a diff that are about one entry.
func byEntry(lines []string) (entries []string) {
	list := ""
	for _, line := range lines {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "      "):
			entries[len(entries)-1] += ", " + text
		case strings.HasPrefix(line, "  "):
			entries = append(entries, list+" "+text)
		case strings.HasSuffix(text, ":"):
			list = text
		default: // the default level
			entries = append(entries, text)
		}
	}
	return entries
}

// shortened returns the first lines of a diff on one line.
func shortened(lines []string) string {
	const most = 6
	var parts []string
	for _, line := range lines[:min(len(lines), most)] {
		parts = append(parts, strings.TrimSpace(line))
	}
	if len(lines) > most {
		parts = append(parts, "…")
	}
	return strings.Join(parts, "; ")
}

// unprovenRetired returns the retired entries that are not as the newest version before
// this one that names them. It reads versions only as far as there are such entries.
func unprovenRetired(r source, contents Contents, version int64) (map[string]bool, error) {
	waiting := retiredEntries(contents)
	unproven := map[string]bool{}
	for before := version; len(waiting) > 0; {
		row, found, err := readVersionBefore(r, before)
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
		before = row.Version
		old, err := readFile([]byte(row.Content))
		if err != nil || r.signed(row) != nil {
			continue // it proves nothing
		}
		named := entryTexts(old)
		for name, text := range waiting {
			if was, ok := named[name]; ok {
				unproven[name] = was != text
				delete(waiting, name)
			}
		}
	}
	for name := range waiting {
		unproven[name] = true
	}
	return unproven, nil
}

// retiredEntries returns the retired entries as they were before, by list and code.
func retiredEntries(contents Contents) map[string]string {
	var retired Contents
	for _, b := range contents.Billers {
		if b.Retired {
			b.Retired = false
			retired.Billers = append(retired.Billers, b)
		}
	}
	for _, s := range contents.Services {
		if s.Retired {
			s.Retired = false
			retired.Services = append(retired.Services, s)
		}
	}
	for _, l := range contents.Levels {
		if l.Retired {
			l.Retired = false
			retired.Levels = append(retired.Levels, l)
		}
	}
	return entryTexts(retired)
}

// entryTexts returns the entries that decide about money in their YAML form, by list
// and code.
func entryTexts(contents Contents) map[string]string {
	texts := map[string]string{}
	for _, s := range sections(contents) {
		if s.name != billersList && s.name != servicesList && s.name != levelsList {
			continue
		}
		for code, entry := range s.entries {
			texts[s.name+" "+code] = inline(entry)
		}
	}
	return texts
}

// alarmPause is the time between two log lines about the same problem.
const alarmPause = time.Minute

// report logs a problem, a repeated one once a minute.
func (c *Catalog) report(ctx context.Context, problem error, now time.Time) {
	c.reported.Lock()
	defer c.reported.Unlock()
	text := problem.Error()
	if text == c.reported.text && now.Sub(c.reported.at) < alarmPause {
		return
	}
	c.reported.text, c.reported.at = text, now
	slog.ErrorContext(ctx, "catalog: not as it was signed; its billers, services and levels are not used", "error", problem)
}

// Verified returns nil if the catalog in use is as it was signed, otherwise why not.
func (c *Catalog) Verified(ctx context.Context) error {
	s, err := c.current(ctx)
	if err != nil {
		return err
	}
	return s.verified.problem
}

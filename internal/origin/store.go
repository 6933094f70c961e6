package origin

import (
	"database/sql"
	"strings"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// Read returns up to limit rows whose ids are above after and below before, in the
// order of their ids; before 0 is no bound. It reads a range of a key, so that a
// reader of all rows needs no more memory than one page takes.
func (t Table) Read(tx *database.Tx, after, before int64, limit int) ([]Row, error) {
	return t.read(tx, after, before, limit, "")
}

func (t Table) read(tx *database.Tx, after, before int64, limit int, lock string) ([]Row, error) {
	columns := make([]string, 0, len(t.Fields)+3)
	for _, f := range t.Fields {
		columns = append(columns, f.Column)
	}
	columns = append(columns, t.ID, t.Prefix+"mac", "COALESCE("+t.Prefix+"key_id, '')")
	query, args := "SELECT "+strings.Join(columns, ", ")+" FROM "+t.Name+" WHERE "+t.ID+" > ?", []any{after}
	if before != 0 {
		query, args = query+" AND "+t.ID+" < ?", append(args, before)
	}
	found, err := tx.Gorm().Raw(query+" ORDER BY "+t.ID+" LIMIT ?"+lock, append(args, limit)...).Rows()
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []Row
	var id int64
	var mac []byte
	var keyID string
	values := scanned(t.Fields)
	into := append(values.destinations(), &id, &mac, &keyID)
	for found.Next() {
		mac = nil
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		record := signature.NewRecord(t.Kind, id)
		values.addTo(record)
		rows = append(rows, Row{record, mac, keyID})
	}
	if err := found.Err(); err != nil || t.Lines == nil {
		return rows, err
	}
	return rows, t.Lines.addTo(tx, rows)
}

// addTo adds the lines of each row to its record. rows are ordered by id.
func (l *Lines) addTo(tx *database.Tx, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	found, err := tx.Gorm().Raw("SELECT "+strings.Join(l.Columns, ", ")+", "+l.Of+" FROM "+l.Name+
		" WHERE "+l.Of+" BETWEEN ? AND ? ORDER BY "+l.Of+", "+l.Columns[0], rows[0].Record.ID(), rows[len(rows)-1].Record.ID()).Rows()
	if err != nil {
		return err
	}
	defer found.Close()
	var of int64
	line := make([]int64, len(l.Columns))
	into := make([]any, 0, len(line)+1)
	for i := range line {
		into = append(into, &line[i])
	}
	into = append(into, &of)
	var lines []int64 // of the row
	row := 0
	end := func() {
		rows[row].Record.Int(int64(len(lines) / len(l.Columns)))
		for _, n := range lines {
			rows[row].Record.Int(n)
		}
		lines, row = lines[:0], row+1
	}
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			return err
		}
		for row < len(rows) && rows[row].Record.ID() < of {
			end()
		}
		if row < len(rows) && rows[row].Record.ID() == of { // else its row is missing
			lines = append(lines, line...)
		}
	}
	for row < len(rows) {
		end()
	}
	return found.Err()
}

// sign stores signatures of rows that have none.
func (t Table) sign(tx *database.Tx, keys *signature.Keys, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	ids, macs, keyIDs := make([]int64, len(rows)), make([][]byte, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Record.ID()
		macs[i], keyIDs[i] = keys.SignBaseline(r.Record)
		tx.Queue(r.Record, macs[i])
	}
	return tx.Update(database.Update{
		Set:   t.Name + " SET " + t.Prefix + "mac = v.mac, " + t.Prefix + "key_id = v.key_id",
		Where: t.Name + "." + t.ID + " = v.id AND " + t.Name + "." + t.Prefix + "mac IS NULL",
		Values: []database.Column{
			database.NewColumn("id", "bigint", ids), database.NewColumn("mac", "bytea", macs), database.NewColumn("key_id", "text", keyIDs),
		},
	})
}

// CountUnsigned returns the number of rows without a signature by table, of the tables
// whose rows must be signed.
func CountUnsigned(tx *database.Tx) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, t := range required() {
		var n int64
		if err := tx.Gorm().Raw("SELECT COUNT(*) FROM " + t.Name + " WHERE " + t.Prefix + "mac IS NULL").Row().Scan(&n); err != nil {
			return nil, err
		}
		counts[t.Label()] = n
	}
	return counts, nil
}

// hasUnsigned reports whether a row that must be signed isn't.
func hasUnsigned(tx *database.Tx) (found bool, err error) {
	for _, t := range required() {
		err = tx.Gorm().Raw("SELECT EXISTS (SELECT 1 FROM " + t.Name + " WHERE " + t.Prefix + "mac IS NULL)").Row().Scan(&found)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// hasBooksKey reports whether a portal recorded a key of the books.
func hasBooksKey(tx *database.Tx) (found bool, err error) {
	err = tx.Gorm().Raw("SELECT EXISTS (SELECT 1 FROM server_keys WHERE name = 'books')").Row().Scan(&found)
	return found, err
}

// scan holds the values of a row.
type scan struct {
	fields  []Field
	texts   []sql.NullString
	numbers []sql.NullInt64
	bools   []sql.NullBool
	times   []sql.NullTime
}

func scanned(fields []Field) *scan {
	n := len(fields)
	return &scan{fields, make([]sql.NullString, n), make([]sql.NullInt64, n), make([]sql.NullBool, n), make([]sql.NullTime, n)}
}

func (s *scan) destinations() []any {
	into := make([]any, len(s.fields))
	for i, f := range s.fields {
		switch f.Type {
		case Text:
			into[i] = &s.texts[i]
		case Int:
			into[i] = &s.numbers[i]
		case Bool:
			into[i] = &s.bools[i]
		case Time:
			into[i] = &s.times[i]
		}
	}
	return into
}

func (s *scan) addTo(r *signature.Record) {
	for i, f := range s.fields {
		switch {
		case f.Type == Text && s.texts[i].Valid:
			r.Text(s.texts[i].String)
		case f.Type == Int && s.numbers[i].Valid:
			r.Int(s.numbers[i].Int64)
		case f.Type == Bool && s.bools[i].Valid:
			r.Bool(s.bools[i].Bool)
		case f.Type == Time && s.times[i].Valid:
			r.Time(s.times[i].Time)
		default:
			r.Absent()
		}
	}
}

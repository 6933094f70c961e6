package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"elsom/internal/database"
	"elsom/internal/money"
	"elsom/internal/operatorlog"
)

// A Text is stored in three columns.
type textRow struct {
	KY string `gorm:"column:ky"`
	RU string `gorm:"column:ru"`
	EN string `gorm:"column:en"`
}

func (w textRow) text() Text { return Text(w) }

type categoryRow struct {
	Code       string  `gorm:"primaryKey"`
	Name       textRow `gorm:"embedded;embeddedPrefix:name_"`
	USSDNumber int     `gorm:"column:ussd_number"`
	USSDName   textRow `gorm:"embedded;embeddedPrefix:ussd_name_"`
	Position   int
	Retired    bool
}

func (categoryRow) TableName() string { return "catalog_categories" }

type billerRow struct {
	Code                 string `gorm:"primaryKey"`
	Name                 string
	URL                  string `gorm:"column:url"`
	AnswersStoredOutcome bool
	DeadlineMs           int64
	Retired              bool
}

func (billerRow) TableName() string { return "catalog_billers" }

type serviceRow struct {
	Code           string `gorm:"primaryKey"`
	Category       string
	Biller         string
	Name           textRow `gorm:"embedded;embeddedPrefix:name_"`
	Label          textRow `gorm:"embedded;embeddedPrefix:label_"`
	Hint           textRow `gorm:"embedded;embeddedPrefix:hint_"`
	Identifier     string
	Pattern        string
	Minimum        int64
	Maximum        int64
	FeeBasisPoints int64
	FeeFixed       int64
	FeeMinimum     int64
	FeeMaximum     int64
	USSDNumber     int     `gorm:"column:ussd_number"`
	USSDName       textRow `gorm:"embedded;embeddedPrefix:ussd_name_"`
	Search         string
	Position       int
	Retired        bool
}

func (serviceRow) TableName() string { return "catalog_services" }

type levelRow struct {
	Code         string `gorm:"primaryKey"`
	Balance      int64
	Operation    int64
	Day          int64
	Month        int64
	ConfirmAbove int64
	Position     int
	Retired      bool
}

func (levelRow) TableName() string { return "catalog_levels" }

type carrierRow struct {
	Code     string `gorm:"primaryKey"`
	Name     string
	Prefixes string
	USSD     bool `gorm:"column:ussd"`
	Position int
}

func (carrierRow) TableName() string { return "catalog_carriers" }

// source is where the catalog's tables are read.
type source struct {
	g *gorm.DB
	// signed returns nil for a version that may be used as it is stored.
	signed func(versionRow) error
}

func inDatabase(ctx context.Context, db *database.DB) source {
	return source{db.Gorm(ctx), func(row versionRow) error { return db.Verify(ctx, row.record(), row.MAC, row.KeyID) }}
}

func inSnapshot(tx *database.Tx, signed func(versionRow) error) source {
	return source{tx.Gorm(), signed}
}

var errNoState = errors.New("the number of the version in force is missing")

func readVersion(r source) (int64, error) {
	var version int64
	result := r.g.Raw("SELECT version FROM catalog_state WHERE id = 1").Scan(&version)
	if result.Error == nil && result.RowsAffected != 1 {
		return 0, fmt.Errorf("catalog: %w: %w", errNoState, gorm.ErrRecordNotFound)
	}
	return version, result.Error
}

// readContents reads all rows, also retired ones.
func readContents(from source) (Contents, error) {
	var contents Contents
	categories, err := list[categoryRow](from, "position, code")
	if err != nil {
		return Contents{}, err
	}
	for _, r := range categories {
		contents.Categories = append(contents.Categories, Category{
			Code: r.Code, Name: r.Name.text(), USSDNumber: r.USSDNumber, USSDName: r.USSDName.text(),
			Position: r.Position, Retired: r.Retired,
		})
	}
	billers, err := list[billerRow](from, "code")
	if err != nil {
		return Contents{}, err
	}
	for _, r := range billers {
		contents.Billers = append(contents.Billers, Biller{
			Code: r.Code, Name: r.Name, URL: r.URL, AnswersStoredOutcome: r.AnswersStoredOutcome,
			Deadline: time.Duration(r.DeadlineMs) * time.Millisecond, Retired: r.Retired,
		})
	}
	services, err := list[serviceRow](from, "position, code")
	if err != nil {
		return Contents{}, err
	}
	for _, r := range services {
		contents.Services = append(contents.Services, r.service())
	}
	levels, err := list[levelRow](from, "position, code")
	if err != nil {
		return Contents{}, err
	}
	for _, r := range levels {
		contents.Levels = append(contents.Levels, Level{
			Code: r.Code, Balance: money.Amount(r.Balance), Operation: money.Amount(r.Operation),
			Day: money.Amount(r.Day), Month: money.Amount(r.Month), ConfirmAbove: money.Amount(r.ConfirmAbove), Retired: r.Retired,
		})
	}
	carriers, err := list[carrierRow](from, "position, code")
	if err != nil {
		return Contents{}, err
	}
	for _, r := range carriers {
		contents.Carriers = append(contents.Carriers, Carrier{
			Code: r.Code, Name: r.Name, Prefixes: strings.Fields(r.Prefixes), USSD: r.USSD,
		})
	}
	err = from.g.Raw("SELECT default_level FROM catalog_state WHERE id = 1").Scan(&contents.DefaultLevel).Error
	return contents, err
}

func list[T any](from source, order string) ([]T, error) {
	var rows []T
	err := from.g.Order(order).Find(&rows).Error
	return rows, err
}

func (r serviceRow) service() Service {
	s := Service{
		Code: r.Code, Category: r.Category, Biller: r.Biller,
		Name: r.Name.text(), Label: r.Label.text(), Hint: r.Hint.text(),
		Identifier: IdentifierKind(r.Identifier), Pattern: r.Pattern,
		Minimum: money.Amount(r.Minimum), Maximum: money.Amount(r.Maximum),
		Fee: Fee{
			BasisPoints: r.FeeBasisPoints, Fixed: money.Amount(r.FeeFixed),
			Minimum: money.Amount(r.FeeMinimum), Maximum: money.Amount(r.FeeMaximum),
		},
		USSDNumber: r.USSDNumber, USSDName: r.USSDName.text(),
		Position: r.Position, Retired: r.Retired,
	}
	if r.Search != "" {
		s.Search = strings.Split(r.Search, "\n")
	}
	return s
}

func rowOfService(s Service) serviceRow {
	return serviceRow{
		Code: s.Code, Category: s.Category, Biller: s.Biller,
		Name: textRow(s.Name), Label: textRow(s.Label), Hint: textRow(s.Hint),
		Identifier: string(s.Identifier), Pattern: s.Pattern,
		Minimum: int64(s.Minimum), Maximum: int64(s.Maximum),
		FeeBasisPoints: s.Fee.BasisPoints, FeeFixed: int64(s.Fee.Fixed),
		FeeMinimum: int64(s.Fee.Minimum), FeeMaximum: int64(s.Fee.Maximum),
		USSDNumber: s.USSDNumber, USSDName: textRow(s.USSDName),
		Search: strings.Join(s.Search, "\n"), Position: s.Position,
	}
}

// apply replaces the catalog by the change's, in one transaction, and stores its
// version. The version's row is updated first, and only if it still is the version
// that the change was compared with, so that one of several writers wins.
func apply(ctx context.Context, db *database.DB, change *Change, by Author) error {
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		g, from := tx.Gorm(), change.from.Version
		//mutant:replace version = ?" => ? IS NOT NULL" TestStaleFilesAreRefused/sqlite
		updated := g.Exec("UPDATE catalog_state SET version = version + 1, default_level = ? WHERE id = 1 AND version = ?", change.to.DefaultLevel, from)
		if updated.Error != nil {
			return updated.Error
		}
		if updated.RowsAffected == 0 {
			stale := &VersionError{File: from}
			if err := g.Raw("SELECT version FROM catalog_state WHERE id = 1").Scan(&stale.InForce).Error; err != nil {
				return err
			}
			return stale
		}
		if err := storeVersions(tx, change, by); err != nil {
			return err
		}
		// Rows that the new contents don't name are kept as retired.
		for _, table := range []string{"catalog_services", "catalog_categories", "catalog_billers", "catalog_levels"} {
			if err := g.Exec("UPDATE " + table + " SET retired = TRUE").Error; err != nil {
				return err
			}
		}
		// Nothing refers to carriers.
		if err := g.Exec("DELETE FROM catalog_carriers").Error; err != nil {
			return err
		}
		if err := writeContents(g, change.to); err != nil {
			return err
		}
		return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: "catalog", Before: map[string]any{"version": from},
			After: map[string]any{"version": from + 1, "source": change.source, "restored_from": change.restoredFrom, "diff": change.Diff}})
	})
}

type versionRow struct {
	Version      int64 `gorm:"primaryKey;autoIncrement:false"`
	Content      string
	PutAt        time.Time
	Staff        string
	OSUser       string `gorm:"column:os_user"`
	Origin       Source
	RestoredFrom int64
	MAC          []byte `gorm:"column:mac"`
	KeyID        string
}

func (versionRow) TableName() string { return "catalog_versions" }

// storeVersions stores the change's version, and the one before it where no
// release stored it yet.
func storeVersions(tx *database.Tx, change *Change, by Author) error {
	g, now := tx.Gorm(), tx.Now()
	//mutant:drop TestVersionOfAnOlderRelease/sqlite
	if change.from.Version > 0 {
		before, err := writeFile(change.from)
		if err != nil {
			return err
		}
		older := versionRow{Version: change.from.Version, Content: string(before), PutAt: now, Origin: FromOlderRelease}
		record := older.record()
		older.MAC, older.KeyID = tx.MAC(record)
		inserted := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&older)
		if inserted.Error != nil {
			return inserted.Error
		}
		if inserted.RowsAffected == 1 {
			tx.Queue(record, older.MAC)
		}
	}
	to := change.to
	to.Version = change.from.Version + 1
	// As it will be exported: billers have no order.
	to.Billers = slices.SortedFunc(slices.Values(to.Billers), func(a, b Biller) int { return strings.Compare(a.Code, b.Code) })
	content, err := writeFile(to)
	if err != nil {
		return err
	}
	stored := versionRow{
		Version: to.Version, Content: string(content), PutAt: now, Staff: by.Staff, OSUser: by.OSUser,
		Origin: change.source, RestoredFrom: change.restoredFrom,
	}
	stored.MAC, stored.KeyID = tx.Sign(stored.record())
	return g.Create(&stored).Error
}

func readStoredVersion(ctx context.Context, db *database.DB, version int64) (versionRow, bool, error) {
	return oneVersion(db.Gorm(ctx).Where("version = ?", version))
}

func readNewestVersion(r source) (versionRow, bool, error) {
	return oneVersion(r.g)
}

func readVersionBefore(r source, version int64) (versionRow, bool, error) {
	return oneVersion(r.g.Where("version < ?", version))
}

// oneVersion returns the newest version that a query finds.
func oneVersion(query *gorm.DB) (row versionRow, found bool, err error) {
	result := query.Order("version DESC").Limit(1).Find(&row)
	return row, result.RowsAffected == 1, result.Error
}

func listVersions(ctx context.Context, db *database.DB) ([]Version, error) {
	var rows []versionRow
	err := db.Gorm(ctx).Select("version", "put_at", "staff", "os_user", "origin", "restored_from").Order("version DESC").Find(&rows).Error
	list := make([]Version, len(rows))
	for i, r := range rows {
		list[i] = Version{Number: r.Version, At: r.PutAt, Author: Author{r.Staff, r.OSUser}, Source: r.Origin, RestoredFrom: r.RestoredFrom}
	}
	return list, err
}

func writeContents(g *gorm.DB, contents Contents) error {
	var categories []categoryRow
	for i, c := range contents.Categories {
		categories = append(categories, categoryRow{
			Code: c.Code, Name: textRow(c.Name), USSDNumber: c.USSDNumber, USSDName: textRow(c.USSDName), Position: i + 1,
		})
	}
	var billers []billerRow
	for _, b := range contents.Billers {
		billers = append(billers, billerRow{
			Code: b.Code, Name: b.Name, URL: b.URL, AnswersStoredOutcome: b.AnswersStoredOutcome,
			DeadlineMs: b.Deadline.Milliseconds(),
		})
	}
	var services []serviceRow
	for i, s := range contents.Services {
		s.Position = i + 1
		services = append(services, rowOfService(s))
	}
	var levels []levelRow
	for i, l := range contents.Levels {
		levels = append(levels, levelRow{
			Code: l.Code, Balance: int64(l.Balance), Operation: int64(l.Operation),
			Day: int64(l.Day), Month: int64(l.Month), ConfirmAbove: int64(l.ConfirmAbove), Position: i + 1,
		})
	}
	var carriers []carrierRow
	for i, c := range contents.Carriers {
		carriers = append(carriers, carrierRow{
			Code: c.Code, Name: c.Name, Prefixes: strings.Join(c.Prefixes, " "), USSD: c.USSD, Position: i + 1,
		})
	}
	for _, write := range []func() error{
		func() error { return upsert(g, categories) },
		func() error { return upsert(g, billers) },
		func() error { return upsert(g, services) },
		func() error { return upsert(g, levels) },
		func() error { return upsert(g, carriers) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// upsert inserts rows in batches below the limit of parameters.
func upsert[T any](g *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return g.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "code"}}, UpdateAll: true,
	}).CreateInBatches(&rows, 200).Error
}

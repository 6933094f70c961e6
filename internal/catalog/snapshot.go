package catalog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// freshness is how long a process uses its copy before it checks for another
// version.
const freshness = time.Second

// Catalog returns entries from an in-memory copy.
type Catalog struct {
	db      *database.DB
	options Options

	copy atomic.Pointer[snapshot]
	// refreshing is locked by the caller that checks the database's version; others
	// use the old copy meanwhile.
	refreshing sync.Mutex
}

// New returns the catalog of a database. It reads nothing yet.
func New(db *database.DB, options Options) *Catalog { return &Catalog{db: db, options: options} }

// snapshot is one version of the catalog. It is immutable; callers share its slices
// and must not write to them.
type snapshot struct {
	version int64
	seen    time.Time // when the database was last known to have this version

	book     Contents
	shown    []Category // categories with payable services
	payable  []Service
	words    []searchable // of payable, by index
	called   []Biller
	services map[string]Service
	billers  map[string]Biller
	levels   map[string]Level
	carriers []Carrier
}

// current returns the copy, refreshed when another process has imported.
func (c *Catalog) current(ctx context.Context) (*snapshot, error) {
	old := c.copy.Load()
	if old != nil {
		if c.db.Now().Sub(old.seen) < freshness || !c.refreshing.TryLock() {
			return old, nil
		}
	} else {
		c.refreshing.Lock()
	}
	defer c.refreshing.Unlock()
	if other := c.copy.Load(); other != nil && other != old {
		return other, nil // renewed while we waited
	}
	fresh, err := c.refresh(ctx, old)
	if err != nil {
		if old != nil {
			return old, nil // what was true a moment ago is better than nothing
		}
		return nil, fault.New(fault.Unavailable, "catalog.read", "").Because(err)
	}
	c.copy.Store(fresh)
	return fresh, nil
}

// refresh reads the version first, and the rest only if it changed.
func (c *Catalog) refresh(ctx context.Context, old *snapshot) (*snapshot, error) {
	seen := c.db.Now()
	version, err := readVersion(ctx, c.db)
	if err != nil {
		return nil, err
	}
	if old != nil && old.version == version {
		same := *old
		same.seen = seen
		return &same, nil
	}
	// An import that commits between two of the queries changes the version read at
	// the end.
	for {
		book, err := readBook(ctx, c.db)
		if err != nil {
			return nil, err
		}
		after, err := readVersion(ctx, c.db)
		if err != nil {
			return nil, err
		}
		if after == version {
			book.Version = version
			return newSnapshot(version, seen, book, c.options), nil
		}
		version = after
	}
}

func newSnapshot(version int64, seen time.Time, book Contents, options Options) *snapshot {
	s := &snapshot{
		version: version, seen: seen, book: book, carriers: book.Carriers,
		services: map[string]Service{}, billers: map[string]Biller{}, levels: map[string]Level{},
	}
	for _, biller := range book.Billers {
		biller = options.resolve(biller)
		s.billers[biller.Code] = biller
		if !biller.Retired {
			s.called = append(s.called, biller)
		}
	}
	for _, level := range book.Levels {
		s.levels[level.Code] = level
	}
	for _, service := range book.Services {
		s.services[service.Code] = service
	}
	for _, category := range book.Categories {
		before := len(s.payable)
		for _, service := range book.Services {
			biller := s.billers[service.Biller]
			//mutant:replace || !biller.Connected() => TestUnconnectedBillersAreHidden
			if service.Category != category.Code || service.Retired || !biller.Connected() {
				continue
			}
			s.payable = append(s.payable, service)
			s.words = append(s.words, searchWords(service, category, biller))
		}
		if len(s.payable) > before {
			s.shown = append(s.shown, category)
		}
	}
	return s
}

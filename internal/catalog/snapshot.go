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
const maxCacheAge = time.Second

// Catalog returns entries from an in-memory copy.
type Catalog struct {
	db      *database.DB
	options Options

	cached atomic.Pointer[snapshot]
	// refreshing is locked by the caller that checks the database's version; others
	// use the old copy meanwhile.
	refreshing sync.Mutex

	reported struct {
		sync.Mutex
		text string
		at   time.Time
	}
}

// New returns the catalog of a database. It reads nothing yet.
func New(db *database.DB, options Options) *Catalog { return &Catalog{db: db, options: options} }

// snapshot is one version of the catalog. It is immutable; callers share its slices
// and must not write to them.
type snapshot struct {
	version   int64
	checkedAt time.Time // when the database was last known to have this version
	verified  verification

	contents      Contents
	categories    []Category // categories with payable services
	payable       []Service
	searchWords   []searchable // of payable, by index
	activeBillers []Biller
	services      map[string]Service
	billers       map[string]Biller
	levels        map[string]Level
	carriers      []Carrier
}

// current returns the copy, refreshed when another process has imported.
func (c *Catalog) current(ctx context.Context) (*snapshot, error) {
	old := c.cached.Load()
	if old != nil {
		if c.db.Now().Sub(old.checkedAt) < maxCacheAge || !c.refreshing.TryLock() {
			return old, nil
		}
	} else {
		c.refreshing.Lock()
	}
	defer c.refreshing.Unlock()
	if other := c.cached.Load(); other != nil && other != old {
		return other, nil // renewed while we waited
	}
	fresh, err := c.refresh(ctx, old)
	if err != nil {
		if old != nil {
			return old, nil // what was true a moment ago is better than nothing
		}
		return nil, fault.New(fault.Unavailable, "catalog.read", "").Because(err)
	}
	c.cached.Store(fresh)
	return fresh, nil
}

// refresh reads the version first, and the rest only if it changed.
func (c *Catalog) refresh(ctx context.Context, old *snapshot) (*snapshot, error) {
	seen := c.db.Now()
	version, err := readVersion(inDatabase(ctx, c.db))
	if err != nil {
		return nil, err
	}
	if old != nil && old.version == version && old.verified.problem == nil {
		same := *old
		same.checkedAt = seen
		return &same, nil
	}
	// An import that commits between two of the queries changes the version read at
	// the end.
	for {
		contents, err := readContents(inDatabase(ctx, c.db))
		if err != nil {
			return nil, err
		}
		verified, err := c.verify(ctx, contents, version)
		if err != nil {
			return nil, err
		}
		after, err := readVersion(inDatabase(ctx, c.db))
		if err != nil {
			return nil, err
		}
		if after == version {
			contents.Version = version
			return c.chosen(ctx, old, newSnapshot(version, seen, contents, verified, c.options)), nil
		}
		version = after
	}
}

// chosen returns the snapshot to use. One that is not as it was signed never takes the
// place of one that is: this process goes on with what was verified.
func (c *Catalog) chosen(ctx context.Context, old, fresh *snapshot) *snapshot {
	if fresh.verified.problem == nil {
		return fresh
	}
	c.report(ctx, fresh.verified.problem, fresh.checkedAt)
	//mutant:replace old.verified.problem == nil => false TestChangedTablesAreNotUsed/sqlite
	if old != nil && old.verified.problem == nil {
		kept := *old
		kept.checkedAt = fresh.checkedAt
		return &kept
	}
	return fresh
}

func newSnapshot(version int64, seen time.Time, contents Contents, verified verification, options Options) *snapshot {
	s := &snapshot{
		version: version, checkedAt: seen, verified: verified, contents: contents, carriers: contents.Carriers,
		services: map[string]Service{}, billers: map[string]Biller{}, levels: map[string]Level{},
	}
	for _, biller := range contents.Billers {
		biller = options.resolve(biller)
		s.billers[biller.Code] = biller
		if !biller.Retired {
			s.activeBillers = append(s.activeBillers, biller)
		}
	}
	for _, level := range contents.Levels {
		s.levels[level.Code] = level
	}
	for _, service := range contents.Services {
		s.services[service.Code] = service
	}
	for _, category := range contents.Categories {
		before := len(s.payable)
		for _, service := range contents.Services {
			biller := s.billers[service.Biller]
			//mutant:replace || !biller.Connected() => TestUnconnectedBillersAreHidden
			if service.Category != category.Code || service.Retired || !biller.Connected() {
				continue
			}
			s.payable = append(s.payable, service)
			s.searchWords = append(s.searchWords, searchableOf(service, category, biller))
		}
		if len(s.payable) > before {
			s.categories = append(s.categories, category)
		}
	}
	return s
}

package ussdsession

import "sync"

// stepCache holds the steps that this process wrote last: the next input usually
// reaches the same process and needs no read then. A step that is no longer the
// latest is removed when Advance or Acquire refuses it. Two generations bound the
// size: when the newer is full it becomes the older.
type stepCache[T any] struct {
	mu           sync.Mutex
	newer, older map[string]T
}

// cacheSize is the number of sessions in each of the two generations.
const cacheSize = 1024

func (c *stepCache[T]) put(id string, next T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.newer) >= cacheSize || c.newer == nil {
		c.older, c.newer = c.newer, map[string]T{}
	}
	c.newer[id] = next
}

func (c *stepCache[T]) get(id string) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.newer[id]; ok {
		return found, true
	}
	found, ok := c.older[id]
	return found, ok
}

func (c *stepCache[T]) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.newer, id)
	delete(c.older, id)
}

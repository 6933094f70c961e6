package ussdsession

import "sync"

// stepCache holds what this process wrote last, for mostly the next input comes
// to it too and spares a reading. What another process wrote meanwhile it
// doesn't know: an answer or a claim that fails forgets.
type stepCache[T any] struct {
	mu           sync.Mutex
	newer, older map[string]T
}

// most is how many dialogues are held at most, twice.
const cacheSize = 1024

func (r *stepCache[T]) put(id string, next T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.newer) >= cacheSize || r.newer == nil {
		r.older, r.newer = r.newer, map[string]T{}
	}
	r.newer[id] = next
}

func (r *stepCache[T]) get(id string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.newer[id]; ok {
		return found, true
	}
	found, ok := r.older[id]
	return found, ok
}

func (r *stepCache[T]) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.newer, id)
	delete(r.older, id)
}

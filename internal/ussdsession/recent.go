package ussdsession

import "sync"

// recent holds what this process wrote last, for mostly the next input comes
// to it too and spares a reading. What another process wrote meanwhile it
// doesn't know: an answer or a claim that fails forgets.
type recent[T any] struct {
	mu         sync.Mutex
	young, old map[string]T
}

// most is how many dialogues are held at most, twice.
const most = 1024

func (r *recent[T]) put(id string, next T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young) >= most || r.young == nil {
		r.old, r.young = r.young, map[string]T{}
	}
	r.young[id] = next
}

func (r *recent[T]) get(id string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.young[id]; ok {
		return found, true
	}
	found, ok := r.old[id]
	return found, ok
}

func (r *recent[T]) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, id)
	delete(r.old, id)
}

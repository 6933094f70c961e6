package dialogue

import "sync"

// recent holds what this process wrote last, for mostly the next input comes
// to it too and spares a reading. What another process wrote meanwhile it
// doesn't know: an answer or a claim that fails forgets.
type recent struct {
	mu         sync.Mutex
	young, old map[string]row
}

// most is how many dialogues are held at most, twice.
const most = 1024

func (r *recent) put(next row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young) >= most || r.young == nil {
		r.old, r.young = r.young, map[string]row{}
	}
	r.young[next.ID] = next
}

func (r *recent) get(id string) (row, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.young[id]; ok {
		return found, true
	}
	found, ok := r.old[id]
	return found, ok
}

func (r *recent) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, id)
	delete(r.old, id)
}

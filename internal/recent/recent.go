// Package recent keeps values that were stored recently in memory, up to a number of
// them. What must be right is proven where it is used: another process may have changed
// what a value was read from.
package recent

import "sync"

// Map has the values that were stored last. It is safe for concurrent use.
//
// It has two generations: when the younger one is full, the older one is dropped. So at
// least half of its capacity is kept, and nothing is moved when a value is found.
type Map[K comparable, V any] struct {
	half       int
	mu         sync.Mutex
	young, old map[K]V
}

// New returns a map of at most capacity values.
func New[K comparable, V any](capacity int) *Map[K, V] {
	return &Map[K, V]{half: max(1, capacity/2), young: map[K]V{}}
}

// Put stores a value in place of an earlier one of the key.
func (m *Map[K, V]) Put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	//mutant:replace len(m.young) >= m.half => false TestMapIsBounded
	if _, there := m.young[key]; !there && len(m.young) >= m.half {
		m.young, m.old = make(map[K]V, m.half), m.young
	}
	m.young[key] = value
}

// Get returns the value of a key.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(key)
}

func (m *Map[K, V]) get(key K) (value V, ok bool) {
	if value, ok = m.young[key]; !ok {
		value, ok = m.old[key]
	}
	return value, ok
}

// Take returns the value of a key and deletes it.
func (m *Map[K, V]) Take(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok = m.get(key)
	m.delete(key)
	return value, ok
}

// Delete deletes the value of a key.
func (m *Map[K, V]) Delete(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delete(key)
}

func (m *Map[K, V]) delete(key K) {
	delete(m.young, key)
	//mutant:drop TestMap
	delete(m.old, key)
}

package recent_test

import (
	"testing"

	"elsom/internal/recent"
)

func TestMap(t *testing.T) {
	m := recent.New[int, string](4)
	m.Put(1, "an earlier one")
	m.Put(2, "two")
	m.Put(3, "three") // the first two are the older generation
	m.Put(1, "one")
	if v, ok := m.Get(1); v != "one" || !ok {
		t.Errorf("got %q, %v", v, ok)
	}
	if v, ok := m.Take(1); v != "one" || !ok {
		t.Errorf("took %q, %v", v, ok)
	}
	m.Delete(2)
	for _, key := range []int{1, 2, 4} {
		if v, ok := m.Get(key); v != "" || ok {
			t.Errorf("%d is still there: %q", key, v)
		}
	}
	if v, ok := m.Get(3); v != "three" || !ok {
		t.Errorf("got %q, %v", v, ok)
	}
}

func TestMapIsBounded(t *testing.T) {
	const capacity = 10
	m := recent.New[int, int](capacity)
	for i := range 1000 {
		m.Put(i, i)
		m.Put(i, i)
	}
	kept := 0
	for i := range 1000 {
		if v, ok := m.Get(i); ok {
			kept++
			if v != i || i < 1000-capacity {
				t.Errorf("%d: %d is kept", i, v)
			}
		}
	}
	if kept < capacity/2 || kept > capacity {
		t.Errorf("%d values are kept", kept)
	}
	for i := 1000 - capacity/2; i < 1000; i++ {
		if _, ok := m.Get(i); !ok {
			t.Errorf("%d of the last is not kept", i)
		}
	}
}

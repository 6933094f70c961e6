package simulation_test

import (
	"strings"

	"elsom/internal/checkpoint"
	"elsom/internal/signature"
)

// The files of keys as staff change them: a new key is added at the end, where it only
// verifies, and made the first one in the next step. They are the same in every run.
var (
	bookFiles       = bookKeyFiles()
	checkpointFiles = checkpointKeyFiles()

	newestBookKeys       = bookFiles[len(bookFiles)-1]
	newestCheckpointKeys = checkpointFiles[len(checkpointFiles)-1]
)

func bookKeyFiles() (files []*signature.Keys) {
	const first, second, third = "the-first-key-of-the-books-long-enough", "the-second-key-of-the-books-long-enough", "the-third-key-of-the-books-long-enough"
	for _, lines := range [][]string{{first}, {first, second}, {second, first}, {second, first, third}, {third, second, first}} {
		files = append(files, mustValue(signature.ParseKeys(strings.Join(lines, "\n"))))
	}
	return files
}

func checkpointKeyFiles() (files []*checkpoint.Keys) {
	first, second := mustValue(checkpoint.DevelopmentKey(secret)), mustValue(checkpoint.DevelopmentKey([]byte("another secret, for another key")))
	public := mustValue(checkpoint.ParseKeys(first)).Public()
	for _, lines := range [][]string{{first}, {first, second}, {second, public}} {
		files = append(files, mustValue(checkpoint.ParseKeys(strings.Join(lines, "\n"))))
	}
	return files
}

func mustValue[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keyFiles are the present versions of the two files.
type keyFiles struct {
	books       version[*signature.Keys]
	checkpoints version[*checkpoint.Keys]
}

// version is a version of a file of keys.
type version[K any] struct {
	files *[]K
	n     int
}

func newKeyFiles() keyFiles {
	return keyFiles{version[*signature.Keys]{&bookFiles, 0}, version[*checkpoint.Keys]{&checkpointFiles, 0}}
}

func (v version[K]) file() K { return (*v.files)[v.n] }

// next returns the next version; the last one is followed by none.
func (v version[K]) next() version[K] {
	v.n = min(v.n+1, len(*v.files)-1)
	return v
}

// verifies reports whether a process with this version verifies what one with another
// version signs.
func (v version[K]) verifies(other version[K]) bool { return other.n/2 <= (v.n+1)/2 }

// rotate changes one of the files of keys. Staff wait until every process has read the
// present ones; in some simulations they are hasty.
func (s *simulation) rotate() {
	if s.outdated() != nil && !s.hasty {
		return
	}
	was := s.keys
	if s.chance(60) {
		s.keys.books = s.keys.books.next()
	} else {
		s.keys.checkpoints = s.keys.checkpoints.next()
	}
	if s.keys != was {
		s.tally.rotations++
		s.logf("the keys are now %d and %d", s.keys.books.n, s.keys.checkpoints.n)
	}
}

// outdated returns a process that has not read the present files of keys; nil: none.
func (s *simulation) outdated() *process {
	for _, p := range s.processes {
		if p.keys != s.keys {
			return p
		}
	}
	return nil
}

// restartOutdated restarts a process that has not read the present files of keys.
func (s *simulation) restartOutdated() (restarted bool) {
	p := s.outdated()
	if p == nil {
		return false
	}
	s.logf("%s is restarted with the present keys", p.name)
	p.kill()
	s.processes = append(s.processes, s.open())
	s.remove(p)
	return true
}

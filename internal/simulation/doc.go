// Package simulation is the deterministic simulation of the whole application.
// It has tests only, and no package imports it.
//
// A simulation runs the real services, outbox, senders and ledger on a database
// of its own, step by step, with a clock and random choices that come from the
// seed. Billers and the SMS gateway are fakes behind their ports that lose,
// delay, duplicate and garble requests and answers; processes are killed before
// and after any commit and while they wait for an answer, and others start on
// the same database. Rows are signed and sealed; the keys of the books and of the
// checkpoints are replaced while processes with the former files still run, and
// processes seal at once. The invariants of the books, and that each signed row is
// sealed or queued once, are checked after each step. At the end, when the faults have
// stopped, the answers to clients, our books and the billers' books must agree, and
// each earlier checkpoint must be a prefix of the log.
//
// A seed that fails is printed with its trace, and can be run again:
//
//	go test ./internal/simulation -run TestSimulation -seed 4711
//
// What is random outside the seed (the digits of ids and payment codes, the
// jitter of pauses between retries) has no influence on the trace.
package simulation

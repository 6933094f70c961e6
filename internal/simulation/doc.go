// Package simulation lives the life of a wallet house thousands of times, each
// time by a number: the seed. It has tests only, and nobody imports it.
//
// In a life the real acts, outbox, couriers and books run on a database of
// their own, one step after the other, under a clock and a chance that come
// from the seed. Billers and the SMS gateway stand behind their ports and lose,
// delay, double and garble what they are asked; processes die before and after
// any commit and while they wait for an answer, and others open the same
// database. After each step the books hold; at the end, when the faults stop,
// what clients were told, our books and the billers' say the same.
//
// A seed that fails is printed with its story, and lives the same life again:
//
//	go test ./internal/simulation -run TestLives -seed 4711
//
// What chance draws outside the seed (the digits of ids and payment codes, the
// jitter of milliseconds between tries) decides nothing here.
package simulation

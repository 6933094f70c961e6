// Mutants runs mutation checks: it changes a guarded line, and expects the
// test that the line names to fail.
//
// An annotation stands in a comment directly above the code that it changes:
//
//	//mutant:drop TestX                 the statement, case, element or operand is left out; an if with an else is never taken
//	//mutant:negate TestX               the condition, or the only value, is negated
//	//mutant:replace OLD => NEW TestX   OLD, which occurs once in the code below, becomes NEW
//
// Below an if, for, switch, select or case, replace reads the line up to its
// brace or colon. White space in OLD matches any white space; words match whole.
// A test of another package has its folder before it: ./internal/ledger TestX.
// A remark may follow behind " // ".
//
// Other files (.sql, .toml, .yaml, .js) have replace only, in a line comment such
// as "-- mutant:replace …". It reads the next line, in SQL down to a blank one.
//
// Sources on disk are not changed: the compiler reads the mutant through its
// -overlay. A test that fails without the mutation, a mutant that does not
// build, and one that does not end are errors, as is a mutant that survives.
//
//	go run ./.ci/mutants              all mutants
//	go run ./.ci/mutants -run ledger  those whose file, kind or test matches
//	go run ./.ci/mutants -check       no tests: every annotation can be applied and names a test that exists
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	only := flag.String("run", "", "only the mutants whose file, kind or test matches this `regexp`")
	atOnce := flag.Int("p", 2, "mutants at once")
	check := flag.Bool("check", false, "run no tests, only check the annotations")
	results := flag.String("results", "", "`file` that records caught mutants; those recorded there are not run again until their sources change")
	flag.Parse()
	if err := mutants(*only, *atOnce, *check, *results); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func mutants(only string, atOnce int, check bool, results string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all, problems := scan(".", "cmd", "internal", "migrations", "static", "templates", "web")
	problems = append(problems, missingTests(all)...)
	problems = append(problems, typeErrors(all)...)
	for _, problem := range problems {
		fmt.Println(problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d annotations are wrong", len(problems))
	}
	if check {
		fmt.Printf("%d annotations can be applied\n", len(all))
		return nil
	}
	var chosen []mutant
	for _, m := range all {
		if pattern.MatchString(m.String()) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return errors.New("no annotation matches")
	}
	fmt.Printf("%d annotations, %d chosen\n", len(all), len(chosen))
	return run(chosen, atOnce, results)
}

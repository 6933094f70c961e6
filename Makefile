# ЭЛСОМ. `make help` lists the targets.

# Binaries, tests and linters share the flags that affect compilation, so that
# everything is compiled once. Without cgo the binaries are static: they
# run on any Linux, in an empty container too.
export GOFLAGS := $(strip $(shell go env GOFLAGS) -trimpath)
export CGO_ENABLED := 0
LINK = -ldflags='-s -w'

GOLANGCI    = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
export GOLANGCI GOVULNCHECK

.DEFAULT_GOAL := help
.PHONY: help run demo build test test-serializable check generate fmt screenshots bench bench-short audit-large mutants simulate chaos disaster fuzz

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## run the portal and the DosTek stand-in on this machine; Ctrl-C stops both
	@.ci/start

BIN = bin

demo: build ## show a payment that survives a silent biller and a killed portal, then audit the books; takes a minute
	@go run ./.ci/demo -bin $(BIN)

build: ## build bin/elsom and bin/sochi
	@mkdir -p $(BIN)
	go build $(LINK) -o $(BIN)/ ./cmd/elsom ./cmd/sochi

test: ## install what the tests need, then run all tests
	@.ci/install
	go test -timeout 20m ./... ./.ci/mutants ./.ci/words

test-serializable: ## run the tests that move money with serializable transactions on PostgreSQL
	@.ci/install
	ELSOM_TEST_ISOLATION=serializable go test -timeout 20m $$(go list ./internal/... ./web/... | grep -vE 'internal/(e2e|bench|arch)')
	ELSOM_TEST_ISOLATION=serializable go test -timeout 20m -run 'Killed|OverTwo|Several|Sigterm|BillerFaults|Refused|Restart' ./internal/e2e/...

check: ## check generated code, formatting, linters, import rules, vulnerabilities and wording
	@.ci/check

generate: ## generate the Go code of the templates
	go tool templ generate

fmt: ## format the code with gofmt and templ fmt
	go tool templ fmt templates
	gofmt -w cmd internal migrations static templates web .ci

screenshots: ## take pictures of all pages and states: var/sheets, and .readme for the README
	@.ci/install
	go test -count=1 -timeout 20m -run '^TestSheets$$' ./templates/gallery -sheets $(CURDIR)/var/sheets -readme $(CURDIR)/.readme

BENCH = go test -count=1 -run '^$$' -benchtime 1x -timeout 90m ./internal/bench -bench '^BenchmarkAims$$'

bench: ## compare all benchmarks with their aims, then time parsers and pages; takes 40 minutes on an idle machine
	@.ci/install
	@short=0; $(BENCH) -markdown $(BENCHFLAGS) || short=1; \
	go test -run '^$$' -bench . -benchmem -benchtime 300ms ./internal/inn ./internal/phone ./internal/money \
		./internal/biller/osmp ./web/terminal ./web/ussd ./templates/gallery || short=1; \
	exit $$short

bench-short: ## run a part of the benchmarks in a minute and a half, without checking the aims
	@.ci/install
	$(BENCH) -rounds 1 -seconds 2 -scale 10 -judge=false -operations 2 -lines '^ledger (32|128)|^http 32|^writes' $(BENCHFLAGS)

simulate: ## run the deterministic simulation with faults: SEEDS=100000 seeds, starting at FROM=1
	go test -count=1 -timeout 24h -v -run '^TestSimulation$$' ./internal/simulation -seeds $(or $(SEEDS),10000) -from $(or $(FROM),1)

chaos: ## run the chaos tests at full length: kills, crashes, full disks, failovers; SEED=4711 repeats a run's choices
	@.ci/install
	go test -count=1 -v -timeout 30m -parallel 4 ./internal/e2e/chaos -chaos -seed $(or $(SEED),0)

disaster: chaos

fuzz: ## run each fuzz target for FUZZTIME=1m
	@.ci/fuzz $(or $(FUZZTIME),1m)

audit-large: ## measure rate and memory of elsom audit over TRANSFERS=10000000 on PostgreSQL
	@.ci/install
	go test -count=1 -timeout 3h -v -run '^TestAuditOfManyTransfers$$' ./internal/bench -audited $(or $(TRANSFERS),10000000)

mutants: ## change each annotated line in turn and expect its test to fail; MUTANTS='-run ledger -p 1' passes flags
	@.ci/install
	go run ./.ci/mutants $(MUTANTS)

# Shelfcast. `make` alone lists what can be made.
#
# Two commands do everything: `make run` on a fresh clone builds and serves, `make test` installs
# what the tests need and runs them all. The other targets are their parts.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN := bin/shelfcast
ARGS ?=
NPM_CI := npm ci --no-audit --no-fund --loglevel=error
LINT_TOOL := go tool -modfile=tools/go.mod

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' \
	-not -name '*.go' -not -name '*.md')
# npm writes this file last, so its age says whether the installed packages follow the lock file.
WEB_PACKAGES := web/node_modules/.package-lock.json
E2E_PACKAGES := e2e/clients/node_modules/.package-lock.json
BENCH_PACKAGES := bench/peers/node/node_modules/.package-lock.json

##@ Use

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-zA-Z0-9_-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build everything and serve http://localhost:4000 (ARGS="--port 5000" and so on)
	./$(BIN) serve $(ARGS)

.PHONY: cluster
cluster: build nats-server ## Three NATS servers, three nodes and a proxy on http://localhost:4000 (ARGS="-sticky cookie" and so on)
	@go build -o bin/cluster ./examples/cluster
	@./bin/cluster $(ARGS)

.PHONY: nats-server
nats-server:
	@go build -trimpath -o bin/nats-server github.com/nats-io/nats-server/v2

.PHONY: dev
dev: $(WEB_PACKAGES) ## Vite on port 3000 with live reload, against the server on port 4000
	@$(MAKE) binary
	@echo 'Open http://localhost:3000. Changes under web/ show at once; after a change to Go code, stop with Ctrl-C and run `make dev` again.'
	@./$(BIN) serve $(ARGS) & server=$$!; \
	trap 'kill "$$server" 2>/dev/null; wait "$$server"' EXIT; \
	cd web && npm run dev

##@ Build

.PHONY: build
build: web binary ## Web app and server, one file: bin/shelfcast

.PHONY: web
web: web/dist/index.html

.PHONY: binary
binary:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/shelfcast

web/dist/index.html: $(WEB_PACKAGES) $(WEB_SOURCES)
	cd web && npm run build
	@# For pages that do not bundle the client; served at /socket.io/socket.io.js.
	@mkdir -p web/dist/socket.io && cp web/node_modules/socket.io-client/dist/socket.io*.js* web/dist/socket.io/
	@touch $@

$(WEB_PACKAGES): web/package.json web/package-lock.json
	cd web && $(NPM_CI)
	@touch $@

$(E2E_PACKAGES): e2e/clients/package.json e2e/clients/package-lock.json
	cd e2e/clients && $(NPM_CI)
	@touch $@

$(BENCH_PACKAGES): bench/peers/node/package.json bench/peers/node/package-lock.json
	cd bench/peers/node && $(NPM_CI)
	@touch $@

.PHONY: clean
clean: ## Remove what was built or installed here; data/ stays
	rm -rf bin web/node_modules e2e/clients/node_modules bench/peers/node/node_modules bench/results
	find web/dist -mindepth 1 -not -name .gitkeep -delete

##@ Check

# The web app is built first (the server embeds it). Then the Go side compiles while the web tests
# run; what measures time runs after that, with the machine to itself.
.PHONY: test
test: test-needs web ## Every test; installs what it needs (npm packages, browsers, strace)
	@$(MAKE) -j2 --output-sync=target check-go test-web
	@$(MAKE) test-go
	@$(MAKE) fuzz-public FUZZTIME=20000x
	@$(MAKE) test-e2e

.PHONY: test-needs
test-needs: $(WEB_PACKAGES) $(E2E_PACKAGES)
	@tools/install-programs chromium firefox-esr strace

.PHONY: check-go
check-go: format-check
	@# With -race vet compiles what the tests need anyway; without, everything would be compiled twice.
	go vet -race -tags e2e,soak ./...
	go build -race ./...

.PHONY: format-check
format-check:
	@unformatted=$$(git ls-files '*.go' | xargs -r gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi

.PHONY: test-go
test-go: ## Go tests alone, with the race detector
	@# Three packages at a time: many tests wait for elections, silence or a disk.
	go test -race -vet off -p 3 -timeout 4m ./...

.PHONY: test-web
test-web: $(WEB_PACKAGES) ## Types, lint and unit tests of the web app
	cd web && npm run typecheck && npm run lint && npm test

.PHONY: test-e2e
test-e2e: test-needs web ## The real program and the packages with official clients and browsers (E2E='-run Browser -v')
	go test -race -vet off -tags e2e -count 1 -parallel 4 -timeout 8m $(E2E) ./e2e

# The public packages meet the open internet: what takes longer than a test run may.
PUBLIC := ./engineio/... ./socketio/...
FUZZTIME ?= 1m

.PHONY: soak
soak: soak-packages soak-program soak-memory fuzz ## All long tests: attacks, churn, convergence, crashes, power cuts, memory, fuzzing

.PHONY: soak-packages
soak-packages: ## Long tests of engineio and socketio: attacks beside a healthy crowd, 100,000 cycles
	go test -tags soak -run Soak -count 1 -timeout 60m -v $(SOAK) $(PUBLIC)

# One after the other: each fills the machine.
.PHONY: soak-program
soak-program: test-needs web ## Long tests of the program: 1,000 clients over a crash, 5,000 writes over cuts, power cuts, moves, clusters
	SHELFCAST_SOAK=1 go test -race -vet off -tags e2e -count 1 -parallel 1 -timeout 30m -v \
		-run 'TestClientsConverge|TestRestartRecoversEveryClient|TestPowerCut|TestCatalogueMoves|TestClusterUnderFaults|TestClusterComesApart' ./e2e
	@# This one compares times, which the race detector would be part of.
	SHELFCAST_SOAK=1 go test -vet off -tags e2e -count 1 -timeout 10m -v -run '^TestFlood$$' ./e2e

# What a longer or shorter run takes: SOAK='-steady 3m -measured 1m -restarts 2', say.
.PHONY: soak-memory
soak-memory: build ## 20 minutes of 1,000 clients that come and go, then restarts; writes docs/soak.md
	@go build -o bin/soak ./bench/soak
	bin/soak $(SOAK)

.PHONY: fuzz
fuzz: fuzz-public ## The fuzz targets alone (FUZZTIME=1m each, or a number of inputs: 20000x)
	tools/fuzz $(FUZZTIME) ./internal/...

.PHONY: fuzz-public
fuzz-public:
	tools/fuzz $(FUZZTIME) $(PUBLIC)

.PHONY: generate
generate: permissions ## Write anew what is derived from code: the web app's types and docs/permissions.md
	go test ./internal/httpapi -run TestTypeScript -rewrite

.PHONY: permissions
permissions: ## Write docs/permissions.md anew from the permission table
	go test ./internal/auth -run TestPermissionsPage -rewrite

.PHONY: lint
lint: $(WEB_PACKAGES) format-check ## Static checks: gofmt, vet, staticcheck, eslint
	go vet -tags e2e,soak ./...
	$(LINT_TOOL) staticcheck -tags e2e,soak ./...
	cd bench/peers/centrifuge && go vet ./...
	cd web && npm run lint

.PHONY: audit
audit: ## Known vulnerabilities in what we depend on and call (asks vuln.go.dev and npm's registry)
	tools/dependencies audit

.PHONY: outdated
outdated: ## Dependencies that have a newer version, Go and npm; changes nothing
	@tools/dependencies outdated

.PHONY: update
update: test-needs ## Take newer versions of the dependencies, test, and put them back if a test fails
	tools/dependencies update

# What runs and what it runs against. BENCH names scenarios, or is quick; bench/main.go lists them.
.PHONY: bench
bench: build bench-peers nats-server ## Shelfcast beside its peers; writes docs/benchmarks.md (BENCH=quick, BENCH='fanout-1k posters-32')
	@go build -o bin/bench ./bench
	@./bin/bench $(BENCH)

.PHONY: bench-peers
bench-peers: $(BENCH_PACKAGES)
	@go build -trimpath -o bin/peers/loop ./bench/peers/loop
	@cd bench/peers/centrifuge && go build -trimpath -o ../../../bin/peers/centrifuge .

.PHONY: plan
plan: ## What a million clients need, by simulation; writes docs/million-clients.md
	@go run ./bench/plan

.PHONY: plan-measure
plan-measure: build nats-server ## Measure what make plan takes for granted (3 minutes, with nothing else running)
	@go build -o bin/cluster ./examples/cluster
	@go run ./bench/plan measure

.PHONY: bench-packages
bench-packages: ## Go benchmarks of single packages (BENCH=regexp of names)
	go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

.PHONY: screenshot
screenshot: build $(E2E_PACKAGES) ## Take the README's picture again
	@tools/install-programs chromium
	tools/screenshot docs/images/library.png

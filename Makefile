# streamd: bare `make` lists what there is. Only Go and make are needed.

GO      ?= go
BIN     := bin/streamd
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

GOLANGCI    := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0

# PLAIN packages drive the built binary: they kill it, stop it, run it against
# real brokers. They run without -race; the binary is built once for all.
PLAIN   := ./internal/e2e/... ./internal/killtest/...
PKGS     = $(shell $(GO) list ./... | grep -v -e /internal/e2e -e /internal/killtest)
TIMEOUT ?= 12m

# The race detector needs cgo and with it a C compiler.
CC_PATH := $(shell command -v "$$($(GO) env CC)" 2>/dev/null)
ifneq ($(CC_PATH),)
RACE := CGO_ENABLED=1 $(GO) test -race
else
RACE := $(GO) test
endif

.DEFAULT_GOAL := help
.PHONY: help build test race-check check-fmt unit e2e short bench bench-flink bench-readme micro soak fuzz lint fmt vuln cover goldens clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

build: ## build bin/streamd, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/streamd

test: check-fmt build race-check unit e2e ## everything that gates a change; time per package is printed
	@echo "make test: all packages passed"

race-check:
ifeq ($(CC_PATH),)
	@if [ "$$STREAMD_TEST_REQUIRE" = all ]; then echo "FAIL: no C compiler, so no race detector, and STREAMD_TEST_REQUIRE=all"; exit 1; fi
	@echo "SKIP: race detector: no C compiler found; the same tests run without it"
endif

unit: ## unit, operator and property tests with -race -tags invariants
	$(RACE) -tags invariants -timeout $(TIMEOUT) $(PKGS)

e2e: build ## the binary from outside: commands, kills, zombies, goldens of others
	STREAMD_TEST_BINARY=$(CURDIR)/$(BIN) $(GO) test -p 1 -count=1 -timeout $(TIMEOUT) $(PLAIN)

short: ## a quick look while writing: no race detector, short forms
	$(GO) vet ./... && $(GO) test -short ./...

bench: ## NEXMark: events per CPU second beside the generator alone; figures in bench/results
	$(GO) run ./bench $(BENCH)

bench-flink: ## the same without Kafka, each query beside Apache Flink; needs a JDK and Maven
	$(GO) run ./bench -kafka=false -peers flink $(BENCH)

bench-readme: ## publish the newest results: README's table
	$(GO) run ./bench -readme

micro: ## Go micro benchmarks of all packages
	@mkdir -p bench/results
	$(GO) test -run '^$$' -bench . -benchmem -count 5 ./... | tee bench/results/micro.txt

soak: build ## the long forms of the random tests (hours); STREAMD_SOAK=20 says how many times as long
	STREAMD_SOAK=$${STREAMD_SOAK:-20} STREAMD_TEST_BINARY=$(CURDIR)/$(BIN) $(GO) test -count=1 -timeout 24h ./engine/... ./state/... ./batch ./dsl ./connectors/... $(PLAIN)

fuzz: ## fuzz the parser and the formatter, a minute each
	$(GO) test -run '^$$' -fuzz FuzzParse -fuzztime 1m ./dsl
	$(GO) test -run '^$$' -fuzz FuzzFormat -fuzztime 1m ./dsl

lint: ## golangci-lint (compiles the linter at its first run)
	$(GO) vet ./...
	$(GOLANGCI) run ./...

check-fmt:
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi

fmt: ## gofmt all files
	gofmt -w .

vuln: ## known vulnerabilities in what the binary calls
	$(GOVULNCHECK) ./...

cover: ## coverage by package, page in bin/cover.html
	@mkdir -p bin
	$(GO) test -short -coverprofile=bin/cover.out -coverpkg=./... ./... && $(GO) tool cover -html=bin/cover.out -o bin/cover.html
	$(GO) tool cover -func=bin/cover.out | tail -n 1

goldens: ## write golden files anew, then look at git diff
	$(GO) test ./dsl/... ./cmd/... -update

clean: ## remove what was built
	rm -rf bin

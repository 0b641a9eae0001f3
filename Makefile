# imgedge. `make run` and `make test` work on a bare Debian or Ubuntu with Go; they install what is missing.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

TOOLS := $(CURDIR)/.tools/bin
export PATH := $(TOOLS):$(PATH)
export CGO_ENABLED := 1

# What is built from source for tests and checks; never in go.mod.
VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
GOFUMPT   := mvdan.cc/gofumpt@v0.12.0
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

FUZZTIME   ?= 60s
SOAKTIME   ?= 10m
SOAKFLAGS  ?=
TESTFLAGS  ?=
TESTTIME   ?= 20m
BENCHFLAGS ?=
GROWTHFLAGS ?=
RUNFLAGS   ?=

.PHONY: help run build samples test lint contact-sheet bench growth soak fuzz tools clean libvips redis
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build samples ## build, paint sample pictures and serve them; prints a signed URL
	bin/edge serve --dir samples $(RUNFLAGS)

build: libvips ## bin/edge
	go build -trimpath -o bin/edge ./cmd/edge

samples: libvips ## paint the sample pictures into samples/
	go run ./cmd/sample -out samples >/dev/null

test: libvips redis $(TOOLS)/versitygw ## every test, with the race detector; then the allocation tests without it
	go test -race -timeout $(TESTTIME) $(TESTFLAGS) ./...
	go test -run 'Alloc' -timeout $(TESTTIME) $(TESTFLAGS) ./...

lint: libvips $(TOOLS)/gofumpt $(TOOLS)/golangci-lint ## gofumpt, go vet, golangci-lint
	@unformatted="$$(gofumpt -l .)"; if [ -n "$$unformatted" ]; then echo "gofumpt -w is due for:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	golangci-lint run

contact-sheet: samples ## every option on the sample pictures, on one HTML page
	go run ./cmd/contactsheet -dir samples -out contact-sheet

bench: libvips build samples ## Go benchmarks, then load on a fresh local server
	go test -run '^$$' -bench . -benchmem ./...
	bench/run $(BENCHFLAGS)

growth: libvips redis build ## how costs grow with keys, connections, pixels and batch work; GROWTHFLAGS names stages
	CGO_ENABLED=0 go build -o bin/sample ./cmd/sample
	bench/growth $(GROWTHFLAGS)

soak: libvips redis build samples ## a server under traffic for SOAKTIME (10m) while its workers and Redis die; IMGEDGE_HOSTILE adds files
	go run ./cmd/soak -time $(SOAKTIME) $(SOAKFLAGS)

fuzz: libvips ## every fuzz target for FUZZTIME (60s) each
	.ci/fuzz $(FUZZTIME)

tools: $(TOOLS)/versitygw $(TOOLS)/gofumpt $(TOOLS)/golangci-lint ## what tests and checks need, into .tools/bin

clean: ## remove what was built and painted; .tools stays
	rm -rf bin samples contact-sheet

# A tool is built if it is missing. One compile at a time keeps the memory of small machines free.
$(TOOLS)/versitygw:
	GOBIN=$(TOOLS) go install $(VERSITYGW)

$(TOOLS)/gofumpt:
	GOBIN=$(TOOLS) go install $(GOFUMPT)

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) go install $(GOLANGCI)

# Distribution packages: nothing happens when they are there. Tests compare with vipsthumbnail of libvips-tools.
libvips:
	@command -v go >/dev/null || { echo "Go is missing: https://go.dev/doc/install (the version is in go.mod)" >&2; exit 1; }
	@.ci/packages gcc libc6-dev pkg-config libvips-dev fonts-dejavu-core

redis:
	@.ci/packages redis-server libvips-tools

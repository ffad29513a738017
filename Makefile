# Thin: each target says which scripts do it. `make help` lists them.
.PHONY: all help demo test test-full asan lint bench fuzz install clean format
.DEFAULT_GOAL := all
PREFIX ?= /usr/local
DESTDIR ?=

all: ## the program, at build/firth
	@scripts/setup build
	@scripts/build build

demo: all ## a first sync, with live progress, and what to try next
	@scripts/demo

test: ## everything that is tested, at the level of every change
	@scripts/setup build test-programs
	@scripts/setup test & set_up=$$!; scripts/build build & built=$$!; scripts/build build-dev; failed=$$?; \
	wait $$built || failed=1; wait $$set_up || failed=1; exit $$failed
	@tests/run

test-full: ## the same with the long versions of the fault tests
	@FIRTH_TEST_LEVEL=full $(MAKE) --no-print-directory test

asan: ## the program with ASan and UBSan, at build-dev/firth
	@scripts/setup build
	@scripts/build build-dev

lint: ## formatting, clang-tidy, layers, tidiness
	@scripts/setup build lint
	@scripts/build build-dev
	@scripts/lint

bench: ## Firth beside its peers: both figures and the ratio
	@scripts/setup build bench
	@scripts/build build-bench
	@bench/run

fuzz: ## each fuzz target for FUZZ_SECONDS (60)
	@scripts/setup build fuzz
	@scripts/build build-fuzz
	@scripts/fuzz

install: ## to PREFIX (/usr/local), below DESTDIR if given
	@scripts/setup build
	@PREFIX="$(PREFIX)" scripts/build build
	@DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild --quiet

format: ## clang-format over the whole tree
	@scripts/setup lint
	@scripts/format

clean: ## what was built; .deps/ stays
	@rm -rf build build-dev build-bench build-fuzz

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

# `make` lists what it can do. Needs Debian 12 and Swift 6.3; everything else `make setup` installs.

# One configuration for the product and for its tests, so that one build serves both: `swift test`
# would add -enable-testing a second time and build everything anew.
CONFIG = -c release -Xswiftc -enable-testing
TEST_CONFIG = $(CONFIG) --disable-testable-imports --disable-xctest
WEIR = .build/release/weir
SPEC = pipelines/nightly-trends.json
REPORT = out/nightly-trends/all/trends.html

help: ## List the targets (this is what `make` does)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Install the Debian packages that are missing; says what to do where it cannot
	@sh Scripts/setup.sh

build: setup ## Set up and build
	@swift build $(CONFIG)

run: build ## Set up, build, run the nightly pipeline on the sample data, say where the report is
	@$(WEIR) run $(SPEC)
	@echo "Open the report: $(CURDIR)/$(REPORT)"

test: setup ## Set up, build, run every test (FILTER=NAME: some of them)
	@swift test $(TEST_CONFIG) $(if $(FILTER),--filter '$(FILTER)')

torture: setup ## Kill, starve and race runs at every point, not some of them as in `make test` (15 minutes)
	@WEIR_TORTURE=full swift test $(TEST_CONFIG) --filter WeirTortureTests

fuzz: setup ## Fuzz the scanner against the exact reader (RUNS=N: so many inputs, else 1,000,000)
	@sh Tests/Fuzz/fuzz.sh $(RUNS)

bench: setup ## Measure Weir beside DuckDB, ClickHouse, Polars and the limit (about 20 minutes)
	@sh Scripts/setup.sh bench
	@swift build $(CONFIG)
	@python3 Benchmarks/run.py --results Benchmarks/RESULTS.md

bench-full: setup ## The same, with the cost curve and the memory limit over 20 million records (an hour)
	@sh Scripts/setup.sh bench
	@swift build $(CONFIG)
	@python3 Benchmarks/run.py --full --results Benchmarks/RESULTS.md

accuracy: setup ## Score the trend analysis on labelled series, beside what others do (about 10 minutes)
	@sh Scripts/setup.sh bench
	@swift build $(CONFIG)
	@python3 Benchmarks/accuracy/run.py --results Benchmarks/ACCURACY.md
	@python3 Benchmarks/accuracy/real.py --results Benchmarks/REALDATA.md

lint: setup ## Check the form of the Swift code; fails on any finding
	@swift format lint --strict --recursive --parallel Sources Tests Package.swift

format: setup ## Put the Swift code into that form
	@swift format --in-place --recursive --parallel Sources Tests Package.swift

docs: build ## Write the stage pages and the JSON Schema in docs/ again
	@$(WEIR) stages --write docs

clean: ## Remove what was built; outputs (out/) and workspaces (.weir/) stay
	@rm -rf .build

.PHONY: help setup build run test torture fuzz bench bench-full accuracy lint format docs clean

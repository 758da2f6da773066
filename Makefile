# `make` alone shows what there is. Everything runs in .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -q
LEAST_COVERAGE := 90

.DEFAULT_GOAL := help
.PHONY: help demo test test-% rust-test rust-coverage coverage lint fix check wasm wasm-verify vectors bench rust-bench wheel nightly clean

help: ## show this list
	@sed -n 's/^\([a-z%-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

# The stamps say what a virtual environment has been given, so that `make demo` needs no more than it uses.
$(VENV)/ready:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9) and "skywasm needs Python 3.9 or newer for the sandbox: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q -e .
	touch $@

$(VENV)/ready-test: $(VENV)/ready pyproject.toml
	$(BIN)/python -m pip install -q -e . --group test
	touch $@

$(VENV)/ready-lint: $(VENV)/ready pyproject.toml
	$(BIN)/python -m pip install -q --group lint
	touch $@

demo: $(VENV)/ready ## the twelve functions in the sandbox beside pure Python (and SkyPilot once `make test` has installed it)
	$(BIN)/skywasm demo --quick

test: $(VENV)/ready-test ## all tests in their quick form, against SkyPilot itself
	$(PYTEST) -n auto --dist loadgroup tests

test-%: $(VENV)/ready-test ## one tier: contract, unit, conformance, property, host, faults, hammer, cli, batch, bench, packaging
	$(PYTEST) tests/$*

rust-test: ## native tests of the Rust core
	cd wasm-core && cargo test --quiet

rust-coverage: ## line coverage of the Rust core by its native tests; fails below 90 %
	wasm-core/coverage.sh $(LEAST_COVERAGE)

coverage: $(VENV)/ready-test ## branch coverage of the Python side, subprocesses included; fails below 90 %
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q -p no:cacheprovider tests
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --fail-under=$(LEAST_COVERAGE)

lint: $(VENV)/ready-test $(VENV)/ready-lint ## formatters, linters and types of both languages, nothing changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd wasm-core && cargo fmt --check && cargo clippy --quiet --all-targets -- -D warnings

fix: $(VENV)/ready-lint ## let the formatters and linters change what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd wasm-core && cargo fmt

wasm: ## build skywasm/core.wasm and its provenance
	$(PYTHON) wasm-core/build.py

wasm-verify: $(VENV)/ready ## rebuild the artifact, compare, and check the new one
	$(BIN)/python wasm-core/build.py --verify

bench: $(VENV)/ready-test ## time every function beside SkyPilot's, and put the tables into docs/BENCHMARKS.md
	$(BIN)/skywasm bench --update docs/BENCHMARKS.md

rust-bench: ## the Criterion suites of the Rust core
	cd wasm-core && cargo bench

vectors: $(VENV)/ready-test ## make tests/vectors anew by running SkyPilot (as root: it mounts cgroup files of its own)
	$(BIN)/python tests/vectors/generate.py

wheel: $(VENV)/ready ## the wheel, into dist/
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

check: lint wasm-verify rust-test test ## what CI runs

nightly: check rust-coverage coverage ## what takes longer than CI may
	SKYWASM_TEST_PROFILE=thorough $(PYTEST) -n auto tests/property

clean: ## remove what was built here, but not the artifact
	rm -rf $(VENV) dist build wasm-core/target .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

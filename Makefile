# `make` alone shows what there is. Everything runs in .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -q
LEAST_COVERAGE := 90

.DEFAULT_GOAL := help
.PHONY: help add derived crossings cluster demo picture test test-% rust-test rust-coverage coverage lint fix check wasm wasm-verify docs engines fuzz rust-fuzz torture opcodes older vectors bench rust-bench wheel pythons windows audit nightly clean

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

$(VENV)/ready-docs: $(VENV)/ready pyproject.toml
	$(BIN)/python -m pip install -q --group docs
	touch $@

demo: $(VENV)/ready ## the functions in the sandbox beside pure Python (and SkyPilot once `make test` has installed it)
	$(BIN)/skywasm demo --quick

test: $(VENV)/ready-test ## all tests in their quick form, against SkyPilot itself
	$(PYTEST) -n auto --dist loadgroup tests

test-%: $(VENV)/ready-test ## one folder of tests: contract, unit, conformance, property, host, faults, sandbox, hammer, batch, cli, dropin, ...
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

derived: $(VENV)/ready-test ## write what follows from the declarations: type stubs, the sample of vectors
	PYTHONPATH=tests $(BIN)/python -m derived

add: wasm derived ## after a function has been added: build the artifact, and write all that follows

wasm-verify: $(VENV)/ready ## rebuild the artifact, compare, and check the new one
	$(BIN)/python wasm-core/build.py --verify

bench: $(VENV)/ready-test ## time every function beside SkyPilot's, and put the tables into docs/BENCHMARKS.md and README.md
	$(BIN)/skywasm bench --update docs/BENCHMARKS.md --update README.md

crossings: $(VENV)/ready-test ## the crossing beside an earlier one, in one process, and the table into docs/BENCHMARKS.md
	$(BIN)/python tests/bench/crossings.py $(BEFORE) --update docs/BENCHMARKS.md

picture: $(VENV)/ready-test ## the README's picture of the report, taken in Chromium, which must be there
	mkdir -p build
	$(BIN)/skywasm report -o build/report.html
	$(BIN)/python tests/report/picture.py build/report.html docs/report.png

rust-bench: ## the Criterion suites of the Rust core
	cd wasm-core && cargo bench

ENGINES ?= --update docs/ENGINES.md
engines: $(VENV)/ready ## the artifact in every engine, and the table into docs/ENGINES.md (ENGINES=--quick: less to download)
	PYTHONPATH=tests $(BIN)/python -m engines $(ENGINES)

FUZZ ?= --update docs/RELIABILITY.md
fuzz: $(VENV)/ready-test ## 1,000,000 cases a function against SkyPilot, and the table into docs/RELIABILITY.md (FUZZ="--cases 20000")
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ)

rust-fuzz: ## 1,000,000 random rounds of the Rust core against plain answers, and the table into docs/RELIABILITY.md
	PYTHONPATH=tests $(PYTHON) -m fuzz.native --update docs/RELIABILITY.md

TORTURE ?= --update docs/RELIABILITY.md
torture: $(VENV)/ready-test ## the long form of threads, forks, interrupts and leaks, and its table (TORTURE="--scale 0.1")
	PYTHONPATH=tests $(BIN)/python -m torture $(TORTURE)
	$(if $(filter --update,$(TORTURE)),$(MAKE) --no-print-directory opcodes)

opcodes: $(VENV)/ready-release ## an exception at every opcode of every call, on every Python there is, and its table: hours (OPCODES=50)
	$(RELEASE)/nox -s opcodes -- $(OPCODES)
	$(if $(OPCODES),,$(RELEASE)/nox -s opcodes_table)

# Two SkyPilots do not fit into one environment.
OLDER := $(VENV)-older
$(OLDER)/ready:
	test -x $(OLDER)/bin/python || $(PYTHON) -m venv $(OLDER)
	$(OLDER)/bin/python -m pip install -q -e . skypilot==0.10.0
	touch $@

older: $(VENV)/ready-test $(OLDER)/ready ## the drop-in with SkyPilot 0.10.0, in an environment of its own
	SKYWASM_TEST_OLDER_SKYPILOT=$(CURDIR)/$(OLDER)/bin/python $(PYTEST) tests/integration/test_older_skypilot.py

cluster: ## batches on the workers of a Dask cluster and of Ray, and the log into docs/CLUSTERS.md
	test -x .venv-cluster/bin/python || $(PYTHON) -m venv .venv-cluster
	.venv-cluster/bin/python -m pip install -q -e . ray 'dask[distributed]'
	PYTHONPATH=tests .venv-cluster/bin/python -m cluster --update docs/CLUSTERS.md

vectors: $(VENV)/ready-test ## make tests/vectors anew by running SkyPilot (as root: it mounts cgroup files of its own)
	$(BIN)/python tests/vectors/generate.py

docs: $(VENV)/ready-docs ## the documentation as a site, into docs/_build/html; warnings are errors
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

# An environment of its own: some of these need packages that SkyPilot holds back.
RELEASE := $(VENV)/release/bin
$(VENV)/ready-release: $(VENV)/ready pyproject.toml
	test -x $(RELEASE)/python || $(BIN)/python -m venv $(VENV)/release
	$(RELEASE)/python -m pip install -q --upgrade 'pip>=25.1'
	$(RELEASE)/python -m pip install -q --group release
	touch $@

# Dates in the wheel are those of the last commit, so that everybody's is the same.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1580601600)
wheel: $(VENV)/ready-release ## sdist, and the wheel made of it, into dist/; checked by PyPI's own tools
	rm -rf dist
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(RELEASE)/python -m build --outdir dist .
	$(RELEASE)/check-wheel-contents dist
	$(RELEASE)/twine check --strict dist/*

pythons: $(VENV)/ready-release ## quick tests on every Python there is, oldest and newest dependencies (PYTHONS="-s tests-3.13 -- tests")
	$(RELEASE)/nox $(PYTHONS)

WINDOWS ?= --update docs/PYTHONS.md
windows: $(VENV)/ready-test ## the tests in real Pythons for Windows under Wine, and the table into docs/PYTHONS.md (WINDOWS=--quick: a minute)
	PYTHONPATH=tests $(BIN)/python -m windows $(WINDOWS)

audit: $(VENV)/ready-test $(VENV)/ready-release ## licences, and known vulnerabilities of crates and packages: needs their databases
	$(BIN)/python tests/packaging/audit.py

check: lint wasm-verify rust-test test ## what CI runs

nightly: check older engines cluster pythons windows rust-coverage coverage ## what takes longer than CI may
	SKYWASM_TEST_PROFILE=thorough $(PYTEST) -n auto tests/property
	SKYWASM_TEST_PROFILE=thorough $(PYTEST) tests/integration/test_command_line.py tests/adding \
		tests/packaging/test_artifact.py

clean: ## remove what was built here, but not the artifact
	rm -rf $(VENV) $(OLDER) .venv-cluster .venv-windows .venv-musl tests/engines/.build dist build docs/_build wasm-core/target .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

# Each command installs what it needs first. `make help` lists them.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
# Three processes on two cores, because many tests wait for servers and time limits.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup

.PHONY: audit help install run test test-all test-rest ui verify lint clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv and install the pinned dependencies

$(INSTALLED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m pip check
	$(BIN)/heddle libraries
	touch $@

run: install ## crawl, train, evaluate, index and register what is stale
	$(BIN)/heddle run

test: install ## run every test that needs neither WordPress nor a whole run of the pipeline (5 minutes)
	$(PYTEST) -m "not slow and not e2e and not wordpress"

test-rest: install ## run the tests that `make test` skips
	$(PYTEST) -m "slow or e2e or wordpress"

test-all: test test-rest ## run every test (15 minutes); without WordPress on the machine, its tests are skipped

ui: install ## open Dagster: lineage, schedules, checks
	$(BIN)/heddle ui

verify: install ## reproduce everything in a fresh clone and compare every hash
	$(BIN)/heddle verify

lint: install ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: install ## look up known vulnerabilities of the installed packages (needs pypi.org)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,audit]'
	$(BIN)/pip-audit --strict --skip-editable --progress-spinner off

clean: ## delete the environment and everything that `make run` made, except the registered tags
	rm -rf .venv .heddle .dvc/cache .dvc/tmp data/*/ data/.[!.]* *.egg-info

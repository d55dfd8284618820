# `make run` and `make test` are the two commands; each installs what it needs first.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: install run test ui verify lint clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m pip check
	touch $@

run: install ## crawl, train, evaluate, index and register what is stale
	$(BIN)/heddle run

test: install ## every test
	$(BIN)/python -m pytest -n 2 --dist loadgroup

ui: install ## Dagster: lineage, schedules, checks
	$(BIN)/heddle ui

verify: install ## reproduce everything in a fresh clone and compare every hash
	$(BIN)/heddle verify

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean: ## everything that `make run` made, the registered tags excepted
	rm -rf .venv .heddle .dvc/cache .dvc/tmp data/*/ data/.[!.]* *.egg-info

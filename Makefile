# One verb a task. `make install` needs Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format e2e fuzz bench bench-quick lock

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## make .venv with the command rolecall

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Rolecall needs Python 3.11 or newer; $(PYTHON) is %d.%d. Set PYTHON=." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## walk the page with a real identity provider and a real model (ARGS=--once ends by itself)
	$(BIN)/rolecall demo $(ARGS)

test: install ## unit tests: no server, no network
	$(BIN)/python -m pytest -m "not e2e" $(ARGS)

e2e: install ## real identity providers, a real model, real clients
	$(BIN)/python -m pytest -m e2e $(ARGS)

bench: install ## Rolecall beside other gateways, about 20 minutes (ARGS="--only stream")
	$(BIN)/python -m bench $(ARGS)

bench-quick: install ## CPU a request against Envoy's, under two minutes
	$(BIN)/python -m bench --quick $(ARGS)

fuzz: install ## a coverage-guided fuzzer for tokens, SECONDS=60 (Linux on x86-64)
	$(BIN)/python -m tests.fuzz.token $(or $(SECONDS),60) $(ARGS)

lint: install ## format, lint, types, the import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install ## renew constraints.txt from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras --group dev --output-file constraints.txt pyproject.toml

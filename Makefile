# Every target sets up what it needs, and is quick the second time.
# Needs: Python 3.11 or later with venv, make and git. Nothing else has to be installed by hand.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

# The first interpreter that is new enough; PYTHON=/path/to/python overrides it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench lock sbom

help: ## show this help
	@echo "iam-scanner: find the IAM users that nobody approved, in every account of an AWS organization"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## scan a sample organization on an embedded AWS emulator, and write its workbook
	@$(BIN)/iam-scanner demo $(ARGS)

test: $(VENV)/.dev ## run the whole test suite
	@echo "Running the tests (four to six minutes) ..."
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.dev ## check format, lint and types
	@echo "Checking format, lint and types ..."
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(VENV)/.dev ## measure speed and memory, and print the tables
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lock: $(VENV)/.dev ## resolve the pinned requirements anew, and write their SBOM; ARGS=--upgrade for the newest
	$(BIN)/uv pip compile $(LOCK_OPTIONS) $(ARGS) --extra demo --extra ocsf pyproject.toml -o requirements-all.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) -c requirements-all.txt pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) $(ARGS) --extra demo --extra ocsf --group dev -c requirements-all.txt \
		pyproject.toml -o requirements-dev.txt
	@$(MAKE) --no-print-directory sbom

sbom: $(VENV)/.dev ## write the SBOM of the pinned requirements, which the wheel carries
	@$(BIN)/python -m tests.sbom

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "iam-scanner needs Python 3.11 or later with venv; none was found." \
		"Install it, or say: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)

# Two stamps, so that the demo does not wait for the developers' tools.
$(VENV)/.demo: requirements-all.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the program needs (about a minute, once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-all.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.demo
	@echo "Installing the developers' tools (half a minute, once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Every verb sets up what it needs first: a virtual environment in .venv, from hash-locked
# requirements. Only Python 3.11 or newer (with venv) and GNU make have to be there.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
ARGS ?=

export PYTHON
# Where it is set, everything imported is compiled anew in every process: a server starts in 1 s
# instead of 0.3, and tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
ifneq ($(strip $(MINIMAL)),)
export LINARITE_MINIMAL := $(MINIMAL)
endif

.PHONY: run test check fix bench bench-peers docs lock clean help setup setup-dev setup-clients

run: setup ## Start Linarite with real models (ARGS="…" for `linarite up`, MINIMAL=1 for the small ones only)
	@exec $(BIN)/linarite up $(ARGS)

test: setup-dev setup-clients ## Run the tests (ARGS="…" for pytest)
ifeq ($(strip $(ARGS)),)
# Three processes on two cores: many tests wait for a server.
# `make check test` runs the architecture's once: `check` has done so.
	@exec $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
		$(if $(filter check,$(MAKECMDGOALS)),--ignore tests/architecture)
else
	@exec $(BIN)/python -m pytest $(ARGS)
endif

check: setup-dev ## Lint, types, import laws, architecture, generated pages
ifneq ($(filter test,$(MAKECMDGOALS)),)
# What the tests need comes over the network meanwhile.
	@$(BIN)/python scripts/setup_clients.py & scripts/check; checked=$$?; wait; exit $$checked
else
	@exec scripts/check
endif

fix: setup-dev ## Format, and repair what the linter can repair
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: setup-dev ## Measure gateway and engine, print tables (ARGS="…" for the benchmark)
	@exec $(BIN)/python -m bench $(ARGS)

bench-peers: setup-dev ## Install the gateways that `make bench` compares with, each in its own environment
	@exec $(BIN)/python -m bench.peers $(ARGS)

docs: setup-dev ## Write the pages that are generated from code
	@exec $(BIN)/python scripts/generate_docs.py

lock: setup-dev ## Resolve pyproject.toml into requirements/*.txt (ARGS=--upgrade for newer versions)
	@exec scripts/lock $(ARGS)

clean: ## Remove what set-up and tools left behind; models and data stay
	@exec scripts/clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@scripts/setup core

setup-dev:
	@scripts/setup dev

setup-clients: setup-dev
	@$(BIN)/python scripts/setup_clients.py

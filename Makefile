# Every target sets up what it needs first; a second call starts at once and needs no network.
#
#   make demo            the whole journey against the sandbox provider
#   make test            everything that continuous integration checks
#   make ARGS=... TARGET passes arguments on, for example: make demo ARGS=--fresh

.DEFAULT_GOAL := help
.PHONY: help setup demo test dev lint format docs lock wheel clean

PYTHON ?=
ARGS ?=
run := .venv/bin/python -m

# What is imported is compiled once and kept, whatever the environment says: the tests start many processes.
export PYTHONDONTWRITEBYTECODE :=

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1|\2/' | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

setup: ## the packages of requirements.lock in .venv, and Pango for PDFs
	@PYTHON="$(PYTHON)" sh .ci/setup

demo: setup ## the whole journey: pull, rate, invoice, render, deliver, into data/demo
	@.venv/bin/tollbook demo $(ARGS)

test: setup ## style, layers and every test
	@$(run) ruff check --quiet .
	@$(run) pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

dev: setup ## Dagster's pages at http://127.0.0.1:3000, over the demo's home
	@home="$(CURDIR)/data/demo/.dagster"; if [ -d "$$home" ]; then export DAGSTER_HOME="$$home"; fi; $(run) dagster dev $(ARGS)

lint: setup ## style, format, layers and types
	@$(run) ruff check .
	@$(run) ruff format --check .
	@$(run) pytest -q tests/test_imports.py tests/test_tidy.py
	@$(run) mypy

format: setup ## put the code into shape
	@$(run) ruff check --fix --quiet .
	@$(run) ruff format .

docs: setup ## the pages about tables in docs/tables
	@$(run) pipeline.lake.pages docs/tables

lock: setup ## write requirements.lock anew from pyproject.toml (ARGS=--upgrade takes the newest)
	@$(run) uv --version >/dev/null 2>&1 || $(run) pip install --quiet uv
	@$(run) uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-header \
		$(ARGS) --group pyproject.toml:dev pyproject.toml --output-file requirements.lock
	@$(MAKE) --no-print-directory setup

wheel: setup ## the wheel and the source archive, in dist/
	@$(run) build --no-isolation --outdir dist .

clean: ## remove what was produced; .venv and homes other than the demo's stay
	@rm -rf dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache data/demo
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Paperboy on a fresh machine: Python 3.11 or newer and make are all it needs. Written for GNU make 3.81 (macOS) and later.

.DEFAULT_GOAL := help
.PHONY: help demo up test test-all bench zones load chaos chaos-full lint types check clean

VENV   := .venv
PY     := $(VENV)/bin/python
PORT   ?= 8000
PIP    := $(PY) -m pip install --quiet --disable-pip-version-check --no-warn-script-location
PINNED := pyproject.toml constraints.txt

help:  ## list these targets
	@echo "Paperboy. What make can do here:"
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-11s%s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed  ## show everything in the browser, with sample papers; Ctrl-C stops it (PORT=8000)
	@$(PY) manage.py demo --port $(PORT)

up: $(VENV)/.installed  ## run Paperboy on this machine; Ctrl-C stops it (PORT=8000)
	@$(PY) manage.py up --port $(PORT)

test: $(VENV)/.installed-dev  ## the tests that need nothing but this checkout
	@echo "Testing on SQLite and the embedded Valkey ..."
	@env -u DATABASE_URL -u REDIS_URL $(PY) -m pytest -m "not postgres and not browser and not realdata"

test-all: $(VENV)/.installed-dev  ## every test: PostgreSQL, Redis and Chromium must be there
	@test -n "$$DATABASE_URL" -a -n "$$REDIS_URL" || { \
	  echo "make test-all needs DATABASE_URL (PostgreSQL) and REDIS_URL (Redis) in the environment."; exit 1; }
	@echo "Testing on PostgreSQL, Redis and Chromium ..."
	@$(PY) -m pytest

bench: $(VENV)/.installed-dev  ## measure speed and memory
	@$(PY) -m tests.bench.run

chaos: $(VENV)/.installed-dev  ## kill workers at twelve steps, ten minutes at most, and count who got what
	@$(PY) -m tests.chaos.matrix --seeds 3 --minutes 9

chaos-full: $(VENV)/.installed-dev  ## all 600 runs of it, an hour; stopped, the same command goes on
	@$(PY) -m tests.chaos.matrix

zones: $(VENV)/.installed-dev  ## follow a reader in every time zone through every change of its clocks, 2025 to 2028
	@nice $(PY) -m tests.bench.zones

load: $(VENV)/.installed-dev  ## a hundred thousand readers, two workers, PostgreSQL and Redis: memory, connections, rows a second
	@nice $(PY) -m tests.bench.load

lint: $(VENV)/.installed-dev  ## ruff: rules and layout
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

types: $(VENV)/.installed-dev  ## mypy --strict
	@$(PY) -m mypy

check: lint types  ## lint, types, Django's own checks, migrations
	@$(PY) manage.py check && $(PY) manage.py makemigrations --check --dry-run

clean:  ## remove the virtual environment, caches and the demo's data (an installation's own data stays)
	@rm -rf $(VENV) .paperboy/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	@find digest subscribers tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean."

# The stamps lie inside the environment, so that removing it removes them; a changed pin installs again.
$(VENV)/.installed: $(PINNED) | $(VENV)/.made
	@echo "Installing what Paperboy needs into $(VENV) (a minute, once) ..."
	@$(PIP) -c constraints.txt -e . && rm -rf *.egg-info && touch $@

$(VENV)/.installed-dev: $(PINNED) | $(VENV)/.made
	@echo "Installing what Paperboy and its tests need into $(VENV) (a minute or two, once) ..."
	@$(PIP) -c constraints.txt -e '.[dev]' && rm -rf *.egg-info && touch $(VENV)/.installed $@

# A name on PATH may be a shim without a Python behind it, so each is tried, not only looked up.
$(VENV)/.made:
	@for name in python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$name; break; fi; \
	done; \
	if test -z "$$found"; then \
	  echo "Paperboy needs Python 3.11 or newer, and none is on the PATH. See https://www.python.org/downloads/"; exit 1; fi; \
	if ! $$found -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  echo "$$found cannot make virtual environments. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; fi; \
	echo "Making a virtual environment in $(VENV) with $$($$found --version) ..."; \
	$$found -m venv $(VENV) && touch $@

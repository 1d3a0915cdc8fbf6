# make demo and make test each work alone on a fresh machine: they create .venv and install what they need.
# On a machine that fetches torch from PyPI, a CPU build is smaller:
#   make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
PIP_ARGS ?=
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)

# Many small matrix products on few cores: threads only get into each other's way.
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE ?= 1
export RAY_USAGE_STATS_ENABLED ?= 0

.PHONY: help demo test lint types ladder doctest examples bare docs bench web web-check web-compare format clean
.DEFAULT_GOAL := help

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 18

demo: $(VENV)/.core  ## learn a space on generated songs, certify it, open its page (5 minutes)
	OMP_NUM_THREADS=2 $(BIN)/oplas demo $(DEMO_ARGS)

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

lint: $(VENV)/.dev  ## ruff: rules and formatting
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .

types: $(VENV)/.dev  ## mypy
	$(BIN)/mypy

ladder: $(VENV)/.dev  ## imports only go down, and no file is long
	$(BIN)/python -m pytest -q tests/test_ladder.py

doctest: $(VENV)/.dev  ## the examples in the docstrings
	$(BIN)/python -m pytest -q --doctest-modules src/oplas

examples: $(VENV)/.dev  ## every example's short version
	@set -e; for script in examples/*.py; do echo "== $$script --quick"; $(BIN)/python $$script --quick; done

bare: $(VENV)/.dev  ## the wheel in an environment with the core dependencies only
	PIP_ARGS="$(PIP_ARGS)" $(BIN)/python tests/bare_install.py

docs: $(VENV)/.dev  ## the site, into site/
	$(BIN)/python benchmarks/gen.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.dev  ## every benchmark in full, then its page; hours
	@set -e; for script in $$(grep -l "from _harness import Benchmark" benchmarks/*.py); do $(BIN)/python $$script; done
	$(BIN)/python benchmarks/gen.py

web: web/node_modules/.made  ## the studio's page, built from web/ into the package; needs npm
	cd web && npx --no-install tsc --noEmit && node build.mjs

web-check:  ## the page in the package is what web/ builds
	@if ! command -v npm >/dev/null; then echo "skipped: npm is not installed, so the page cannot be built and compared"; \
	else $(MAKE) --no-print-directory web-compare; fi

web-compare: web/node_modules/.made
	cd web && npx --no-install tsc --noEmit && node build.mjs "$(CURDIR)/web/built"
	diff -r web/built src/oplas/studio/static || { echo "the page in the package is not what web/ builds; run: make web" >&2; exit 1; }
	rm -rf web/built

web/node_modules/.made: web/package-lock.json
	cd web && npm ci --silent
	@touch $@

format: $(VENV)/.dev  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what make made
	rm -rf $(VENV) site dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "oplas needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.made
	$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.made
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.core

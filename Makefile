# make demo, make test: nothing but python3 (3.11 or newer) and make is needed; the rest goes into $(VENV).
#
# make docs has an environment of its own, $(DOCS_VENV).
#
#   make test PYTHON=python3.13 VENV=.venv-313 CONSTRAINTS=    another Python, with the newest JAX

PYTHON ?= python3
VENV ?= .venv
DOCS_VENV ?= .venv-docs
CONSTRAINTS ?= constraints.txt
EXTRAS ?= test,lint
PYTEST_ARGS ?=
PARALLEL ?= -n 2 --dist worksteal
BENCH_ARGS ?= --write --peers

BIN = $(VENV)/bin
CONNECTOME = .cache/connectome
STAMP = $(VENV)/.installed

ifneq ($(strip $(CONSTRAINTS)),)
CONSTRAIN = -c $(CONSTRAINTS)
else
CONSTRAIN = --upgrade --upgrade-strategy eager
endif

.DELETE_ON_ERROR:
.PHONY: help test suite lint format demo connectome pictures docs bench constraints clean

help:
	@echo "make demo         run the examples"
	@echo "make connectome   fetch the wiring of a worm from a package, and run its example"
	@echo "make test         lint, then the whole test suite"
	@echo "make suite        the test suite alone (PYTEST_ARGS=... narrows it)"
	@echo "make lint         style, formatting and types"
	@echo "make format       format and mend what can be mended"
	@echo "make docs         build docs/_build/html, with every cell executed"
	@echo "make pictures     run all examples and renew their pictures in the docs"
	@echo "make bench        run the benchmarks and renew their tables (BENCH_ARGS= changes nothing)"
	@echo "make constraints  renew constraints.txt"
	@echo "make clean        remove the environments and the caches"

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "$(PYTHON) was not found: install Python 3.11 or newer, or write make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is `$(PYTHON) --version 2>/dev/null || echo unusable`, but Python 3.11 or newer is needed:" \
	       "write make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: install its venv package (python3-venv on Debian)" >&2; exit 1; }
	@echo "installing into $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check $(CONSTRAIN) -e '.[$(EXTRAS)]'
	@touch $@

test: lint suite

suite: $(STAMP)
	$(BIN)/python -m pytest -q $(PARALLEL) $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: $(STAMP)
	$(BIN)/python examples/program_augmentation.py
	$(BIN)/python examples/coba.py
	$(BIN)/python examples/digits.py
	@echo "pictures are in out/; docs/examples.md lists more examples"

connectome: $(STAMP) $(CONNECTOME)/edges.csv
	$(BIN)/python examples/connectome.py

$(CONNECTOME)/edges.csv: examples/connectome_data.py
	@echo "installing c302, for its data alone, into $(CONNECTOME) ..."
	@$(PYTHON) -m venv $(CONNECTOME)/environment
	@$(CONNECTOME)/environment/bin/python -m pip install -qq --disable-pip-version-check --no-deps \
	  c302==0.12.1 openpyxl==3.1.5 et-xmlfile==2.0.0
	@$(CONNECTOME)/environment/bin/python $< $@

pictures: $(STAMP) $(CONNECTOME)/edges.csv
	$(BIN)/python docs/gallery.py

docs:
	@$(MAKE) --silent --no-print-directory VENV=$(DOCS_VENV) EXTRAS=docs $(DOCS_VENV)/.installed
	@rm -rf docs/_build/html docs/_build/doctrees
	@$(DOCS_VENV)/bin/python -m sphinx -q -W --keep-going -j 2 -d docs/_build/doctrees -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html in a browser"

bench: $(STAMP)
	@set -e; for script in benchmarks/[!_]*.py; do \
	  echo "== $$script"; $(BIN)/python "$$script" $(BENCH_ARGS); done

constraints: $(STAMP)
	$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 pyproject.toml \
	  --extra test --extra lint --extra docs --no-header --no-annotate -o constraints.txt

clean:
	rm -rf $(VENV) .venv-* build dist docs/_build docs/examples .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

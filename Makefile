# Everything runs in .venv, which `make` builds from constraints.txt with nothing but python3 and pip.
# Set-up speaks on stderr, so that `make demo ARGS="--headless --format json"` prints verdicts only.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
ARGS ?=
BENCH ?= logging_cost
STORE ?= sqlite:///mlflow.db
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ROOMS := schemas collectors transitions interventions experiments dashboard
# The newest release with a CPU build where the reference numbers were measured; raise it on purpose.
TORCH := torch==2.13.0
COMPILE := pip-compile --all-extras --allow-unsafe --strip-extras --no-annotate --no-emit-index-url \
  --no-emit-find-links --no-emit-trusted-host --upgrade-package $(TORCH) --output-file constraints.txt

.PHONY: help demo sweep-demo experiments test lint type ordinary screenshots measures mutants soak evaluate bench bench-detect bench-store
.PHONY: constraints wheel lock picture docs case-studies

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(INSTALLED)  ## train the demo sweep live and open the dashboard; ARGS="--headless ..." passes through
	@$(BIN)/grokscope demo $(ARGS)

sweep-demo: $(INSTALLED)  ## a grid of thirty runs, trained and judged in minutes; STORE=URI for another place
	@$(BIN)/grokscope sweep examples/sweep.toml --store $(STORE) $(ARGS)
	@$(BIN)/grokscope detect $(STORE) --experiment "weight decay and data" --write

case-studies: $(INSTALLED)  ## train, compute and draw docs/case-studies again; DATA=FOLDER of published curves
	@$(BIN)/python examples/case-studies/rebuild.py --store $(STORE) $(if $(DATA),--data $(DATA)) $(ARGS)

experiments: $(INSTALLED)  ## train every experiment (an hour on two cores) and write docs/experiments.md
	@$(BIN)/grokscope experiments --train --store $(STORE) --format markdown $(ARGS) > $(VENV)/experiments.md
	@mv $(VENV)/experiments.md docs/experiments.md

test: lint type  ## all checks and every test; ARGS="-k spool" narrows the tests
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder --doctest-modules $(ROOMS) tests $(ARGS)

lint: $(INSTALLED)  ## ruff, its formatter and the import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports

type: $(INSTALLED)  ## pyright, strict
	@$(BIN)/pyright

bench: $(INSTALLED)  ## a benchmark beside the tools it compares with; BENCH=detect ARGS="FOLDER" for that one
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]" >&2
	@$(BIN)/python benchmarks/$(BENCH).py $(ARGS)

screenshots: $(INSTALLED)  ## the pictures in docs/images, from a real demo
	@GROKSCOPE_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/end_to_end/test_demo.py

picture: $(INSTALLED)  ## docs/images/demo.webp: the page while the demo trains, in half a minute
	@$(BIN)/python benchmarks/picture.py docs/images/demo.webp

bench-store:  ## reading beside MLflow's client and bare readers; ARGS="FOLDER --steps 1000" for less than 10^7
	@$(MAKE) --no-print-directory bench BENCH=store

wheel: $(INSTALLED)  ## dist/: the sdist, and the wheel made from it, as a release is
	@$(BIN)/python -m build --no-isolation --outdir dist . >&2

mutants:  ## small faults that the nearest tests must notice; ARGS="transitions --sample 150"
	@$(MAKE) --no-print-directory bench BENCH=mutants

measures: $(INSTALLED)  ## what is generated from the measures: docs/measures.md and metrics.json of the schemas
	@$(BIN)/python -m grokscope.collectors.measures.table .

docs: $(INSTALLED)  ## the site of docs/, into build/docs, without a warning; it loads nothing from elsewhere
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "the site: build/docs/index.html; with its search: $(BIN)/python -m http.server --directory build/docs"

soak:  ## random faults against a real trainer, shipper, server and cluster for an hour each; ARGS="--seconds 60"
	@$(BIN)/python tests/soak/nemesis.py $(ARGS)
	@$(BIN)/python tests/soak/cluster.py $(ARGS)

bench-detect:  ## transitions beside other methods; ARGS="FOLDER" adds the labelled curves.parquet there
	@$(MAKE) --no-print-directory bench BENCH=detect

evaluate: $(INSTALLED)  ## the engine on laboratories drawn at random; ARGS="development --runs 40 --wrong"
	@$(BIN)/python benchmarks/evaluate.py $(ARGS)

ordinary: $(INSTALLED)  ## train the thirty ordinary trainings (a minute on one core) and record their curves
	@nice $(BIN)/python -m grokscope.experiments.ordinary tests/data/ordinary.parquet

constraints: | $(BIN)/pip  ## pin every dependency anew; ARGS="--upgrade" takes newer releases
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip-tools>=7.5" >&2
	@CUSTOM_COMPILE_COMMAND="make constraints, which is: $(COMPILE)" \
	  $(BIN)/$(COMPILE) --quiet $(ARGS) pyproject.toml >&2
	@# A local version (+cpu) names one machine's build; without it the pin fits them all. Extras that hold
	@# others bring grokscope itself, which is no dependency.
	@sed -e 's/+[a-z0-9.]*$$//' -e '/^grokscope @ /d' constraints.txt > $(VENV)/pins && mv $(VENV)/pins constraints.txt

lock: $(INSTALLED)  ## pin what the image holds by hash, at the versions of constraints.txt; for its Python, 3.12
	@for made in requirements:"--extra app pyproject.toml" build:docker/build.in; do \
	  CUSTOM="uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.12 --python-platform linux"; \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/$$CUSTOM --constraint constraints.txt $(ARGS) \
	    --output-file docker/$${made%%:*}.lock $${made#*:} >&2 || exit 1; \
	done

# The stamp makes the installation run once, and again when what is to be installed has changed.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing into $(VENV) (some minutes, once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -e ".[all,docs,dev]" >&2
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "grokscope needs Python 3.11 or newer, got $$($(PYTHON) -V 2>&1); name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >&2 || { \
	  echo "cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

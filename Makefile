# Two commands matter: `make reproduce` and `make test`. Both set up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
STUDY ?= miniature
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := setup
.PHONY: setup reproduce run test bench pull push lock clean help

setup: $(STAMP) ## Create .venv and install the pinned packages

$(STAMP): envs/requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'paraspec needs Python 3.11 or newer: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

reproduce: setup run ## Set up, run the whole study, write results/<study>/report.html

run: setup
	@$(BIN)/paraspec doctor --repair --before-run --cores $(CORES) --configfile config/$(STUDY).yaml
	$(BIN)/snakemake --cores $(CORES) --configfile config/$(STUDY).yaml
	@$(BIN)/paraspec verdicts --results results/$(STUDY)
	@echo "Report: results/$(STUDY)/report.html"

test: setup ## Set up, then pass all tests and checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/pytest -n 2 --dist loadgroup

CASE ?= zoo
PEERS := build/bench

$(PEERS)/.installed: envs/bench.lock $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(PEERS) -r envs/bench.lock
	touch $@

bench: setup $(PEERS)/.installed ## Compare speed with a loop, nnsight and pyvene (CASE=zoo, 100m, 7b)
	test -f data/factbook.jsonl || $(BIN)/paraspec data build
	PYTHONPATH=$(PEERS) $(BIN)/python -m benchmarks.engine --case $(CASE)

pull: setup ## Fetch a study's published outputs from the DVC remote
	@$(BIN)/paraspec pull --configfile config/$(STUDY).yaml

push: setup ## Upload a finished study to the DVC remote
	@$(BIN)/paraspec push --configfile config/$(STUDY).yaml

lock: ## Pin what is installed now
	{ echo "# Every package that 'make' installs, pinned. Written by 'make lock'."; \
	  $(BIN)/python -m pip freeze --all --exclude-editable --exclude pip --exclude wheel | sed 's/+cpu//'; } > envs/requirements.lock.new
	mv envs/requirements.lock.new envs/requirements.lock
	$(BIN)/python envs/from_lock.py

clean: ## Remove the environment (results stay)
	rm -rf $(VENV)

help: ## Show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

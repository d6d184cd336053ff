# Each target describes itself: `make help` prints these lines.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup spark demo panels screenshots test soak lint format bench mutation coverage chaos docs lock clean

help:  ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

# The stamp is newer than the lock and the project file when everything is installed, so a second run does nothing.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Upswell needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)  ## create .venv and install everything, pinned and hashed

spark: setup  ## add Spark to .venv, which its tests need (470 MB, and Java)
	$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-spark.lock

demo: setup  ## run the whole loop on a synthetic company, with no account anywhere
	@$(BIN)/upswell demo $(DEMO_ARGS)

panels: setup  ## build the panels that `upswell panel` shows, from the code that runs in the CRMs (Node's packages by npm)
	@$(BIN)/python -m infra.panels.run build

screenshots: setup  ## draw the README's pictures of the panels from the demo's company (needs Chromium)
	$(BIN)/python -m infra.panels.screenshots

test: setup  ## run the panels' tests, then the suite in four processes, since some wait for others (UPSWELL_REQUIRE_ALL=1 turns every skip into a failure)
	@$(BIN)/python -m infra.panels.run test
	$(BIN)/python -m pytest -n 4 $(TEST_ARGS)

soak: setup  ## the longer stories that `make test` leaves out
	$(BIN)/python -m pytest -n 2 -m soak $(TEST_ARGS)

lint: setup  ## ruff, ruff format, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## let ruff rewrite the code to the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: setup  ## benchmarks of infra/bench, one JSON object a line
	@for b in infra/bench/bench_*.py; do PYTHONPATH=. $(BIN)/python $$b || exit 1; done

chaos: setup  ## 20,000 rows through faults, 20 runs of 2,000 writes with workers killed, 100 storms, 7 × 50 deaths; takes hours
	$(BIN)/python -m infra.contract.faults
	$(BIN)/python -m infra.chaos.reads
	$(BIN)/python -m infra.chaos.run $(CHAOS_ARGS)

mutation: setup  ## break plan, guard, apply and journal on purpose: how many breaks the tests notice (MUTANTS="sync.guard.*")
	@set -f; $(BIN)/python -m infra.mutation.mutants $(if $(RESUME),--resume) $(MUTANTS)

coverage: setup  ## branches of plan, guard, apply and journal that the tests take
	@$(BIN)/python -m infra.mutation.branches

docs: setup  ## write docs/cli.md from each verb's --help, docs/features.md from the features, docs/reasons.md from the reason codes, docs/fields.md and the Salesforce project from fields.toml
	$(BIN)/python -m worker.commands.reference > docs/cli.md
	$(BIN)/python -m model.features.dictionary > docs/features.md
	$(BIN)/python -m model.reason_codes > docs/reasons.md
	$(BIN)/python -m connectors.field_dictionary > docs/fields.md
	$(BIN)/python -m connectors.salesforce.project

lock:  ## resolve the lock files anew (needs uv and npm on the PATH)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements.lock
	uv pip compile --group spark --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements-spark.lock
	uv pip compile --group node --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements-node.lock
	cd connectors/salesforce/package && npm install --package-lock-only --silent
	cd connectors/hubspot/app && npm install --package-lock-only --silent
	$(BIN)/python -m infra.panels.locks

clean:  ## remove .venv and what tools leave behind
	rm -rf connectors/hubspot/app/node_modules connectors/salesforce/package/node_modules $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis mutants

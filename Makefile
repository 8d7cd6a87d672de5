# The only list of commands: `make` shows it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
LOCKS := deploy/requirements
ASSETS := shared/http/assets
PORT ?= 8080
DATA ?= .local
BUS ?=
N ?= 200
# The first Python of at least 3.11 that runs.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(VENV)/.test-installed $(ASSETS)/build/stamp ## Install everything, locked by hashes, for work on the code

.PHONY: format
format: $(VENV)/.test-installed ## Format the code
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .

.PHONY: lint
lint: $(VENV)/.test-installed ## Check format, rules, types and the layers
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: test
test: setup lint ## Run everything: lint, then all tests
	$(PY) -m pytest -q --numprocesses=2 --dist=loadfile --no-loadscope-reorder

.PHONY: integration
integration: setup ## Run the tests on real PostgreSQL and real Kafka
	$(PY) -m pytest -q tests/integration

.PHONY: browser
browser: setup ## Run the tests in a real browser (Debian's chromium)
	$(PY) -m pytest -q tests/browser

.PHONY: faults
faults: setup ## Kill and starve the real system under load, then check it [SEED= MINUTES=5, or N=10000]
	@$(PY) -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(filter-out file default undefined,$(origin N)),--referrals $(N) --table docs/faults.md)

.PHONY: demo
demo: $(VENV)/.demo-installed $(ASSETS)/build/stamp ## Start the product with invented people [PORT=8080 DATA=.local BUS=postgres|kafka]
	@exec $(PY) -m services.demo --port $(PORT) --data $(DATA) $(if $(BUS),--bus $(BUS))

.PHONY: sample
sample: $(VENV)/.demo-installed ## Push N invented intakes and answers through a running demo [N=200 DATA=.local]
	@$(PY) -m services.cli sample --data $(DATA) --count $(N)

.PHONY: tour
tour: setup ## Write screenshots of every page of a running demo to .local/tour [DATA=.local]
	@$(PY) -m tests.tools.tour --data $(DATA)

.PHONY: bench
bench: setup $(VENV)/.bench-installed ## Measure ours against peers, half an hour [ONLY=name WRITE=1]
	@$(PY) -m bench $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write)

.PHONY: latency
latency: setup ## Measure submit to webhook over real Kafka, stage by stage
	@$(PY) -m bench.stages

.PHONY: up
up: ## Start production's services by docker compose (settings in .env)
	docker compose up --detach --build

.PHONY: down
down: ## Stop them; data stay
	docker compose down

.PHONY: lock
lock: $(VENV)/.test-installed ## Resolve the locked versions anew
	deploy/requirements/compile

$(VENV)/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then \
	  echo 'Python 3.11 or newer is needed: apt-get install python3 python3-venv' >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'No virtual environment could be made: apt-get install python3-venv' >&2; exit 1; }

$(VENV)/.%-installed: $(LOCKS)/%.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing what $* needs ...'
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

$(ASSETS)/build/stamp: $(wildcard $(ASSETS)/*.*) | $(VENV)/pyvenv.cfg
	@[ -e $(VENV)/.test-installed ] || $(MAKE) -s $(VENV)/.demo-installed
	@echo 'Building the style sheet ...'
	@$(PY) -m shared.http.assets
	@touch $@

# Needs make and Python 3.11 or later; everything else comes into .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run editor test check fmt schema bench bench-quick bench-mixed clean

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that really starts; a version manager's stand-ins do not.
PYTHON := $(shell for python in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
WORKERS ?= auto
SIZES ?= 10000,100000,1000000
CANDIDATES ?=
MINUTES ?= 10

help: ## List what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(VENV)/.run ## Serve on PORT (8000): database, migrations, knowledge and all
	@exec $(BIN)/python manage.py serve

editor: $(VENV)/.run ## Create an editor, asking for the name, or from EDITOR_NAME and EDITOR_PASSWORD
	@exec $(BIN)/python manage.py editor

test: $(VENV)/.dev ## Run the tests on their own database, in parallel
	@exec $(BIN)/pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/.dev ## Lint, format, types, layers, migrations, schema snapshot, then the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W error manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	@diff -u docs/openapi.yaml $(VENV)/openapi.yaml || \
		{ echo 'The API has changed. Review it, then run `make schema` and commit docs/openapi.yaml.'; exit 1; }
	@$(MAKE) --no-print-directory test

fmt: $(VENV)/.dev ## Format the code and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/.dev ## Rewrite docs/openapi.yaml, the reviewed copy of the API's description
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

bench: $(VENV)/.dev $(VENV)/.bench ## Measure at SIZES (10000,100000,1000000) policies, beside CANDIDATES (all)
	@exec $(BIN)/python -m bench --sizes '$(SIZES)' --candidates '$(CANDIDATES)'

bench-quick: $(VENV)/.dev ## Measure at 20,000 policies, beside plain Django REST framework and bare psycopg
	@exec $(BIN)/python -m bench --sizes 20000 --candidates 'keeping counts,drf,psycopg' --compared --rounds 1 --seconds 1 --result quick

bench-mixed: $(VENV)/.dev ## Read at 70 % of what a million policies allow, while editors write, for MINUTES (10)
	@exec $(BIN)/python -m bench.mixed --minutes $(MINUTES)

clean: ## Remove the virtual environment and caches; the database in .kbase stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -not -path './.kbase/*' -prune -exec rm -rf {} +

$(VENV)/.run: requirements.txt
	$(call install,requirements.txt)

$(VENV)/.dev: requirements-dev.txt requirements.txt
	$(call install,requirements-dev.txt)

# What kbase is compared with has an environment of its own.
$(VENV)/.bench: bench/requirements.txt requirements.txt $(VENV)/.dev
	@echo 'Installing what kbase is compared with (a minute or so, only once) ...'
	@$(BIN)/python -m venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@

# $(1): the requirements file. A stamp is only made when all went well.
define install
	@test -n "$(PYTHON)" || { echo 'kbase needs Python 3.11 or later, with venv. Install it'\
		'(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) and run make again.' >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Creating $(VENV) with $(PYTHON) ...'; $(PYTHON) -m venv --clear $(VENV); }
	@echo 'Installing $(1) (a minute or so, only once) ...'
	@$(BIN)/python -m pip install --disable-pip-version-check -r $(1) || \
		{ echo 'The packages could not be installed; the reason is above. Is the network there? Then run make again.' >&2; exit 1; }
	@touch $@
endef

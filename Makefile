# `make demo` and `make test` need python3 and a package index, nothing else.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

# Threads that wait must not burn the cores that others work on.
export OMP_WAIT_POLICY := PASSIVE
export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test fast lint format freeze

demo: $(INSTALLED)
	$(BIN)/causalmix demo --force

test: lint
	$(BIN)/pytest -m "not gpu and not network"

fast: $(INSTALLED)
	$(BIN)/pytest -m "not slow and not gpu and not network"

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Pins what is installed, after the tests have passed with it.
freeze: $(INSTALLED)
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt
	$(BIN)/pip list --format=freeze | grep '^setuptools=' >> constraints.txt

$(INSTALLED): pyproject.toml constraints.txt plugins/causalmix-copula/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools -e ".[tests]" -e plugins/causalmix-copula
	touch $@

# make demo    validate, plan, apply and plan again on identities/, against the embedded provider in a scratch folder
# make test    the whole suite
# make lint    ruff and mypy
# make bench   whole processes, measured beside others; minutes
# Each makes its environment in .venv first; nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.installed
DEMO := .demo

.PHONY: demo test lint bench wheel clean

demo: $(INSTALLED)
	@sh scripts/demo.sh "$(BIN)/reconciler" "$(DEMO)"

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.run

wheel: $(INSTALLED)
	$(BIN)/python -m build --wheel --outdir dist

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) dist build

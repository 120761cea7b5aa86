# make demo    validate, plan, apply and plan again on identities/, against the embedded provider in a scratch folder
# make test    the whole suite
# make test-sdk  the embedded contact centre driven by its vendor's own library (200 MB, in an environment of its own)
# make lint    ruff and mypy
# make pictures  those of docs/reading-a-plan.md
# make bench   whole processes, measured beside others; minutes
# Each makes its environment in .venv first; nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.installed
DEMO := .demo
SDK := .sdk

.PHONY: demo test test-sdk lint bench pictures wheel clean

demo: $(INSTALLED)
	@sh scripts/demo.sh "$(BIN)/reconciler" "$(DEMO)"

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

test-sdk: $(SDK)/.installed
	$(SDK)/bin/python -m pytest tests/sdk

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.run

pictures: $(INSTALLED)
	$(BIN)/python scripts/pictures.py

wheel: $(INSTALLED)
	$(BIN)/python -m build --wheel --outdir dist

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

$(SDK)/.installed: pyproject.toml
	$(PYTHON) -m venv $(SDK)
	$(SDK)/bin/python -m pip install --quiet --upgrade pip
	$(SDK)/bin/python -m pip install --quiet --editable . --group sdk
	@touch $@

clean:
	rm -rf $(VENV) $(SDK) $(DEMO) dist build

# `make demo` and `make test` set up all they need on a fresh machine, and are quick when that is done.
PYTHON := .venv/bin/python
NODE ?= local
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)

.PHONY: demo test bench lint translations set-up clean

demo: set-up
	$(PYTHON) -m studio.demo --node $(NODE)

test: set-up
	$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not gpu and not benchmark"

bench: set-up
	$(PYTHON) -m pytest -m benchmark -s tests/benchmarks

lint: set-up
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

# Collects the texts of the window for the translators, and compiles what they translated.
translations: set-up
	$(PYTHON) packaging/translations.py

set-up:
	@bash packaging/set_up.sh

clean:
	rm -rf .venv build dist demo-output *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Every target sets up what it needs: a virtual environment in .venv, and (as root, where they are missing) Debian's
# python3-venv and a C compiler for the programs that the tests trace.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
# Where it is set, every start of invivo compiles its modules anew, which no installed invivo does: half a second each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow test-guest test-guest-cases test-browser check bench docs clean
help:
	@echo "make demo | test | test-slow | test-guest | test-guest-cases | test-browser | check | bench | docs | clean"

demo: $(VENV)/runtime
	@$(BIN)/python examples/demo.py

test: $(VENV)/development
	$(BIN)/python -m pytest $(TESTS)

test-slow: $(VENV)/development
	$(BIN)/python -m pytest -m slow $(TESTS)

test-browser: $(VENV)/development
	$(BIN)/python -m pytest -m browser $(TESTS)/browser

# Whole commands, and all of tests/cases, on other kernels, booted under software emulation.
test-guest: MARK = guest
test-guest-cases: MARK = guest_cases
test-guest test-guest-cases: $(VENV)/development
	@command -v qemu-system-x86_64 >/dev/null && command -v depmod >/dev/null && command -v busybox >/dev/null || \
		scripts/apt-get qemu-system-x86 kmod zstd busybox-static
	@$(BIN)/python -c 'import virtme_ng' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[guest]'
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m pytest -m $(MARK) $(TESTS)/vm

check: $(VENV)/development
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/development
	@set -e; for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file; done

docs: $(VENV)/runtime
	$(BIN)/python docs/generate.py

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "invivo needs Python 3.11 or later; none was found" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || scripts/apt-get python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/development: pyproject.toml | $(VENV)/bin/python
	@command -v cc >/dev/null || scripts/apt-get gcc libc6-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/runtime

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist src/*.egg-info

# The README has the same commands as plain lines.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input

.PHONY: app test check pictures style browser postgres

app: .venv/installed
	@$(BIN)/python -m pricer app

# Everything, the slow tests last.
test: style browser postgres
	@echo "Running all tests (some minutes)"
	@$(BIN)/python -m pytest

# The fast part of it.
check: style
	@echo "Running the fast tests"
	@$(BIN)/python -m pytest -m "not slow and not browser"

# Every page, light and dark, wide and narrow, into pictures/.
pictures: browser
	@$(BIN)/python -m tests.pictures

style: .venv/installed-for-tests
	@echo "Checking style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

browser: .venv/installed-for-tests
	@$(BIN)/python -m tests.browser

postgres: .venv/installed-for-tests
	@$(BIN)/python -m tests.postgres

.venv/installed: requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    f"Pricer needs Python 3.11 or newer, got {sys.version.split()[0]}: type make PYTHON=/path/to/python")'
	@echo "Making .venv with $(PYTHON) and installing what Pricer needs (minutes the first time, 2 GB)"
	@"$(PYTHON)" -m venv .venv
	@$(INSTALL) --requirement requirements.txt
	@touch $@

.venv/installed-for-tests: .venv/installed requirements-test.txt
	@echo "Installing what the tests need"
	@$(INSTALL) --quiet --requirement requirements-test.txt
	@touch $@

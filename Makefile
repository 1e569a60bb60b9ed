# Two commands: `make demo` runs the whole loop once, `make test` runs the tests. Both set up what they need.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: demo test soak setup system browser lint clean help

help:
	@echo "make demo   set up and run the whole loop: filmed hand -> virtual robot -> checked episode -> replay"
	@echo "make test   set up and run linters, type checks and tests"
	@echo "make soak   every fault as often as the fault table says: an hour or more"
	@echo "make setup  only set up: system libraries, virtual environment in $(VENV), hand model"

demo: setup
	$(BIN)/booth demo $(ARGS)

# Two halves: what only computes, two at a time; then what keeps real time, alone. Either fails the whole; a half of
# which ARGS selects nothing (exit code 5) does not, if the other one ran.
test: setup browser lint
	@ran=1; failed=0; \
	half() { $(BIN)/python -m pytest "$$@" $(ARGS); code=$$?; [ $$code -eq 5 ] || ran=0; [ $$code -eq 0 -o $$code -eq 5 ] || failed=1; }; \
	half -m "not alone" -n 2 --dist loadfile; \
	half -m alone; \
	exit $$((ran | failed))

soak: setup browser
	BOOTH_SOAK=1 $(BIN)/python -m pytest test/faults test/soak test/recorder/test_power_cut.py --timeout=7200 $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: system $(STAMP)
	@$(BIN)/booth models

system:
	@bash config/system-libraries.sh

browser:
	@bash config/system-libraries.sh browser

$(STAMP): setup.py config/constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
	  echo "Python 3.11 or 3.12 is needed and was not found. Debian 12, Ubuntu 24.04: sudo apt install python3 python3-venv" >&2; exit 1; fi
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing. Install it with: sudo apt install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version): a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q -c config/constraints.txt pip setuptools wheel
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c config/constraints.txt -e '.[ros,test]' | grep -E --line-buffered '^(Collecting|Downloading|Installing|Successfully|ERROR)' | cut -c1-100; exit $${PIPESTATUS[0]}
	@touch $@

clean:
	rm -rf $(VENV) build install log *.egg-info

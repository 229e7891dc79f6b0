# The commands of this project; plain `make` lists them. Needs GNU make, git and python3 (3.11 or newer).

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=

# The first Python that is new enough and can make environments.
FIND_PYTHON = for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; exit 0; fi; done

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env demo test soak bench screenshots check lint format-check types imports format clean clean-all

help: ## This table
	@echo "make ...       what it does (each sets up what it needs)"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

env: $(STAMP) ## The environment in .venv, with everything, byte-compiled
	@$(BIN)/python -m compileall -qq -j 2 viewer plugins || true

$(STAMP): pyproject.toml tools/system-libraries.sh
	@tools/system-libraries.sh
	@if ! $(BIN)/python -c 'import pip' >/dev/null 2>&1; then \
		python=$$($(FIND_PYTHON)); \
		if [ -z "$$python" ]; then \
			echo "No Python 3.11 or newer with venv was found. Install one, or name it: make env PYTHON=/path/to/python" >&2; exit 1; \
		fi; \
		echo "Making $(VENV) with $$($$python --version)"; \
		$$python -m venv --clear $(VENV); \
	fi
	@echo "Installing packages into $(VENV) (minutes, the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input -e '.[demo,dev]'
	@$(BIN)/python -m compileall -qq -j 2 "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true
	@touch $@

demo: env ## Open the demo study; without a display, do the main job on it and write demo-out/
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" = Darwin ]; then \
		$(BIN)/negatoscope --demo; \
	else \
		QT_QPA_PLATFORM=offscreen $(BIN)/negatoscope demo --out demo-out --force; \
	fi

test: env ## All tests, on two cores (PYTEST_ARGS= for more)
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 -m "not soak" $(PYTEST_ARGS)

soak: env ## 20,000 damaged files of every kind (minutes): opened, or refused in a sentence
	@$(BIN)/python -W ignore -m tests.soak_mutants

bench: env ## Every benchmark beside its rival or limit, as one table
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks

screenshots: env ## Pictures of the window into screenshots/
	@tools/system-libraries.sh screenshots
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m viewer.ui.screenshots screenshots

check: lint format-check types imports ## Style, types and import rules, as in CI

lint: env
	@$(BIN)/ruff check --output-format concise .

format-check: env
	@$(BIN)/ruff format --check --output-format concise . || { echo "make format puts this right"; exit 1; }

types: env
	@$(BIN)/mypy

imports: env
	@$(BIN)/lint-imports

format: env ## Put the code into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

clean: ## Remove what was made, but for .venv
	@rm -rf build dist demo-out screenshots benchmarks/results *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean ## Remove .venv too
	@rm -rf $(VENV)

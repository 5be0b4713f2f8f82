# The two commands of the README are `make demo` and `make test`; both may run as often as you like.
# Three workers keep two cores busy: tests wait for servers.
BESIDE := -n 3 --dist loadfile --no-loadscope-reorder
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help demo test check bench bench-quick bench-report lock clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/.runtime ## install the tool into .venv and build the example project
	$(BIN)/osiris-sql build

test: $(VENV)/.dev ## install what the tests need, database servers included, and run them
	scripts/install-servers
	$(BIN)/pytest $(BESIDE)

check: $(VENV)/.dev ## lint, format, types, import floors, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/house

bench: $(VENV)/.dev ## measure everything beside the peers: about two hours
	scripts/install-servers
	$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.dev ## every benchmark once and small, with counts asserted
	scripts/install-servers
	$(BIN)/python -m benchmarks --quick

bench-report: $(VENV)/.dev ## write benchmarks/RESULTS.md and its plots from the results
	$(BIN)/python -m benchmarks.program.report

lock: $(VENV)/.dev ## pin the newest versions that the ranges in pyproject.toml allow
	$(LOCK) --upgrade --all-build-deps -o requirements/runtime.txt pyproject.toml
	$(LOCK) --upgrade --all-build-deps --extra dev -c requirements/runtime.txt -o requirements/dev.txt pyproject.toml
	printf '%s==1.5.5\n' duckdb duckdb-extension-tpch duckdb-extension-tpcds | \
		$(LOCK) --upgrade -o requirements/duckdb-previous.txt -

clean: ## remove the virtual environments and what building and testing left behind
	rm -rf $(VENV) .venv-* .osiris out dist .*_cache .hypothesis

$(BIN)/python:
	scripts/make-venv $(PYTHON) $(VENV)

$(VENV)/.%: requirements/%.txt pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r $<
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

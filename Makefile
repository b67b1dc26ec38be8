# make run    a server on http://127.0.0.1:8080, ready to talk
# make test   linters, types and tests
# make wheel  dist/vivavoce-….whl, to install elsewhere
# Needs Python 3.11 or newer (with its venv module) and nothing else; the console is built with the Node of the system, or one
# from a package.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-http test-real test-slow test-others chromium check-python lock wheel clean

run: $(VENV)/.console
	$(BIN)/vivavoce serve

# Three processes at a time: most tests use one core, or wait. What the other two have to say comes when they have ended.
test: $(VENV)/.test $(VENV)/.console chromium
	$(BIN)/vivavoce models pull
	@$(MAKE) --no-print-directory --jobs=3 test-others test-http test-real

test-others: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python console/build.py check
	$(BIN)/pytest $(SLOWEST) -m "not real" $(HTTP_TESTS:%=--ignore=%)

HTTP_TESTS := tests/http tests/siege

# What takes longest is told, so that the whole stays short.
SLOWEST := --durations=15

define beside
	@echo '$(BIN)/pytest $(1)'; $(BIN)/pytest $(SLOWEST) $(1) > $(VENV)/$@.log 2>&1; ended=$$?; cat $(VENV)/$@.log; exit $$ended
endef

test-http: $(VENV)/.test
	$(call beside,-m "not real" $(HTTP_TESTS))

test-real: $(VENV)/.test
	$(call beside,-m "real and not slow")

# More of what the others show, for which `make test` has no time.
test-slow: $(VENV)/.test
	$(BIN)/vivavoce models pull
	$(BIN)/pytest -m slow

$(VENV)/.run: requirements.lock pyproject.toml | check-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python console/build.py has-node || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# The installation above has built the console; it is built again when its sources have changed.
$(VENV)/.console: $(VENV)/.run $(shell find console -name node_modules -prune -o -type f -print)
	$(BIN)/python console/build.py
	touch $@

# The console is tested in a browser. Where there is none and none can be installed, its tests say so and are left out.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy chromium; } || \
	  echo "NO BROWSER: the tests of the console are left out (Debian: apt install chromium)"

$(VENV)/.test: requirements-dev.lock $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Vivavoce needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "This Python lacks its venv module. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }

# Versions and hashes only; where packages come from is the user's setting.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --extra all --group build --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group node --output-file requirements-node.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --extra all --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock

wheel: $(VENV)/.run
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf console/node_modules src/vivavoce/http/console_files dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

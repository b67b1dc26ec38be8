# make run    a server on http://127.0.0.1:8080, ready to talk
# make test   linters, types and all tests
# Needs Python 3.11 or newer (with its venv module) and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-http test-real test-others check-python lock clean

run: $(VENV)/.run
	$(BIN)/vivavoce serve

# Three processes at a time: most tests use one core, or wait. What the other two have to say comes when they have ended.
test: $(VENV)/.test
	$(BIN)/vivavoce models pull
	@$(MAKE) --no-print-directory --jobs=3 test-others test-http test-real

test-others: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not real" $(HTTP_TESTS:%=--ignore=%)

HTTP_TESTS := tests/http tests/siege

define beside
	@echo '$(BIN)/pytest $(1)'; $(BIN)/pytest $(1) > $(VENV)/$@.log 2>&1; ended=$$?; cat $(VENV)/$@.log; exit $$ended
endef

test-http: $(VENV)/.test
	$(call beside,-m "not real" $(HTTP_TESTS))

test-real: $(VENV)/.test
	$(call beside,-m real)

$(VENV)/.run: requirements.lock pyproject.toml | check-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

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
	  pyproject.toml --group build --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The two commands of the README are `make serve` and `make test`; `make check` is what has to pass before a change lands.
# Each makes .venv and installs what it needs when that is missing or out of date.

PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$each; break; }; done)
ARGS ?=
# Tests start many processes: where bytecode may not be kept, most of their time would be compiling.
unexport PYTHONDONTWRITEBYTECODE
IN_VENV := .venv/bin

.PHONY: serve test check check-all lint types bench bench-clients soak fuzz test-clients lock help

help:
	@echo 'make serve   the emulator on localhost:8085 (ARGS="--port 8086" for more)'
	@echo 'make test    the tests (ARGS="tests/broker -k lease" for some)'
	@echo 'make check   lint, types and tests: what has to pass before a change lands'
	@echo 'make check-all, make bench, make bench-clients, make soak, make fuzz, make test-clients, make lock: see CONTRIBUTING.md'

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo 'Publican needs Python 3.11 or newer: no python3 of that version was found on the PATH.' >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.serve: pyproject.toml | .venv/bin/python
	$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.test: pyproject.toml requirements/test.txt | .venv/bin/python
	$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check -r requirements/test.txt
	$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@ .venv/.serve

serve: .venv/.serve
	@exec $(IN_VENV)/publican serve $(ARGS)

test: .venv/.test
	$(IN_VENV)/python -m pytest $(ARGS)

lint: .venv/.test
	$(IN_VENV)/ruff check .
	$(IN_VENV)/ruff format --check .

types: .venv/.test
	$(IN_VENV)/mypy

check: lint types test test-clients

check-all: check
	$(IN_VENV)/python -m pytest -m slow
	$(IN_VENV)/python scripts/mutations.py
	$(MAKE) fuzz
	$(IN_VENV)/python -m venv .venv/newest && .venv/newest/bin/python -m pip install --quiet --upgrade google-cloud-pubsub \
		grpcio-reflection grpcio-health-checking
	.venv/newest/bin/python scripts/rebuild_protocol.py --check

bench: .venv/.test
	$(IN_VENV)/python -m benchmarks $(ARGS)

# Ten minutes (ARGS="--seconds 60" for one).
soak: .venv/.test
	$(IN_VENV)/python -m benchmarks.soak $(ARGS)

# Clients side by side, by the CPU that they take (ARGS="--turns 9").
bench-clients: .venv/.test
	$(IN_VENV)/python -m benchmarks.clients $(ARGS)

# Half a minute for each target (ARGS="--seconds 600 rest" for more of one).
fuzz: .venv/.test
	$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check atheris
	$(IN_VENV)/python -m fuzz $(ARGS)

# Go, Java and Node clients, and h2spec: each is skipped, aloud, where its toolchain is missing.
test-clients: .venv/.test
	$(IN_VENV)/python -m pytest tests/strangers/test_languages.py tests/transport/test_h2spec.py -m clients -n0 -rs

# Pins are made in an empty environment, so that nothing slips in from a developer's.
lock: .venv/bin/python
	rm -rf .venv/lock && $(IN_VENV)/python -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/test.in
	{ echo '# Made by `make lock` from test.in; do not edit.'; .venv/lock/bin/python -m pip freeze; } > requirements/test.txt

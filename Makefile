# Needs Debian or Ubuntu with python3 (3.11 or newer) and make; everything else comes with `make install`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Where Python may not keep what it has compiled, each process of the tests compiles its modules anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Put everything that is needed into .venv; RabbitMQ comes from the operating system

# Packages come with their hashes from the lock, from the index that pip is configured to use.
$(INSTALLED): requirements/dev.lock pyproject.toml | packages
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv"
	@$(PIP) install --require-hashes --requirement requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Becomes root only when something is missing. The broker that the package starts, if any, is not used; where
# FISCAL_RABBITMQ_URL names one, none is installed.
.PHONY: packages
packages:
	@missing=""; \
	test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="python3-venv"; \
	test "$(MAKECMDGOALS)" = demo || command -v pipx >/dev/null || missing="$$missing pipx"; \
	test "$(MAKECMDGOALS)" = demo || command -v go >/dev/null || missing="$$missing golang-go"; \
	test "$(MAKECMDGOALS)" = demo || test -d /usr/share/gocode/src/github.com/rabbitmq/amqp091-go || missing="$$missing golang-github-rabbitmq-amqp091-go-dev"; \
	test "$(MAKECMDGOALS)" = demo || command -v npm >/dev/null || missing="$$missing npm"; \
	test "$(MAKECMDGOALS)" = demo || command -v promtool >/dev/null || missing="$$missing prometheus"; \
	test "$(MAKECMDGOALS)" = demo || ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$$missing faketime"; \
	test -x /usr/lib/rabbitmq/bin/rabbitmq-server || test -n "$${FISCAL_RABBITMQ_URL:-}" || missing="$$missing rabbitmq-server"; \
	test "$(MAKECMDGOALS)" = demo || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	test "$(MAKECMDGOALS)" = demo || ! grep -qx ID=debian /etc/os-release || command -v chromedriver >/dev/null || missing="$$missing chromium chromium-driver"; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then root="env"; \
	elif sudo -n true 2>/dev/null; then root="sudo -n env"; \
	else root=""; fi; \
	if [ -z "$$root" ] || ! command -v apt-get >/dev/null; then \
		echo "Missing: $$missing. Have them installed: sudo apt-get install $$missing" >&2; exit 1; \
	fi; \
	echo "Installing from the operating system: $$missing"; \
	apt="$$root DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes"; \
	$$apt update </dev/null >/dev/null || true; \
	$$apt install --no-install-recommends $$missing </dev/null >/dev/null

.PHONY: demo
demo: $(INSTALLED) ## Broker, Checkbox sandbox, worker and journal on this machine: what comes of each example
	@$(BIN)/fiscal-worker demo

# Packages of npm that tests need.
NODE_PACKAGES := $(patsubst %,tests/%/node_modules/.package-lock.json,docs/asyncapi console/axe)
$(NODE_PACKAGES): %/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && npm ci --no-progress --loglevel=error || echo "npm does not reach its registry: tests that need $* are skipped" >&2

.PHONY: test
test: $(INSTALLED) $(NODE_PACKAGES) ## Run the tests
	@$(BIN)/pytest -n 5 --dist worksteal

.PHONY: check
check: $(INSTALLED) ## Check format, style, types, layers and structure of the code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest --quiet tests/test_structure.py tests/test_public_parts.py

.PHONY: format
format: $(INSTALLED) ## Format the code and repair what can be repaired
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(INSTALLED) ## Resolve the dependencies anew into requirements/dev.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --upgrade \
		--generate-hashes --no-emit-index-url --python-version 3.11 \
		--extra sandbox --extra console --extra journal --extra otel --group dev pyproject.toml --output-file requirements/dev.lock

.PHONY: texts
texts: $(INSTALLED) ## Extract the texts into the catalogues of the languages, compile them, and write the documents
	@$(BIN)/python -m docs.build.texts
	@$(BIN)/python -m docs.build

.PHONY: docs
docs: $(INSTALLED) tests/docs/asyncapi/node_modules/.package-lock.json ## Write the documents that are made from the code: tables, schemas, runbooks, the AsyncAPI page
	@$(BIN)/python -m docs.build
	@node tests/docs/asyncapi/page.mjs docs/asyncapi.json docs/asyncapi.md

.PHONY: clean
clean: ## Remove .venv and all caches
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

ORDERS ?= 2000
SEED ?= 1
SEEDS ?= 1

.PHONY: chaos
chaos: $(INSTALLED) ## Kill, cut and garble while ORDERS=2000 are fiscalized, then reconcile; SEED=1 SEEDS=1
	@$(BIN)/python -m tests.chaos --orders $(ORDERS) --seed $(SEED) --seeds $(SEEDS)

# What the image is built from, and what checks it: at the versions of requirements/dev.lock where they are in it.
LOCKS := build worker sandbox journal console audit ship
WANTED_build := --group build
WANTED_worker := --extra otel pyproject.toml
WANTED_sandbox := --extra otel --extra sandbox pyproject.toml
WANTED_journal := --extra otel --extra journal pyproject.toml
WANTED_console := --extra otel --extra journal --extra console pyproject.toml
WANTED_audit := --group audit
WANTED_ship := --group ship
CONSTRAINED := --constraint requirements/dev.lock

.PHONY: lock-ship
lock-ship: $(LOCKS:%=lock-ship-%) ## Derive the locks of the image, and of its checks, from requirements/dev.lock

.PHONY: $(LOCKS:%=lock-ship-%)
$(LOCKS:%=lock-ship-%): lock-ship-%: $(INSTALLED)
	@UV_CUSTOM_COMPILE_COMMAND="make lock-ship" $(BIN)/uv pip compile --quiet --universal \
		--generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		$(if $(filter audit ship,$*),,$(CONSTRAINED)) $(WANTED_$*) --output-file requirements/$*.lock

.PHONY: ship-check
ship-check: $(INSTALLED) ## Build the image, run it, and check the manifests: needs root, Debian and time
	@tests/deploy/ship/check manifests image

.PHONY: audit
audit: $(INSTALLED) ## Bill of materials into build/, and known weaknesses of what the image holds
	@tests/deploy/ship/audit

.PHONY: release
release: $(INSTALLED) ## Wheel, source archive, changelog section and bill of materials of this version, into dist/
	@$(BIN)/python -m docs.build.release
	@tests/deploy/ship/bill dist/fiscal_worker.cdx.json
	@echo "The images, with their labels:"
	@for image in worker worker-journal worker-console; do \
		echo "  docker build --target $${image#worker-} --build-arg VERSION=$$($(BIN)/fiscal-worker --version)" \
		"--build-arg REVISION=$$(git rev-parse HEAD)" \
		"--build-arg CREATED=$$(git show --no-patch --format=%cI HEAD) --tag fiscal-$$image ."; \
	done

.PHONY: dashboards
dashboards: $(INSTALLED) ## Build the dashboards, and take pictures of them over a real run (Node and Chromium)
	@$(BIN)/python k8s/dashboards/build.py
	@cd k8s/dashboards/preview && npm ci --no-progress --loglevel=error && npx vite build --logLevel warn
	@$(BIN)/python k8s/dashboards/preview/run.py docs/pictures

# The peers that are measured beside the worker are no part of .venv.
BENCH := build/bench-packages/.installed
$(BENCH): requirements/bench.lock $(INSTALLED)
	@rm -rf $(@D)
	@$(PIP) install --require-hashes --requirement requirements/bench.lock --target $(@D)
	@touch $@

# The peers run the worker's own packages: what both need is what the worker has.
.PHONY: lock-bench
lock-bench: $(INSTALLED) ## Resolve what only `make bench` needs into requirements/bench.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock-bench" $(BIN)/uv pip compile --quiet \
		--generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--constraint <(sed -n 's/^\([a-z].*\) \\$$/\1/p' requirements/worker.lock) \
		--group bench --output-file requirements/bench.lock

.PHONY: bench
bench: $(BENCH) ## Measure the worker beside what it stands on, and beside peers: some 25 minutes; BENCH_ARGS=--help
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

.PHONY: bench-check
bench-check: $(INSTALLED) ## Compare the last `make bench` with the recorded ratios; fails on a loss over 20 %
	@$(BIN)/python -m tests.bench.ratios

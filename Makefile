# `make demo` and `make test` do all of their own set-up. `make help` lists the rest.
SHELL := bash
.DEFAULT_GOAL := help
BIN := .venv/bin
MEMBERS := libs/common libs/cli services/ingest services/mapper services/ledger-writer services/api sandbox

.PHONY: help setup demo up down status test test-nightly golden released mutation bench bench-rules bench-quickbooks same-books check fmt lint types docs topology migrations-check lock lock-client lock-images clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r t d; do printf '  %-18s %s\n' "$$t" "$$d"; done

setup: ## make .venv and install everything into it (does nothing when nothing changed)
	@bash scripts/setup.sh

demo: setup ## two shops, two ledgers, hundreds of webhooks, and a proof to the cent; ARGS="--orders 300 --replicas 2 --kill mapper rabbitmq"
	@$(BIN)/python -m sandbox.demo $(ARGS)

up: setup ## start the product and keep it running; prints the addresses and an API key
	@$(BIN)/python -m sandbox.stack up

down: setup ## stop what `make up` started; data stays
	@$(BIN)/python -m sandbox.stack down

status: setup ## say what runs
	@$(BIN)/python -m sandbox.stack status

test: setup ## run all tests on private Postgres and RabbitMQ; ARGS=... goes to pytest
	@$(BIN)/pytest $(ARGS)

test-nightly: setup ## every property with 10,000 examples, fewer where each is dear (about half an hour); writes build/reports/test-nightly.json
	@$(BIN)/python -m pytest -q -m hypothesis -p tests.nightly --hypothesis-profile=nightly tests/unit $(ARGS)

golden: setup ## write the golden files again; read the diff before you commit it
	@TILLBOOK_GOLDEN=write $(BIN)/pytest -q tests/golden $(ARGS)

released: setup ## keep a message of every contract of the release that is being made, for the next ones to read
	@$(BIN)/python -m tests.contract.released.keep

mutation: setup ## change the pure core in thousands of small ways, see the tests fail; ARGS="--sample 400 --seed 1"
	@PYTHONPATH=scripts $(BIN)/python -m mutation $(ARGS)

bench: setup ## throughput against the floor, medians of alternating runs; writes build/reports/bench.json
	@$(BIN)/python -m bench $(ARGS)

bench-rules: setup ## 5,000 rules on one order; writes build/reports/bench-rules.json
	@$(BIN)/python -m bench.rules $(ARGS)

bench-quickbooks: setup ## a QuickBooks backfill against the vendor's limits, times 20; writes build/reports/bench-quickbooks.json
	@$(BIN)/python -m bench.quickbooks $(ARGS)

same-books: setup ## the same orders through Beancount and QuickBooks in every mode; writes build/reports/same-books.json
	@TILLBOOK_SHOW=same-books $(BIN)/pytest -q -s tests/e2e/test_same_books.py $(ARGS)

check: lint types test ## everything CI runs

lint: setup ## style, import rules, house rules, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@PYTHONPATH=scripts $(BIN)/python -m lint
	@$(BIN)/python scripts/generate_docs.py --check

types: setup ## mypy --strict of everything, tests and benchmarks too
	@$(BIN)/mypy

fmt: setup ## format, and fix what can be fixed
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

docs: setup ## write the generated documents again: contracts, AsyncAPI, topology, settings
	@$(BIN)/python scripts/generate_docs.py

topology: docs ## show every exchange, queue and binding
	@cat docs/topology.md

migrations-check: setup ## hold every service's migrations against its declared tables
	@$(BIN)/pytest tests/integration/infrastructure/test_migrations.py $(ARGS)

lock: setup ## compile requirements.txt again from the members' dependencies
	@.tools/bin/uv pip compile pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS)) --group dev \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-package common \
		--quiet --output-file requirements.txt > /dev/null

lock-client: setup ## compile the requirements of the client generator again: tests/contract/client/requirements.txt
	@.tools/bin/uv pip compile tests/contract/client/requirements.in \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links \
		--quiet --output-file tests/contract/client/requirements.txt > /dev/null

lock-images: setup ## compile the images' requirements again, with requirements.txt as constraint
	@for s in ingest mapper ledger-writer api; do \
		.tools/bin/uv pip compile libs/common/pyproject.toml services/$$s/pyproject.toml \
			--universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
			--no-emit-find-links --no-emit-package common --constraint requirements.txt --quiet \
			--output-file deploy/docker/requirements/$$s.txt > /dev/null; done

clean: ## remove the virtual environment, caches and reports (not .state)
	@rm -rf .venv .tools build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

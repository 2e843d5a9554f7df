# The commands; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3.11
VENV := .venv
RUN := PYTHONPATH=$(CURDIR) $(VENV)/bin/python
DATE ?=
FEEDS ?=
PORT ?= 8080

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.installed ## install what is needed into .venv, once

$(VENV)/.installed: requirements.txt tests/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the pinned packages into $(VENV) (about 1.7 GB, once) ..."
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install --quiet --no-deps --python $(VENV)/bin/python --require-hashes -r requirements.txt -r tests/requirements.txt; \
	else \
		$(PYTHON) -m venv $(VENV) && $(VENV)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.txt -r tests/requirements.txt; \
	fi
	@touch $@

run: setup ## one day from feeds to mail: make run [DATE=2026-01-15] [FEEDS=list]
	@$(RUN) -m include.local.standalone run --date "$(DATE)" $(if $(FEEDS),--feeds "$(FEEDS)")

up: setup ## Airflow with its UI on port 8080, until stopped
	@$(RUN) -m include.local.standalone up --port $(PORT) $(if $(FEEDS),--feeds "$(FEEDS)")

down: setup ## stop what `make up` started
	@$(RUN) -m include.local.standalone down

backfill: setup ## a range of days, no mail: make backfill FROM=2026-01-13 TO=2026-01-15
	@$(RUN) -m include.local.standalone backfill --from "$(FROM)" --to "$(TO)" $(if $(FEEDS),--feeds "$(FEEDS)")

backup: setup ## warehouse, state and settings into PODCAST_BACKUP_DIR (data/backups), now
	@$(RUN) -m include.upkeep backup

restore: setup ## back to a backup, sending nothing again: make restore FROM=data/backups/2026-01-15T04-40-00Z (or latest)
	@$(RUN) -m include.upkeep restore "$(FROM)"

forget: setup ## every trace at its owner's request: make forget EPISODE=… (or SHOW=… or FEED=…) [DRY=yes]
	@$(RUN) -m include.upkeep forget $(if $(EPISODE),--episode "$(EPISODE)") $(if $(SHOW),--show "$(SHOW)") \
		$(if $(FEED),--feed "$(FEED)") $(if $(DRY),--dry-run)

# A file's tests stay together, since they share what they built; the files that wait for Airflow begin first.
test: setup ## every test
	@$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: setup ## style, types, SQL, the order of the rooms
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo --no-cache
	@$(VENV)/bin/sqlfluff lint --processes 1 dbt
	@for room in sources digest pages pipeline; do \
	  (cd include/$$room/sql && ../../../$(VENV)/bin/sqlfluff lint --processes 1 --config ../../../.sqlfluff .) || exit 1; \
	done

evals: setup ## the quality figures
	@$(RUN) -m tests.evals.run
	@$(RUN) -m tests.evals.themes
	@$(RUN) -m tests.evals.pairs
	@$(RUN) -m tests.evals.speech

parquet: setup ## the analysts' copy as Parquet, a file a table and day: make parquet OUT=DIR [FROM=… TO=…]
	@$(RUN) -m include.local.parquet_files "$(OUT)" $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)")

claims: setup ## claims of episode files, without Airflow: make claims IN=DIR OUT=FILE
	@$(RUN) -m include.local.claim_files "$(IN)" "$(OUT)"

themes: setup ## themes of claims, without Airflow: make themes IN=FILE OUT=FILE
	@$(RUN) -m include.local.theme_files "$(IN)" "$(OUT)"

bench: setup ## the benchmarks
	@$(RUN) -m tests.benchmarks.run

requirements: ## pin requirements.in and tests/requirements.in, with hashes
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		requirements.in -o requirements.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--constraint requirements.txt tests/requirements.in -o tests/requirements.txt

.PHONY: help setup run up down backfill backup restore forget test lint parquet evals claims themes bench requirements

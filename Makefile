# Counterfoil. `make` alone lists what can be done. Needs only git, make and Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
.PHONY: help setup demo test check run journeys faults sabotage fuzz bench bench-upload bench-numbers lock wheel clean

help: ## list what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## fill .venv with everything to develop and test, and make the front-end files
	@$(PYTHON) tools/setup.py test

demo: ## watch one case go from report to court (ARGS="--once --out DIR …"), or STORY=catch-us
	@$(PYTHON) tools/setup.py demo
	@exec $(BIN)/counterfoil demo $(if $(STORY),--story $(STORY)) $(ARGS)

run: ## serve an installation of your own (its folder: COUNTERFOIL_HOME)
	@$(PYTHON) tools/setup.py demo
	@exec $(BIN)/counterfoil serve $(ARGS)

test: setup ## the checks, then the suite on SQLite and on PostgreSQL
	@exec $(BIN)/python tools/suite.py all

check: setup ## style, types, import contracts, migrations
	@exec $(BIN)/python tools/suite.py check

journeys: setup ## the browser journeys alone
	@exec $(BIN)/python tools/suite.py journeys $(ARGS)

faults: setup ## every kill, disk error, power cut, flip and sabotage (ARGS="--resume --seed N -k …"; long)
	@exec $(BIN)/python tools/suite.py faults $(ARGS)

sabotage: setup ## break the product on purpose; every gate must notice (ARGS="NAME …")
	@exec $(BIN)/python tools/suite.py sabotage $(ARGS)

fuzz: setup ## the property tests with many more examples (long)
	@exec $(BIN)/python tools/suite.py fuzz $(ARGS)

bench: setup ## measurements beside their peers, as ratios
	@exec $(BIN)/python -m bench $(ARGS)

bench-upload: setup ## resumable upload beside npm @tus/server: 1 GiB by tuspy and curl
	@exec $(BIN)/python -m bench.upload $(ARGS)

bench-numbers: setup ## every line the numbers must meet: linkage, hotspots, courts, import … (ARGS="TOPIC …")
	@exec $(BIN)/python -m bench.numbers $(ARGS)

lock: setup ## write requirements/*.txt again from the *.in files
	@exec $(BIN)/python tools/lock.py $(ARGS)

wheel: setup ## build the wheel, pages included, into dist/
	@exec $(BIN)/python -m build --wheel --outdir dist

clean: ## remove what was made here, .venv and node_modules too
	@rm -rf .venv node_modules build dist src/counterfoil/faces/kit/static/kit/vendor src/counterfoil/engines/redaction/models \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info

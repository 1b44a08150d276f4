# Every target sets up what it needs: each works alone on a fresh clone.

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/.ready
PYAIRBYTE := .venv-pyairbyte/.ready
# Other people's clients, each in an environment of its own.
AIRBYTE := .venv-airbyte/.ready
TAP := .venv-tap/.ready
CLIENTS := .venv-clients/.ready
HEADLESS := .venv-headless/.ready
SERVERLESS := .venv-serverless/.ready
DBT := .venv-dbt/.ready
METADATA := .venv-metadata/.ready
# What checks workflows and licences, and writes the changelog.
RELEASE := .venv-release/.ready
# The config of a real project for the demo, instead of the local Mixpanel.
CONFIG ?=
# A directory for the demo's DuckDB file and page, instead of build/demo.
KEEP ?=
# What make duckdb fills, and with which streams.
DATABASE ?= warehouse.duckdb
STREAMS ?= export event_counts
PORT ?= 8080
IMAGE ?= source-mixpanel:dev
SEED ?= 7
# Rate limits of make emulator: on or off.
QUOTA ?= on
# What make soak runs, and how much: faults for so many streams each (1000: all), kills, examples.
FAULTS ?= 1000
KILLS ?= 25
EXAMPLES ?= 100
SOAKED := unit_tests/test_fault_matrix.py unit_tests/test_kills.py \
  unit_tests/events/test_export_histories.py unit_tests/events/test_export_zones.py \
  unit_tests/hostile/test_values.py unit_tests/hostile/test_names.py \
  unit_tests/hostile/test_bad_files.py
# How many syncs make day plays.
SYNCS ?= 96
# Seconds that each target is fuzzed.
FUZZ_SECONDS ?= 60
# The Pythons of make test-pythons.
PYTHONS ?= 3.10 3.12
# pyenv's interpreters, which uv does not look for.
WITH_PYTHONS := PATH="$$(printf '%s:' "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/*/bin)$$PATH"
# Which mutants are tried, by a pattern of their names; all unless it is set.
MUTANTS ?=
# Anything: measure small sizes.
QUICK ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.PHONY: demo
demo: $(READY) $(PYAIRBYTE) ## Move a Mixpanel project into DuckDB, twice, compare the two, and make a page of it
	$(BIN)/python examples/demo.py $(if $(CONFIG),--config $(CONFIG)) $(if $(KEEP),--keep $(KEEP))

.PHONY: duckdb
duckdb: $(READY) $(PYAIRBYTE) ## Move your project into a DuckDB file, and later what is new (CONFIG= DATABASE= STREAMS=)
	.venv-pyairbyte/bin/python examples/to_duckdb.py $(CONFIG) $(DATABASE) $(STREAMS)

.PHONY: test
test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -q -n 4 --dist worksteal

.PHONY: test-base
test-base: $(READY) ## Run the tests in the image's base, on the Python that it ships
	scripts/with_docker.sh scripts/test_on_base.sh -n 2 --dist worksteal

test-3.%: .venv-3.%/.ready ## Run the tests on another Python (make test-3.12)
	.venv-3.$*/bin/python -m pytest -q -n 2 --dist worksteal

.PHONY: test-pythons
test-pythons: $(READY) ## Run the tests on the other Pythons, as far as they can be had
	for version in $(PYTHONS); do \
	  if $(WITH_PYTHONS) $(BIN)/uv python find -q $$version >/dev/null 2>&1 || \
	      $(BIN)/uv python install -q $$version 2>/dev/null; then \
	    $(MAKE) test-$$version || exit 1; \
	  else echo "Python $$version cannot be had here: no test ran on it."; fi; done

.PHONY: newest-cdk
newest-cdk: $(READY) ## Run the tests of the protocol with the newest airbyte-cdk of the index
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-newest-cdk
	$(BIN)/uv pip sync --quiet --python .venv-newest-cdk/bin/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python .venv-newest-cdk/bin/python --upgrade "airbyte-cdk[dev]"
	$(BIN)/uv pip install --quiet --python .venv-newest-cdk/bin/python --no-deps --no-build-isolation \
	  --editable .
	$(BIN)/uv pip show --python .venv-newest-cdk/bin/python airbyte-cdk 2>/dev/null | head -2
	.venv-newest-cdk/bin/python -m pytest -q -n 2 unit_tests/test_protocol.py unit_tests/test_conformance.py
	.venv-newest-cdk/bin/python -m pytest -q -m "not image_tests and not clients and not dist" \
	  integration_tests/test_acceptance.py integration_tests/test_airbyte_standards.py

.PHONY: coverage
coverage: $(READY) ## Run the tests and measure which lines and branches of the connector they reach
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -q -n 2 --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

.PHONY: mutants
mutants: $(READY) ## See whether tests notice small changes of what decides (MUTANTS="source_mixpanel.columns.*")
	scripts/mutants.sh $(if $(MUTANTS),"$(MUTANTS)")

.PHONY: soak
soak: $(READY) ## Play every fault, kill syncs hundreds of times, and compare what comes out
	SOAK_FAULTS=$(FAULTS) SOAK_KILLS=$(KILLS) SOAK_EXAMPLES=$(EXAMPLES) SOAK_FIGURES=1 \
	  $(BIN)/python -m pytest -q -n 2 $(SOAKED)

.PHONY: day
day: $(READY) ## Play a day of syncs every quarter of an hour, in virtual time (SYNCS=96)
	DAY_SYNCS=$(SYNCS) $(BIN)/python -m pytest -q integration_tests/test_day.py

.PHONY: fuzz
fuzz: .venv-fuzz/.ready ## Fuzz what reads other people's bytes, guided by coverage (FUZZ_SECONDS=60 each)
	for target in decode wholeness where; do \
	  .venv-fuzz/bin/python -m fuzz $$target --seconds $(FUZZ_SECONDS) || exit 1; done

.PHONY: check
check: lint types imports test acceptance validate-metadata test-image ## All that CI runs

.PHONY: acceptance
acceptance: $(READY) ## Run Airbyte's standard tests, and ours, warehouses among them
	scripts/have_postgres.sh
	$(BIN)/python -m pytest -q -m "not image_tests and not clients and not dist" integration_tests

.PHONY: acceptance-files
acceptance-files: $(READY) ## Write the acceptance suites' catalogs and expected records anew
	$(BIN)/python scripts/acceptance_files.py

.PHONY: local-mixpanel
local-mixpanel: $(READY) ## Serve the world of the acceptance files, for suites run from outside
	$(BIN)/python integration_tests/local_mixpanel.py

.PHONY: validate-metadata
validate-metadata: $(METADATA) ## Validate metadata.yaml with the registry's model
	.venv-metadata/bin/python scripts/validate_metadata.py

.PHONY: lint
lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: $(READY)
	$(BIN)/mypy

.PHONY: imports
imports: $(READY)
	$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: emulator
emulator: $(READY) ## Serve the local Mixpanel (PORT=8080 SEED=7 QUOTA=on)
	$(BIN)/python -m mixpanel_emulator --port $(PORT) --seed $(SEED) --quota $(QUOTA)

.PHONY: bench
bench: $(READY) $(AIRBYTE) $(HEADLESS) ## Measure a record's cost and a sync's time, beside others (QUICK=1: small)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

.PHONY: peers
peers: $(READY) $(AIRBYTE) $(TAP) $(CLIENTS) $(HEADLESS) ## Try other people's clients on the local Mixpanel
	$(BIN)/python -m peers

.PHONY: workflows
workflows: $(RELEASE) ## Check the workflows of public CI
	.venv-release/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv-release/bin/zizmor --offline --quiet .github/workflows

.PHONY: audit
audit: $(RELEASE) ## Look for known holes in what is installed; fails where the advisories cannot be had, too
	.venv-release/bin/pip-audit --strict --disable-pip --requirement requirements/runtime.txt

.PHONY: fragment
fragment: $(RELEASE) ## Fail unless this branch tells users what it changes (changes/README.md)
	.venv-release/bin/towncrier check

.PHONY: release
release: $(READY) $(RELEASE) ## Make a version, and tag it (VERSION=5.1.0)
	scripts/release.sh $(VERSION)

.PHONY: notes
notes: ## Print what the changelog says of a version (TAG=v5.1.0)
	@scripts/notes.sh $(TAG)

.PHONY: image
image: $(RELEASE) ## Build the image, and list what is in it
	scripts/with_docker.sh scripts/image.sh $(IMAGE)

.PHONY: test-image
test-image: $(READY) $(RELEASE) ## Build the image and run it as the platform does
	IMAGE=$(IMAGE) scripts/with_docker.sh sh -c 'scripts/image.sh $(IMAGE) && \
	  $(BIN)/python -m pytest -q -m image_tests integration_tests/test_image.py && \
	  PATH=$(CURDIR)/scripts/host_network:$$PATH $(BIN)/python -m pytest -q -m image_tests \
	    -k "not backward" --connector-image=$(IMAGE) --read-from-streams=all \
	    integration_tests/test_airbyte_standards.py'

.PHONY: form
form: $(READY) ## Draw the settings' form into docs/spec-form.png
	scripts/form.sh $(BIN)/python docs/spec-form.png

.PHONY: picture
picture: $(READY) $(PYAIRBYTE) ## Draw the demo, what it prints and its page, into docs/demo.png
	mkdir -p build/demo
	$(BIN)/python examples/demo.py >build/demo/said.txt
	$(BIN)/python scripts/picture.py build/demo/said.txt build/demo/report.html docs/demo.png

.PHONY: simulate
simulate: $(READY) ## Show how long whole syncs take under Mixpanel's limits
	$(BIN)/python -m benchmarks.simulate

.PHONY: dist
dist: $(READY) $(RELEASE) ## Build wheel and sdist reproducibly, try the wheel, and list what it needs
	scripts/dist.sh

.PHONY: test-clients
test-clients: $(READY) $(PYAIRBYTE) $(SERVERLESS) $(DBT) ## Run PyAirbyte, airbyte-serverless and dbt
	scripts/have_postgres.sh
	$(BIN)/python -m pytest -q -m clients integration_tests

.PHONY: lock
lock: $(READY) ## Resolve the dependencies anew
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --group dev --universal --python-version 3.10 \
	  --generate-hashes -o requirements/dev.txt
	$(BIN)/uv pip compile -q --upgrade requirements/pyairbyte.in --universal --python-version 3.10 \
	  --generate-hashes -o requirements/pyairbyte.txt
	$(BIN)/uv pip compile -q --constraint requirements/dev.txt pyproject.toml --universal \
	  --python-version 3.10 --generate-hashes -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --constraint requirements/dev.txt mixpanel_emulator/pyproject.toml \
	  --universal --python-version 3.10 --generate-hashes -o requirements/emulator.txt
	$(BIN)/uv pip compile -q --constraint requirements/dev.txt requirements/fuzz.in pyproject.toml \
	  --python-version 3.11 --generate-hashes -o requirements/fuzz.txt
	$(BIN)/uv pip compile -q --upgrade requirements/build.in --universal --python-version 3.10 \
	  --generate-hashes -o requirements/build.txt
	$(BIN)/uv pip compile -q --upgrade requirements/metadata.in --universal --python-version 3.10 \
	  --generate-hashes -o requirements/metadata.txt
	$(BIN)/uv pip compile -q --upgrade requirements/release.in --universal --python-version 3.11 \
	  --generate-hashes -o requirements/release.txt

$(READY): requirements/dev.txt pyproject.toml
	@echo "Setting up $(@D), the connector and what its tests need: about half a minute, once." >&2
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# PyAirbyte pins its own versions, so it has an environment of its own.
$(PYAIRBYTE): requirements/pyairbyte.txt $(READY)
	@echo "Setting up $(@D), PyAirbyte, which lands records in DuckDB: about half a minute, once." >&2
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-pyairbyte
	$(BIN)/uv pip sync --quiet --python .venv-pyairbyte/bin/python requirements/pyairbyte.txt
	@touch $@

# The registry's model, with what it needs.
$(METADATA): requirements/metadata.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-metadata
	$(BIN)/uv pip sync --quiet --python .venv-metadata/bin/python requirements/metadata.txt
	@touch $@

# Another Python, with the dependencies of the first.
.venv-3.%/.ready: requirements/dev.txt pyproject.toml $(READY)
	$(WITH_PYTHONS) $(BIN)/uv venv --quiet --clear --python 3.$* .venv-3.$*
	$(BIN)/uv pip sync --quiet --python .venv-3.$*/bin/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python .venv-3.$*/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# Airbyte's connector wants Python 3.11.
.venv-%/.ready: requirements/%.txt $(READY)
	$(WITH_PYTHONS) $(BIN)/uv venv --quiet --clear --python 3.11 .venv-$*
	$(BIN)/uv pip sync --quiet --python .venv-$*/bin/python requirements/$*.txt
	@touch $@

# Every target sets up what it needs: each works alone on a fresh clone.

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/.ready
PYAIRBYTE := .venv-pyairbyte/.ready
# The config of a real project for the demo, instead of the local Mixpanel.
CONFIG ?=
# A directory to keep the demo's DuckDB file in.
KEEP ?=
PORT ?= 8080
IMAGE ?= airbyte/source-mixpanel:dev
SEED ?= 7

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.PHONY: demo
demo: $(READY) $(PYAIRBYTE) ## Move a Mixpanel project into DuckDB, twice, and compare the two
	$(BIN)/python examples/demo.py $(if $(CONFIG),--config $(CONFIG)) $(if $(KEEP),--keep $(KEEP))

.PHONY: test
test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

.PHONY: check
check: lint types imports test ## All that CI runs

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
emulator: $(READY) ## Serve the local Mixpanel (PORT=8080 SEED=7)
	$(BIN)/python -m mixpanel_emulator --port $(PORT) --seed $(SEED)

.PHONY: bench
bench: $(READY) ## Measure what a record costs
	$(BIN)/python benchmarks/export.py

.PHONY: image
image: ## Build the image (starts a Docker engine where there is none)
	scripts/with_docker.sh scripts/image.sh $(IMAGE)

.PHONY: test-image
test-image: $(READY) ## Build the image and run it as the platform does
	IMAGE=$(IMAGE) scripts/with_docker.sh sh -c 'scripts/image.sh $(IMAGE) && \
	  $(BIN)/python -m pytest -q -m image_tests integration_tests/test_image.py'

.PHONY: form
form: $(READY) ## Draw the settings' form into docs/spec-form.png
	scripts/form.sh $(BIN)/python docs/spec-form.png

.PHONY: simulate
simulate: $(READY) ## Show how long whole syncs take under Mixpanel's limits
	$(BIN)/python -m benchmarks.simulate

.PHONY: lock
lock: $(READY) ## Resolve the dependencies anew
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --group dev --universal --python-version 3.10 \
	  --generate-hashes -o requirements/dev.txt
	$(BIN)/uv pip compile -q --upgrade requirements/pyairbyte.in --universal --python-version 3.10 \
	  --generate-hashes -o requirements/pyairbyte.txt
	$(BIN)/uv pip compile -q --constraint requirements/dev.txt pyproject.toml --universal \
	  --python-version 3.10 --generate-hashes -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --upgrade requirements/build.in --universal --python-version 3.10 \
	  --generate-hashes -o requirements/build.txt

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# PyAirbyte pins its own versions, so it has an environment of its own.
$(PYAIRBYTE): requirements/pyairbyte.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-pyairbyte
	$(BIN)/uv pip sync --quiet --python .venv-pyairbyte/bin/python requirements/pyairbyte.txt
	@touch $@

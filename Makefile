# `make help` explains every target. Nothing has to be set up first: Python 3.11 or 3.12, git and make suffice.
PYTHON ?= python3
SERVE ?= 1
WORKERS ?= 2
TWIN := .venv/bin/twin
PY := .venv/bin/python
# ALLOW_DIRTY=1 trains on uncommitted code and marks the models.
DIRTY := $(if $(filter 1,$(ALLOW_DIRTY)),--allow-dirty)

.DEFAULT_GOAL := help
.PHONY: help run test check fix bench soak compile images sbom docs observability install install-dev hooks clean

help: ## Explain every target
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## Build both twins end to end, then serve them on http://127.0.0.1:8080 (SERVE=0: do not serve)
	$(TWIN) run end_to_end $(DIRTY) $(if $(filter 1,$(SERVE)),--serve)

test: .venv/.dev ## Run all tests, WORKERS at a time (2; each takes up to 4 GiB)
	$(PY) -m pytest -n $(WORKERS)

check: .venv/.dev ## Lint, types, import contracts, generated files
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) -m tools.generate_docs --check
	$(PY) tools/check_compiled.py
	$(PY) -m tools.observability --check

fix: .venv/.dev ## Format, mend what ruff can, and regenerate what is derived
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	$(MAKE) compile docs observability

bench: .venv/.dev ## Measure, as ratios in one run
	$(PY) -m tests.benchmarks

compile: .venv/.run ## Compile every pipeline to KFP YAML, for a laptop and for manifests/
	$(PY) tools/check_compiled.py --write

images: ## Build and check the images with buildah or docker (IMAGE, REGISTRY, TAG, BASE, PIP_OPTIONS, PIP_CONFIG, PUSH=1)
	@IMAGE='$(IMAGE)' REGISTRY='$(REGISTRY)' TAG='$(TAG)' BASE='$(BASE)' PIP_OPTIONS='$(PIP_OPTIONS)' PIP_CONFIG='$(PIP_CONFIG)' PUSH='$(PUSH)' bash tools/images.sh

sbom: $(if $(IMAGE),,.venv/.run) ## List every Python package with its licence in sbom.cdx.json (CycloneDX); IMAGE=serve: those of an image
	@IMAGE='$(IMAGE)' REGISTRY='$(REGISTRY)' TAG='$(TAG)' PYTHON='$(PYTHON)' bash tools/sbom.sh

soak: .venv/.dev ## Ten times the capacity for a minute: what is admitted stays fast, the rest is told to come back
	$(PY) -m tests.benchmarks.soak

docs: .venv/.run ## Regenerate the reference pages
	$(PY) -m tools.generate_docs

observability: .venv/.dev ## Regenerate Prometheus rules and Grafana dashboards
	$(PY) -m tools.observability

hooks: .venv/.dev ## Run the checks before every commit
	.venv/bin/pre-commit install

install: .venv/.run ## Make .venv with what `make run` needs

install-dev: .venv/.dev ## Make .venv with the test tools as well

clean: ## Remove the state of local runs (models, indexes, warehouse), not .venv
	rm -rf .twinstack

.venv/.run: pyproject.toml constraints.txt tools/install.sh
	PYTHON=$(PYTHON) bash tools/install.sh train,serve
	@touch $@

.venv/.dev: pyproject.toml constraints.txt tools/install.sh
	PYTHON=$(PYTHON) bash tools/install.sh dev
	@touch .venv/.run $@

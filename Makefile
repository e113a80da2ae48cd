# One target per thing a person does; each only wraps the command that does it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
IMAGE ?= credit-scoring
MODEL ?= model
MODEL_URI ?= models:/credit_scoring_model@champion
KEDRO_ENV ?= base
PORT ?= 1234
SIZE ?= 1
RESUME ?=
# Runs and models are kept where this says, for every target
STORE = $(BIN)/python -m credit_scoring.tracking_store --env $(KEDRO_ENV)
CONTAINER_ENGINE ?= $(shell command -v docker || command -v podman)

# MLflow starts its servers by name, as it would in the activated environment
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install demo data test drill bench attack fuzz lint format lock serve lean desk export ui relocate viz docs readme screenshots image clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Make the environment .venv with the locked packages

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed, $$($(PYTHON) --version) found. Hint: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Hint: on Debian and Ubuntu, install the package python3-venv."; rm -rf $(VENV); exit 1; }
	@echo "Installing the locked packages into $(VENV) (two minutes, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: install ## Synthetic data, the whole pipeline, a registered and exported model
	@$(BIN)/kedro run --pipelines demo

data: install ## Fetch the official files from Kaggle (needs a token and the rules accepted)
	@$(BIN)/python -m credit_scoring.download

# Three at once on two cores, as some wait for servers; with one thread each, so that none waits for the threads of another,
# and where a library asks for more, threads that wait sleep, as in a run; with compiled modules kept, as hundreds of
# processes start
test: install ## The whole test suite
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations 15

lint: install ## Style, types, architecture
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/ruff format --check src tests benchmarks tools
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## Format the code
	@$(BIN)/ruff check --fix-only --quiet src tests benchmarks tools
	@$(BIN)/ruff format src tests benchmarks tools

lock: install ## Compile requirements.txt from pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --no-annotate --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --output-file requirements.txt pyproject.toml

attack: install ## Attack servers of the exported model by all there is, ten minutes of faults under load included
	@$(BIN)/python -m tests.serving.attack --model $(MODEL) --write

fuzz: install ## Send 20,000 cases of a grammar to servers of the exported model
	@$(BIN)/python -m tests.serving.attack --model $(MODEL) --items fuzz

drill: install ## Decide on 1,000 applicants while workers are killed, then verify, replay and learn from the records
	@$(BIN)/python -m tests.decision_log.drill --model $(MODEL)

bench: install ## Measure what must be fast, at full size: hours, 10 GB of disk
	@echo "The first run generates 58 million rows. Smaller: SIZE=0.1. Go on after an interruption: RESUME=--resume"
	@$(BIN)/python -m benchmarks.batch_scoring
	@$(BIN)/python -m benchmarks.cost_curve
	@$(BIN)/python -m benchmarks.cut_off
	@$(BIN)/python -m benchmarks.explanations
	@$(BIN)/python -m benchmarks.reasons
	@$(BIN)/python -m benchmarks.price
	@$(BIN)/python -m benchmarks.monotone
	@$(BIN)/python -m benchmarks.levers $(RESUME)
	@$(BIN)/python -m benchmarks.features --size $(SIZE) $(RESUME)
	@$(BIN)/python -m benchmarks.feature_plan --size $(SIZE)
	@$(BIN)/python -m benchmarks.decisions
	@$(BIN)/python -m benchmarks.training $(RESUME)
	@$(BIN)/python -m benchmarks.learning_curve $(RESUME)
	@$(BIN)/python -m benchmarks.selection $(RESUME)
	@$(BIN)/python -m benchmarks.serving
	@$(BIN)/python -m benchmarks.decision_log
	@$(BIN)/python -m benchmarks.desk
	@$(BIN)/python -m benchmarks.promotion
	@$(BIN)/python -m benchmarks.tuning $(RESUME)
	@$(BIN)/python -m benchmarks.twin
	@$(BIN)/python -m benchmarks.row_models $(RESUME)

serve: install ## Serve the registry's champion on port $(PORT), by MLflow alone
	@PYTHONDONTWRITEBYTECODE=1 $(STORE) $(BIN)/mlflow models serve -m $(MODEL_URI) -p $(PORT) --env-manager local

lean: install ## Serve the exported model on port $(PORT), by the lean server
	@SERVING_FRONT_END=lean SERVING_MODEL=$(MODEL) SERVING_PORT=$(PORT) $(BIN)/python -m credit_scoring.serving

desk: install ## Open the loan officer's desk at http://127.0.0.1:1235
	@$(BIN)/python -m credit_scoring.desk

export: install ## Refresh the exported model from the registry's champion
	@$(BIN)/python -m credit_scoring.export --env $(KEDRO_ENV)

ui: install ## Compare the runs at http://127.0.0.1:5000
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(STORE) $(BIN)/mlflow ui --workers 1

relocate: install ## After the project was moved or copied: let mlflow.db find the artefacts beside it
	@$(STORE) --relocate

viz: install ## Draw the pipelines at http://127.0.0.1:4141/?types=nodes
	@echo "A box per pipeline: http://127.0.0.1:4141/?types=nodes"
	@$(BIN)/kedro viz run --no-browser

docs: install ## Build the documentation as a site, site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean

readme: install ## Write the figures of the exported model into README.md and README.fr.md
	@$(BIN)/python -m tools.readme

screenshots: install ## Take the pictures of MLflow and of the desk that report and README show (needs Chromium)
	@$(BIN)/python -m tools.screenshots --env $(KEDRO_ENV)
	@$(BIN)/python -m tools.desk_pictures

image: ## Build the image that serves the exported model
	@test -n "$(CONTAINER_ENGINE)" || { echo "Neither docker nor podman was found."; exit 1; }
	$(CONTAINER_ENGINE) build -t $(IMAGE) --build-arg MODEL=$(MODEL) \
	  --build-arg PYTHON=$$(sed -n 's/^python: *\([0-9]*\.[0-9]*\).*/\1/p' $(MODEL)/python_env.yaml) .

clean: ## Remove the environment and caches, never data, runs or models
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .viz site

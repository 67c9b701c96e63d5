# make help | install | demo | train-demo | test | install35 | test35 | check | bench | app.zip | image | train-image | clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VENV35 := .venv35
SPARK_TESTS := tests/jobs tests/faults tests/cluster tests/real/test_devpack.py
DEMO_LAKE ?= demo/lake
DEMO_SAMPLE ?= demo/sample
DEMO_RUN ?= demo/run

.DEFAULT_GOAL := help
.PHONY: help install demo train-demo test install35 test35 check bench image train-image clean

help:  ## Say what each target does
	@grep -E '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/installed  ## Make .venv, install the pinned dependencies, fetch Delta's jars once, try all jobs once

$(VENV)/installed: setup.py pyproject.toml
	@command -v java >/dev/null || $(MAKE) --no-print-directory java
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	$(BIN)/winnow doctor --fetch-jars
	$(BIN)/winnow doctor --trial
	touch $@

# What training needs beside that: PyTorch alone is some 3 GB. DeepSpeed's kernels are compiled on the GPU node, not here.
$(VENV)/installed-train: $(VENV)/installed
	DS_BUILD_OPS=0 $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train]'
	touch $@

.PHONY: java
java:  # Debian 12 has Java 17, Debian 13 has 21
	@echo "Java 17 or 21 is needed and there is no java on the PATH."
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing openjdk-17-jre-headless, or else openjdk-21-jre-headless, with apt-get."; \
	    apt-get update -qq && { apt-get install -y -qq openjdk-17-jre-headless || \
	        apt-get install -y -qq openjdk-21-jre-headless; }; \
	else \
	    echo "Install it, on Debian or Ubuntu: sudo apt-get install openjdk-17-jre-headless (or -21-)"; exit 2; \
	fi

demo: install  ## Write a sample of 20,000 conversations and turn it into a pinned dataset in demo/lake
	$(BIN)/winnow sample --out $(DEMO_SAMPLE)
	$(BIN)/winnow run --config conf/smoke.yaml --input $(DEMO_SAMPLE) --lake $(DEMO_LAKE)
	@echo "(winnow is $(BIN)/winnow; \". $(BIN)/activate\" puts it on the PATH)"

train-demo: $(VENV)/installed-train  ## Train a tiny model on the lake of `make demo`, on the CPU; no network after the first install
	test -f $(DEMO_LAKE)/winnow.json || $(MAKE) --no-print-directory demo
	$(BIN)/winnow train --config conf/train/smoke.yaml --lake $(DEMO_LAKE) --out $(DEMO_RUN)
	$(BIN)/winnow adapter verify $(DEMO_RUN)/adapter --lake $(DEMO_LAKE)
	test -d $(DEMO_RUN)/merged || $(BIN)/winnow adapter merge $(DEMO_RUN)/adapter --out $(DEMO_RUN)/merged
	@echo "Talk to it (it has learned 18 steps): $(BIN)/winnow chat --adapter $(DEMO_RUN)/adapter"

test: $(VENV)/installed-train  ## Run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

install35: $(VENV35)/installed  ## Make .venv35, a second environment: Spark 3.5 with Spark NLP, for `winnow linguistics`

$(VENV35)/installed: setup.py pyproject.toml
	@command -v java >/dev/null || $(MAKE) --no-print-directory java
	test -x $(VENV35)/bin/python || $(PYTHON) -m venv $(VENV35)
	WINNOW_SPARK=3.5 $(VENV35)/bin/pip install --quiet --disable-pip-version-check --editable '.[spark-test]'
	$(VENV35)/bin/winnow doctor --fetch-jars
	touch $@

# What knows Spark; the rest of the suite is the same code on the same libraries.
test35: $(VENV35)/installed  ## Run the tests that need Spark on Spark 3.5, and those of Spark NLP
	$(VENV35)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(SPARK_TESTS)

check: $(VENV)/installed-train  ## Lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install  ## Measure the reader and the whole job; docs/measured.md names the other commands
	$(BIN)/python -m benchmarks.ingest --session
	$(BIN)/python -m benchmarks.chain

app.zip: install  ## The four packages as one zip for spark-submit --py-files
	rm -rf build/wheel && $(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .
	cp build/wheel/*.whl app.zip  # the same bytes named .whl fail on executors

image:  ## Build the image for driver and executors (ENGINE=docker|podman|buildah)
	$${ENGINE:-docker} build -t winnow .

train-image:  ## Build the image for training nodes: torch, no Java, no Spark
	$${ENGINE:-docker} build --target train -t winnow-train .

clean:  ## Remove environments, builds and ./demo; lakes and runs of your own stay
	rm -rf $(VENV) $(VENV35) build app.zip demo

# Every target sets up what it needs in .venv; only Python 3.11 or newer is asked of the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed
# In an environment of its own: it holds back versions of what the other tools need.
SNAKEMAKE := $(VENV)/snakemake/bin/snakemake

.PHONY: demo test test-slow coverage fuzz lint format bench phantom-check phantom-sheets docs model clean

demo: $(CORE)  ## a synthetic biopsy, segmented, beside its truth
	$(BIN)/glisson demo -o demo-out

test: $(DEV) $(SNAKEMAKE)  ## the default tests, under ten minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-slow: $(DEV) $(SNAKEMAKE)
	$(BIN)/python -m pytest -m slow

fuzz: $(DEV)  ## every parser with files made wrong, 50 times as many as in `make test`
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n 2 --dist worksteal tests/hostile/test_fuzz.py

coverage: $(DEV) $(SNAKEMAKE)  ## the default tests, with the lines that they reach and a floor
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python scripts/check_words.py
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV)  ## Glisson, the floor and three peers in turn: half an hour, 20 GB of environments
	$(BIN)/python -m benchmarks

phantom-check: $(DEV)  ## phantom tiles against measured ranges of real liver
	$(BIN)/python -m benchmarks.phantom_check

phantom-sheets: $(DEV)  ## draw the contact sheets of docs/phantom.md again
	$(BIN)/python scripts/draw_phantom_sheets.py

docs: $(DEV)  ## check that every local link in the Markdown files leads somewhere
	$(BIN)/python scripts/check_links.py

# The phantom that drew the tiles of the default model (research/model-log.md says why no newer one).
PHANTOM := 2cfee33
# The commit whose script calls that phantom.
PHANTOM_SCRIPT := de29310
# What `real-dev/build.py FIELDS --um 1.0` wrote: the five MIT fields are trained on.
FIELDS ?= checkpoints/fields
EPOCH := 3
model: $(DEV)  ## train the default model again from ImageNet weights (under an hour on two cores)
	mkdir -p checkpoints/phantom checkpoints/default/tiles
	git archive $(PHANTOM) src | tar -x -C checkpoints/phantom
	git show $(PHANTOM_SCRIPT):scripts/draw_training_tiles.py > checkpoints/phantom/draw_tiles.py
	PYTHONPATH=checkpoints/phantom/src $(BIN)/python checkpoints/phantom/draw_tiles.py checkpoints/default/tiles
	$(BIN)/python scripts/train_default_model.py --fields $(FIELDS)
	$(BIN)/python scripts/package_default_model.py checkpoints/default/epoch-$(EPOCH).pt --out checkpoints/default-model

$(CORE): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(DEV): pyproject.toml requirements-dev.txt $(CORE)
	$(BIN)/python -m pip install --quiet 'torch>=2.6,<2.14'
	$(BIN)/python -m pip install --quiet --editable '.[train,study]' --requirement requirements-dev.txt
	touch $@

$(SNAKEMAKE):
	$(PYTHON) -m venv $(VENV)/snakemake
	$(VENV)/snakemake/bin/python -m pip install --quiet 'snakemake>=9,<10'
	touch $@

clean:
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis

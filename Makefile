# `make lab` opens the course, `make test` tests everything, `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
LINUX := $(filter Linux,$(shell uname -s))
# On Linux plain torch is the CUDA build of several GB, which "+cpu" never matches; elsewhere it is the CPU build.
TORCH ?= $(shell grep '^torch==' constraints.txt)$(if $(LINUX),+cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PINNED := $(PIP) --constraint constraints.txt
UV ?= .venv-uv/bin/uv
SERVER := $(if $(LINUX),$(if $(DISPLAY)$(WAYLAND_DISPLAY)$(BROWSER),,--no-browser))
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# A spinning OpenMP thread costs more than it gives on a busy laptop.
export OMP_WAIT_POLICY := passive

TOO_OLD := $(PYTHON) is not Python 3.11 or newer. Say where one is: make PYTHON=python3.11 $(MAKECMDGOALS)
NO_VENV := $(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: apt install python3-venv).
NO_TORCH := No CPU build of PyTorch could be fetched: is the network up? The CUDA build for Linux (several GB) is \
taken only if you ask for it: make TORCH=$(TORCH:+cpu=) $(MAKECMDGOALS)

.DELETE_ON_ERROR:
.PHONY: help lab test notebooks browser slides book benchmarks checkpoints constraints pictures clean
.NOTPARALLEL:

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

lab: .venv/reader  ## open JupyterLab at chapter 00
	$(BIN)/jupyter lab $(ROOT) $(SERVER) notebooks/00_welcome.ipynb

test: .venv/developer  ## test the library, the notebooks, the imports and the style
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest
	$(BIN)/pytest --nbval --nbval-current-env --nbval-cell-timeout=180 --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

browser: .venv/developer .venv/book  ## look at chapters, slides and book in a real Chromium: errors, requests, pixels
	$(BIN)/pytest tests/browser

slides: .venv/book  ## make a deck of slides of every chapter in build/slides, without running it; needs no network
	$(BIN)/python docs/slides/build.py

book: .venv/book  ## make one searchable site of chapters, library and data in build/book; runs nothing, needs no network
	$(BIN)/python docs/book/build.py

benchmarks: .venv/developer  ## time every method beside its peer, one thread, and print the ratios
	for script in $(filter-out %/clock.py %/networks.py,$(wildcard tests/benchmarks/*.py)); do OMP_NUM_THREADS=1 $(BIN)/python $$script; done

checkpoints: .venv/reader  ## train the networks of the chapters that are not in data/checkpoints; goes on where it stood
	OMP_NUM_THREADS=1 $(BIN)/python data/generate/checkpoints.py

notebooks: .venv/developer  ## run every notebook and store its outputs, normalised (or one: NOTEBOOK=…)
	$(BIN)/python tests/notebooks/store.py $(NOTEBOOK)

pictures: .venv/reader  ## draw the cover of README.md and the pictures of data/README.md
	$(BIN)/python docs/cover.py
	$(BIN)/python docs/data_pictures.py

constraints: $(UV)  ## resolve the versions that every installation uses (needs the network)
	$(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
		pyproject.toml --group test --group book --group install --output-file .constraints.partial
	{ echo '# Made by "make constraints" from pyproject.toml, for every system; torch brings no CUDA along.'; \
		grep -Ev '^(nvidia|cuda|triton)' .constraints.partial; } > constraints.txt
	rm .constraints.partial

clean:  ## remove the environment, what was built and every cache
	rm -rf .venv .venv-uv build .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# An environment has a stamp only while it is whole: pip works with the stamp taken away, so that an installation
# interrupted at any moment is started afresh, and a finished one is brought up to date when the pins change.
.venv/reader: pyproject.toml constraints.txt etc/jupyter/labconfig/default_setting_overrides.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(TOO_OLD)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo '$(NO_VENV)' >&2; exit 1; }
	@echo 'Installing into .venv: a minute or two the first time.'
	@test -e $@ || $(PYTHON) -m venv --clear .venv
	@rm -f .venv/reader .venv/developer .venv/book
	@$(PINNED) pip
	@$(PIP) --no-deps --retries 0 --index-url $(TORCH_INDEX) $(TORCH) \
		|| $(PIP) --no-deps $(TORCH) || { echo '$(NO_TORCH)' >&2; exit 1; }
	@$(PINNED) --build-constraint constraints.txt --editable .
	@touch $@

.venv/developer: GROUP := test
.venv/book: GROUP := book
.venv/developer .venv/book: .venv/reader
	@mv .venv/reader .venv/unfinished
	@$(PINNED) --group $(GROUP)
	@mv .venv/unfinished .venv/reader && touch $@

.venv-uv/bin/uv:
	$(PYTHON) -m venv --clear .venv-uv
	.venv-uv/bin/python -m pip install --quiet uv

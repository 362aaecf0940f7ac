# Each target sets up .venv itself. `make reproduce` makes the book; `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PROFILE ?= embedded
PORT ?= 8000
WORKERS ?= 3
LAB := jupyterlab>=4,<5
VENV := .venv
PY := $(VENV)/bin/python
unexport PYTHONDONTWRITEBYTECODE  # without bytecode each start of the package takes twice as long
# Meant for another Python or another project than this one's .venv.
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE PYTHONINSPECT PYTHONUSERBASE
unexport PYTHONEXECUTABLE PYTHONPLATLIBDIR __PYVENV_LAUNCHER__ VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_REQUIREMENT PIP_CONSTRAINT PIP_NO_DEPS PIP_DRY_RUN PIP_EDITABLE
unexport PIP_REQUIRE_HASHES PIP_IGNORE_INSTALLED PIP_REQUIRE_VIRTUALENV JUPYTER_PATH MPLBACKEND
export PIP_USER := 0
# Whatever the locale says.
export PYTHONUTF8 := 1
PYTHONS := 3.11, 3.12, 3.13 or 3.14
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
STAMP := $(VENV)/.installed
READY := $(STAMP) $(if $(filter .venv,$(VENV)),.venv/.notebooks)

# Values typed after NB= and P= reach the recipes as they are, through the environment: make and the shell never read
# them as their own language.
override NB := $(value NB)
override P := $(value P)
override INTO := $(value INTO)
override A := $(value A)
override B := $(value B)
override ONLY := $(value ONLY)
override PROFILE := $(value PROFILE)
override JOBS := $(value JOBS)
override PYTHON := $(value PYTHON)
export NB P INTO A B ONLY PROFILE JOBS PYTHON

RUN = $(PY) notebooks/run.py --profile "$$PROFILE" $(if $(FORCE),--force) $(if $(FRESH),--fresh) \
  $(if $(JOBS),--jobs "$$JOBS")
OUT = if [ "$$PROFILE" = smoke ]; then out=.cache/book-smoke; else out=book; fi
BUILD = $(OUT); $(PY) book/build.py --out "$$out"

.PHONY: help reproduce test smoke oldest release-check gpu notebook diff lab book pdf archive serve why bench check clean lock assets fetched ship zoo

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

reproduce: $(READY)  ## everything: data, notebooks, book (PROFILE= ONLY= FORCE=1 FRESH=1 JOBS=)
	@$(MAKE) --no-print-directory fetched || echo "some files are missing, see above; pages that need them will say so"
	@ran=0; $(RUN) --only "$$ONLY" || ran=$$?; \
	if [ $$ran -eq 2 ]; then exit 2; fi; \
	built=0; ( $(BUILD) ) || built=$$?; \
	if [ $$ran -ne 0 ]; then exit $$ran; fi; exit $$built

test: $(READY)  ## all tests (SLOW=1: also those that take minutes each)
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(if $(SLOW),,-m "not slow")

smoke: $(READY)  ## what another Python or system must pass: the library, and every notebook in the smoke profile
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadgroup -m "not slow and not browser" tests/equations \
	  tests/method tests/metrics tests/test_task.py tests/notebooks/test_notebooks.py

oldest: $(READY)  ## the library's tests with the lowest versions that it allows
	$(VENV)/bin/uv venv --quiet --clear --python $(PY) .cache/oldest
	$(VENV)/bin/uv pip install --quiet --python .cache/oldest/bin/python --resolution lowest-direct --editable . $(OLDEST)
	$(VENV)/bin/uv pip install --quiet --python .cache/oldest/bin/python beartype filelock hypothesis mpmath pytest pyyaml
	OMP_NUM_THREADS=1 .cache/oldest/bin/python -m pytest -p no:cacheprovider -m "not slow" tests/equations tests/method

release-check: $(READY)  ## everything that a release needs, in dist/; nothing is published
	@rm -rf dist
	$(VENV)/bin/uv build --quiet --no-build-isolation --out-dir dist
	$(VENV)/bin/uv tool run --quiet twine check --strict dist/*
	$(PY) -m pytest tests/test_package.py tests/test_release.py tests/test_lock.py
	@echo "dist/ holds what would be published; nothing was"

gpu: $(READY)  ## whether a GPU gives what the CPU gives, and how long both take (TASKREL_DEVICE=)
	@$(PY) -m taskrel_core.experiments.device_check

notebook: $(READY)  ## one notebook with your parameters, a page beside the book's: NB=03_fig_small_gap P="tau=0.1 seeds=[0, 1]"
	@if [ -z "$$NB" ]; then echo 'say which: make notebook NB=03_fig_small_gap P="tau=0.1"' >&2; exit 2; fi
	@$(RUN) --only "$$NB" --set "$$P"
	@pages=$$($(RUN) --only "$$NB" --set "$$P" --names) && $(BUILD) --page "$$pages"

diff: $(READY)  ## whether two runs agree: A=03_fig_small_gap B=a page of your own, or another book's folder or archive
	@$(OUT); $(PY) notebooks/diff.py --out "$$out" -- "$$A" "$$B"

lab: $(READY)  ## the notebooks in JupyterLab, which is installed into .venv when this is first asked for
	@if ! $(PY) -c 'import jupyterlab' 2>/dev/null; then \
	  echo "JupyterLab is not part of the lock; installing it into $(VENV), once" >&2; \
	  $(PY) -m pip install --quiet --constraint requirements.lock '$(LAB)' || \
	    { echo "error: JupyterLab could not be installed; bring it by hand: $(PY) -m pip install '$(LAB)'" >&2; exit 1; }; \
	fi
	@PYTHONPATH="$$PWD/notebooks:$$PWD" $(PY) -m jupyterlab --notebook-dir="$$PWD" $(LABOPTIONS)

book: $(READY)  ## the book from the pages at hand (PROFILE=)
	@$(BUILD)

pdf: $(READY)  ## the book as one PDF, printed by Chromium; without your own runs
	@$(PY) book/build.py --pdf

archive: $(READY)  ## the built book with its pages, rows and sources in one zip (an RO-Crate); without your own runs
	@$(BUILD) --published && $(PY) book/archive.py --out "$$out"

serve: $(READY)  ## the book at http://localhost:8000 (PORT=)
	@$(BUILD)
	$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory book/_build/html

why: $(READY)  ## what has changed since each page was made
	@$(PY) notebooks/run.py --profile "$$PROFILE" --only "$$ONLY" --why

bench: $(READY)  ## how long the parts of the method take here
	$(PY) -m taskrel_core.experiments.bench

ship: $(READY)  ## keep the rows behind a page in book/results, too costly to compute each time (NB= INTO=)
	@$(PY) notebooks/ship.py "$$NB" "$$INTO"

zoo: $(READY)  ## pre-train small encoders again, compare with those shipped (ONLY="resnet/rotation mobilenet/mnist")
	@set -f; $(PY) -m taskrel_core.experiments.zoo $$ONLY

assets: $(READY)  ## only fetch data and weights
	$(PY) -m taskrel_core

# Not asked for again while the code that names the files is the same; a file that was deleted since is fetched when a
# notebook needs it. The cache may lie in a folder whose name make could not read.
fetched: $(READY)
	@stamp="$${FETCHED:-$${TASKREL_CACHE:-.cache}/.fetched}"; \
	if [ ! -e "$$stamp" ] || [ -n "$$(find $(STAMP) taskrel_core/assets taskrel_core/data \
	  taskrel_core/encoders \( -name '*.py' -o -name .installed \) -newer "$$stamp")" ]; then \
	  $(PY) -m taskrel_core && mkdir -p "$$(dirname "$$stamp")" && touch "$$stamp"; \
	fi

check: $(READY)  ## format, lint, types, order of the rooms
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/basedpyright
	$(VENV)/bin/lint-imports

UV = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11.0 --no-header
lock: $(READY)  ## requirements.lock and its sha256 list from pyproject.toml; pins stay unless UPGRADE=1
	@cp requirements.lock .lock.part
	$(UV) --all-extras --strip-extras --fork-strategy fewest --no-emit-index-url $(if $(UPGRADE),--upgrade) \
	  --output-file .lock.part pyproject.toml
	@mv .lock.part requirements.lock
	@# torch has one version and many builds, each with files of its own: which it is, is the user's choice.
	$(UV) --no-deps --no-annotate --generate-hashes --no-emit-package torch --no-emit-package torchvision \
	  --output-file requirements.sha256 requirements.lock

clean:  ## remove made pages and the built book; RUNS=1: only the pages with your parameters; caches and .venv stay
	rm -rf $(if $(RUNS),book/runs book/_build/html/runs .cache/book-smoke/runs,book/executed book/_generated book/_build .cache/book-smoke)
	$(if $(RUNS),@echo "your runs are removed; make book takes them out of the sidebar")

# The stamp is written last, so that an interrupted installation is taken up again.
.venv: $(READY)
$(STAMP): requirements.lock requirements.sha256 pyproject.toml install.py
	@if [ ! -w . ]; then \
	  echo "error: this folder cannot be written, and $(VENV) and the book are made in it; copy it to one of your own" >&2; \
	  exit 1; \
	fi; \
	if $(PY) -c 'import pip; $(FITS)' 2>/dev/null; then exit 0; fi; \
	for python in $(if $(PYTHON),"$$PYTHON",python3.11 python3.12 python3.13 python3.14 python3 python); do \
	  if "$$python" -c '$(FITS)' 2>/dev/null; then rm -rf $(VENV) && exec "$$python" -m venv $(VENV); fi; \
	done; \
	echo "error: Python $(PYTHONS) is needed, found $$("$${PYTHON:-python3}" --version 2>&1); install one of them so" \
	  "that it is in PATH, or name it: make PYTHON=/path/to/python" >&2; \
	if command -v uv >/dev/null; then \
	  echo "uv is here and can bring one: uv venv --seed --python 3.11 $(VENV)   # then the same command again" >&2; \
	fi; \
	exit 1
	@$(PY) install.py --with $(or $(INSTALLER),uv)
	@touch $(STAMP)

# So that "import page" works in a kernel of .venv that was started anywhere. In ASCII: the file is read as the locale says.
.venv/.notebooks: $(STAMP)
	@$(PY) -c 'import pathlib, sysconfig as s; folder = ascii(str(pathlib.Path("notebooks").resolve())); \
	  pathlib.Path(s.get_path("purelib"), "taskrel_notebooks.pth").write_text(f"import sys; sys.path.append({folder})\n")'
	@touch $@

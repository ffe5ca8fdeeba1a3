# One command each: make frontier (the main job), make test, make check. Both create the environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH  ?= torch==2.13.0
VENV   := .venv
RUN    := $(VENV)/bin/python
JOBS   ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)

.PHONY: setup frontier test check clean

setup: $(VENV)/.ready

# torch goes first and alone, so that a CPU build chosen through TORCH="..." is kept by what follows.
$(VENV)/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no python3.11 on PATH: install Python 3.11 or call make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: call make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

frontier: setup
	$(RUN) -m experiments.train study=quick

test: setup
	$(RUN) -m pytest -n $(JOBS) --dist loadfile

check: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache

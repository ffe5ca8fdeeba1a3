# One command each: make frontier (the main job), make test, make check. Both create the environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH  ?= torch==2.13.0
VENV   := .venv
PEERS  := .venv-peers
RUN    := $(VENV)/bin/python
JOBS   ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)

.PHONY: setup frontier test check peers bench-peers test-peers clean

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
	$(RUN) -m pytest -n $(JOBS) --dist loadfile --max-worker-restart=0

check: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# Other programs to measure against (docs/peers.md), in an environment of their own: JAX, mctx, pgx, OpenSpiel.
peers: $(PEERS)/.ready

$(PEERS)/.ready: experiments/peers/requirements.txt
	@test -n "$(PYTHON)" || { echo "no python3.11 on PATH: install Python 3.11 or call make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo '*' > $(PEERS)/.gitignore
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-peers: setup peers
	$(RUN) -m experiments.peers

test-peers: peers
	$(PEERS)/bin/python -m pytest --noconftest tests/peers -s

clean:
	rm -rf $(VENV) $(PEERS) build *.egg-info .pytest_cache .ruff_cache .mypy_cache

# make demo: reconstruct the sample photos, train briefly, print the leaderboard of that run
# make test: the tests
PYTHON ?= python3
BIN := .venv/bin
DEMO := work_dirs/demo

.PHONY: demo test clean
demo: .venv/.installed
	$(BIN)/python tools/demo.py --out $(DEMO)

test: .venv/.installed
	$(BIN)/python -m pytest

# OpenCV is exchanged for its build without windows, which needs no libGL.
.venv/.installed: requirements.lock setup.py pyproject.toml
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'l2rkit needs Python 3.10 or newer with venv; set PYTHON=/path/to/it'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c requirements.lock pip setuptools
	$(BIN)/python -m pip install --quiet -c requirements.lock --no-build-isolation -e '.[dev]'
	$(BIN)/python -m pip uninstall --quiet --yes opencv-python
	$(BIN)/python -m pip install --quiet --no-deps -c requirements.lock opencv-python-headless
	@touch $@

clean:
	rm -rf .venv work_dirs/demo

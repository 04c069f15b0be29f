# Two commands: `make run` and `make test`. Each does all its own set-up on a fresh Debian machine.
.PHONY: run test test-world check lint bench docs man fuzz proof differences figures

BIN := .venv/bin
XBOOT := $(BIN)/xboot

# Tests run side by side, one process a core; what shares a session's fixtures stays in one process (--dist loadscope), and what takes longest is begun first (tests/conftest.py).
PYTEST := $(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder

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
	@# The tests start xboot some thousand times, and where PYTHONDONTWRITEBYTECODE is set it would be compiled each time.
	@$(BIN)/python -m compileall -q core plugins
	@$(MAKE) --no-print-directory lint
	@# Builds the kernels, once, before any test's clock runs.
	$(XBOOT) compare examples/hello/recipe.toml
	$(PYTEST) --durations=40

# All of Debian's posixtestsuite and of stress-ng's stressors on every kernel, and the example world: some hours. A run that was
# interrupted goes on where it was (build/posix, build/stress, build/world).
test-world:
	@tools/setup.sh test
	$(BIN)/python tests/world/posixtests.py
	$(BIN)/python tests/world/stressors.py
	$(BIN)/python tests/world/cells.py

# What a change is checked with before it is committed: under a minute, and no kernel, compiler, nix, package or browser is needed.
check: lint
	$(PYTEST) -q -m "not (boot or nix or apt or compiler or browser or slow)"

lint:
	@tools/setup.sh check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/codespell

# Readers of the executor (C) and of the host (Python, where atheris is installed), all together for HOURS; what is found is in build/fuzz.
HOURS := 1
fuzz:
	@tools/setup.sh test
	$(BIN)/python tests/fuzz/run.py --hours $(HOURS)

# Random derivations built by nix and by every kernel, fifty in a boot (what differs is in build/differences); then as many sequences of system calls, and of
# csmith's programs.
COUNT := 2000
SEED := 1000
differences:
	@tools/setup.sh test
	$(BIN)/python tests/differences/run.py --count $(COUNT) --seed $(SEED)
	$(BIN)/python tests/differences/run.py --sequences $(COUNT) --seed $(SEED)
	$(BIN)/python tests/differences/run.py --csmith $(COUNT) --seed $(SEED)

# Frama-C's Eva on the C executor, for both machines; docs/assurance.md says what is shown.
proof:
	@tools/setup.sh test
	$(BIN)/python tests/proof/prove.py

# Digests, bytes and lines of the images, in docs/tcb.md and README.md, and of the TCC that compiles them, in docs/double-compiling.md: after every change of
# what is in an image.
figures:
	@tools/setup.sh test
	$(BIN)/python tools/double_compiling.py
	$(BIN)/python tools/figures.py
	$(BIN)/python tools/left_out.py

bench:
	@tools/setup.sh test
	$(BIN)/python -m bench

# The site, in build/site; a browser shows build/site/index.html without a server.
docs:
	@tools/setup.sh check
	$(BIN)/mkdocs build --strict --quiet

# The manual pages, from the command line itself; `man -M build/man xboot` shows them.
man:
	@tools/setup.sh check
	$(BIN)/python tools/man.py build/man/man1

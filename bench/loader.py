"""tccboot's loader: how long it compiles its kernel, and when the kernel runs. Times are the host's, of lines on the console, under TCG.

python -m bench.loader [--runs N]
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from xboot.boot import RunOptions
from xboot.hooks import LinearizeOptions, ReadOptions, hookimpl
from xboot.model import Event, Phase
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.voter import Voter

HELLO = Path(__file__).parent.parent / "examples" / "hello" / "recipe.toml"


class _Watch:
    """Notes when the loader begins to compile, when it is about to jump, and when the first builder starts."""

    contract_version = 2

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.lines = 0
        self.console = ""

    @hookimpl
    def xboot_event(self, event: Event) -> None:
        if event.phase is Phase.BEGIN:
            self.at.setdefault("builder", event.seconds)
        elif event.phase is Phase.CONSOLE:
            self.console += event.text  # it comes in any pieces
            for word, name in (("loader: compiling", "compile"), ("loader: kernel sha256", "jump")):
                if word in self.console:
                    self.at.setdefault(name, event.seconds)
            if match := re.search(r"(\d+) lines", self.console):
                self.lines = int(match[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.loader", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    found = []
    for _ in range(options.runs):
        plugins, watch = Plugins.load(), _Watch()
        plugins.add(watch, "bench:watch")
        pipeline = Pipeline(plugins, "tccboot")
        script = pipeline.linearize(pipeline.read([str(HELLO)], ReadOptions()), LinearizeOptions())
        pipeline.run(Request(voters=[Voter("tccboot")], run=RunOptions(accelerator="tcg")), script)
        found.append((watch.at["jump"] - watch.at["compile"], watch.at["jump"], watch.at["builder"], watch.lines))
    compiling, jump, builder, lines = min(found)
    print(f"tccboot loader   {compiling:.3f} s   compiles {lines} lines, {lines / compiling:,.0f} lines/s")
    print(f"                 {jump:.3f} s   from QEMU's start to the jump; first builder at {builder:.3f} s")


if __name__ == "__main__":
    main()

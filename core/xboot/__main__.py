"""`python -m xboot`, and the command `xboot`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line. Importing it takes a tenth of a second, in which Ctrl-C must not end in a traceback either."""
    gc.disable()  # modules are no garbage either (see xboot.cli.ending)
    try:
        from xboot.cli.app import main as command  # noqa: PLC0415
    except KeyboardInterrupt:
        print("interrupted; nothing was left running", file=sys.stderr)
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()

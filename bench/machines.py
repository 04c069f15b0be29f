"""hello (or another target) by every kernel on every machine, in one comparison: seconds of each machine, beside QEMU's for that kernel.

    python -m bench.machines [--voters A,B,…] [--target TARGET]

One machine runs at a time. What a machine cannot run is left out of `VOTERS`. KVM is not used.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence

from bench.start import HELLO, XBOOT

VOTERS = "linux,mirage,tccboot,hurd,linux@bochs,mirage@bochs,tccboot@bochs,hurd@bochs,tccboot@v86,hurd@v86,linux@v86"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print its figures."""
    parser = argparse.ArgumentParser(prog="bench.machines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voters", default=VOTERS)
    parser.add_argument("--target", default=str(HELLO))
    options = parser.parse_args(arguments)
    command = [*XBOOT, "compare", "--json", "--seal", "run", "--jobs", "1", "--voters", options.voters, options.target]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout)
    seconds = {name: (run["firstBuilderSeconds"], run["seconds"]) for name, run in report["runs"].items()}
    for name, (first, end) in seconds.items():
        peer = seconds.get(name.partition("@")[0])
        ratio = f"  {end / peer[1]:.1f} times" if peer else ""
        print(f"{name:<16} to the first builder {first:6.2f} s, to its end {end:7.2f} s{ratio}")
    hashes = sorted({sha256 for output in report["outputs"] for sha256 in output["narSha256"].values()})
    print(report["verdict"], f"by {len(report['runs'])} voters:", *hashes)


if __name__ == "__main__":
    main()

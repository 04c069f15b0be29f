"""Two builders that write the same bytes, once where the executor hashes them and once where it does not: the difference is its speed."""

from __future__ import annotations


def writing(megabytes: int, suffix: str = "") -> dict[str, str]:
    """Name → commands. They write by whole pieces: busybox's head writes byte by byte, which takes four times as long as the hashing."""
    dd = f"{{busybox}}/bin/dd if=/dev/zero bs=1000000 count={megabytes}"
    return {f"hashed{suffix}": f"{dd} of=$out", f"unhashed{suffix}": f"{dd} of=/tmp/x; echo done > $out"}

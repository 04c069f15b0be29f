"""Two builders that write the same bytes, once where the executor hashes them and once where it does not: the difference is its speed."""

from __future__ import annotations


def writing(megabytes: int, suffix: str = "") -> dict[str, str]:
    """Name → commands."""
    head = f"{{busybox}}/bin/head -c {megabytes}000000 /dev/zero"
    return {f"hashed{suffix}": f"{head} > $out", f"unhashed{suffix}": f"{head} > /tmp/x; echo done > $out"}

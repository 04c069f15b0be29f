"""Several closures as one."""

from __future__ import annotations

from collections.abc import Sequence

from xboot.errors import InputError
from xboot.model import Closure


def merge_closures(closures: Sequence[Closure]) -> Closure:
    """One closure with the roots of all. The same path always stands for the same text, since every path was verified from its content.

    Raises InputError when they belong to different stores.
    """
    if len(closures) == 1:
        return closures[0]
    stores = sorted({closure.store_dir for closure in closures})
    if len(stores) != 1:
        raise InputError(f"the targets belong to different stores ({', '.join(stores)}); run them one store at a time")
    sources = {path: source for closure in closures for path, source in closure.sources.items()}
    return Closure(
        store_dir=stores[0],
        roots=list(dict.fromkeys(root for closure in closures for root in closure.roots)),
        derivations={path: drv for closure in closures for path, drv in closure.derivations.items()},
        sources=sources,
        missing={path: user for closure in closures for path, user in closure.missing.items() if path not in sources},
    )

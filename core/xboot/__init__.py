"""xboot: boot a derivation's build graph on very small kernels and verify every hash.

The Python API (docs/api.md): `run`, `compare`, `plan` and `tcb`, and the nouns that they take and give. All is imported when it is first
used: `import xboot` costs nothing.
"""

from typing import TYPE_CHECKING

from xboot._lazy import later

if TYPE_CHECKING:
    from xboot.api import compare, plan, run, tcb
    from xboot.compare import Comparison
    from xboot.plugins import Plugins
    from xboot.request import Request
    from xboot.result import Result
    from xboot.voter import Voter

__version__ = "0.1.0"

__all__ = ["Comparison", "Plugins", "Request", "Result", "Voter", "__version__", "compare", "plan", "run", "tcb"]

__getattr__ = later(
    __name__,
    dict.fromkeys(("compare", "plan", "run", "tcb"), "xboot.api")
    | {
        "Comparison": "xboot.compare",
        "Plugins": "xboot.plugins",
        "Request": "xboot.request",
        "Result": "xboot.result",
        "Voter": "xboot.voter",
    },
)

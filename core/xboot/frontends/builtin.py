"""The plugins that come with the core: the front-ends for derivations, recipes and bundles, and the stock linearizer."""

from __future__ import annotations

from xboot.frontends.bundle import plugin as bundle_front_end
from xboot.frontends.recipe import plugin as recipe_front_end
from xboot.hooks import LinearizeOptions, ReadOptions, hookimpl
from xboot.linearize import linearize
from xboot.model import Closure, Script
from xboot.parse import read_closure


class DerivationFrontEnd:
    """Reads `.drv` files and store paths; last among the front-ends, because it claims everything that looks like a path."""

    @hookimpl(trylast=True)
    def xboot_read_closure(self, target: str, options: ReadOptions) -> Closure | None:
        return read_closure(target, options)


class StockLinearizer:
    """The core's own unrolling; a plugin may put another before it."""

    @hookimpl(trylast=True)
    def xboot_linearize(self, closure: Closure, options: LinearizeOptions) -> Script | None:
        return linearize(closure, options)


PLUGINS = (
    ("derivation", DerivationFrontEnd()),
    ("recipe", recipe_front_end),
    ("bundle", bundle_front_end),
    ("linearize", StockLinearizer()),
)

"""pluggy's markers of this project. `xboot.hooks` offers them to plugins; they stand here for what the hooks themselves speak of."""

from __future__ import annotations

import pluggy

hookspec = pluggy.HookspecMarker("xboot")
hookimpl = pluggy.HookimplMarker("xboot")

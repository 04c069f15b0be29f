"""What authors of plugins test with.

- `FakeBackend`, `Say`, `good_run`: a backend without a kernel, whose machine says what a test tells it to say. For tests of reporters,
  observers and front-ends.
- `BackendSuite` and its parts: the conformance suite, to be subclassed in a backend's own tests (`pytest --xboot-backend NAME` runs it
  without a file). `MetadataSuite` and `PackageSuite` need no kernel.
- `Builders`, `load_builders`: scripts of one or two small builders, made without Nix or Guix.
- The fixtures `xboot_plugins` (all installed plugins) and `xboot_builders` (a system's `Builders`): pytest finds them by itself.

Nothing is imported before it is used: pytest loads this package in every run on a machine that has xboot.
"""

from typing import TYPE_CHECKING

from xboot._lazy import later

if TYPE_CHECKING:
    from xboot.testing.builders import Builder, Builders, load_builders
    from xboot.testing.fake import FakeBackend, Say, good_run
    from xboot.testing.suite import BackendSuite, BootSuite, MetadataSuite, PackageSuite

__all__ = [
    "BackendSuite",
    "BootSuite",
    "Builder",
    "Builders",
    "FakeBackend",
    "MetadataSuite",
    "PackageSuite",
    "Say",
    "good_run",
    "load_builders",
]

__getattr__ = later(
    __name__,
    dict.fromkeys(("FakeBackend", "Say", "good_run"), "xboot.testing.fake")
    | dict.fromkeys(("Builder", "Builders", "load_builders"), "xboot.testing.builders")
    | dict.fromkeys(("BackendSuite", "BootSuite", "MetadataSuite", "PackageSuite"), "xboot.testing.suite"),
)

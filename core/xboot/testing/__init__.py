"""What authors of plugins test with.

- `FakeMachine`, `Say`, `good_run`: a machine without an emulator, which says what a test tells it to say. It boots the image of any
  backend, and `FakeBackend` is one without a kernel. For tests of reporters, observers, front-ends, and of what a verdict makes of a guest.
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
    from xboot.testing.fake import FakeBackend
    from xboot.testing.fake_machine import FakeMachine, Say, good_run
    from xboot.testing.suite import BackendSuite, BootSuite, MetadataSuite, PackageSuite

__all__ = [
    "BackendSuite",
    "BootSuite",
    "Builder",
    "Builders",
    "FakeBackend",
    "FakeMachine",
    "MetadataSuite",
    "PackageSuite",
    "Say",
    "good_run",
    "load_builders",
]

__getattr__ = later(
    __name__,
    {"FakeBackend": "xboot.testing.fake"}
    | dict.fromkeys(("FakeMachine", "Say", "good_run"), "xboot.testing.fake_machine")
    | dict.fromkeys(("Builder", "Builders", "load_builders"), "xboot.testing.builders")
    | dict.fromkeys(("BackendSuite", "BootSuite", "MetadataSuite", "PackageSuite"), "xboot.testing.suite"),
)

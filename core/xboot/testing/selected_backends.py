"""Collected by the pytest plugin: a class of tests for each `--xboot-backend`."""

from __future__ import annotations

from xboot.testing import pytest_plugin
from xboot.testing.suite import BackendSuite, MetadataSuite

_SUITE = BackendSuite if pytest_plugin.options["boot"] else MetadataSuite

for _name, _settings in pytest_plugin.selected.items():
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (_SUITE,), {"backend": _name, "settings": _settings})

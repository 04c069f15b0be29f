"""Collected by the pytest plugin: a class of tests for each voter that `--xboot-backend` names."""

from __future__ import annotations

from xboot.testing import pytest_plugin
from xboot.testing.suite import BackendSuite, MetadataSuite

_SUITE = BackendSuite if pytest_plugin.options["boot"] else MetadataSuite

for _voter, _settings in pytest_plugin.selected.items():
    _name = "Test_" + str(_voter).replace("/", "_").replace("@", "_on_")
    _wanted = {"backend": _voter.backend, "settings": _settings, "machine": _voter.machine}
    globals()[_name] = type(_name, (_SUITE,), _wanted | ({"executors": (_voter.executor,)} if _voter.executor else {}))

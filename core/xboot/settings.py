"""What users choose for backends (`--set`), checked against what the backends say that there is to choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from xboot.errors import UsageError
from xboot.model import BackendInfo, Setting, SettingKind

__all__ = ["parse_settings", "settle"]


def parse_settings(pairs: Iterable[str]) -> dict[str, str]:
    """From `KEY=VALUE` to what `settle` takes. Raises UsageError for another form, and for a key that has two values."""
    settings: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"--set {pair}: expected KEY=VALUE")
        if settings.setdefault(key, value) != value:
            raise UsageError(f"--set {pair}: {key} is set to {settings[key]!r} already")
    return settings


def settle(wished: Mapping[str, str], infos: Sequence[BackendInfo]) -> dict[str, dict[str, str]]:
    """Backend → its settings. A key is `NAME`, for every backend that has it, or `BACKEND.NAME`, for one alone, which goes before.

    Raises UsageError when no backend here has it, and for a value that it does not take.
    """
    found: dict[str, dict[str, str]] = {info.name: {} for info in infos}
    for key, value in sorted(wished.items(), key=lambda item: "." in item[0]):
        backend, dot, name = key.rpartition(".")
        takers = [info for info in infos if (not dot or info.name == backend) and any(s.name == name for s in info.settings)]
        if not takers:
            asked = [info for info in infos if not dot or info.name == backend]
            if dot and not asked:
                raise UsageError(f"--set {key}: backend {backend!r} is not asked", hint="asked are: " + ", ".join(found))
            who = f"the backend {asked[0].name} has" if len(asked) == 1 else f"of the backends {', '.join(i.name for i in asked)} none has"
            not_ = "no" if len(asked) == 1 else "a"
            there_are = "; ".join(f"{i.name} has {', '.join(s.name for s in i.settings)}" for i in asked if i.settings)
            raise UsageError(f"--set {key}: {who} {not_} setting {name!r}", hint=there_are or "there are none")
        for info in takers:
            setting = next(s for s in info.settings if s.name == name)
            wrong = _wrong(setting, value)
            if wrong:
                raise UsageError(f"--set {key}={value}: {wrong}", hint=f"{info.name}: {name}: {setting.help}")
            found[info.name][name] = value
    return found


def _wrong(setting: Setting, value: str) -> str:
    if setting.values:
        return "" if value in setting.values else f"expected {' or '.join(setting.values)}"
    if setting.kind is SettingKind.FILE and not Path(value).is_file():
        return "there is no such file"
    if setting.kind is SettingKind.FOLDER and not Path(value).is_dir():
        return "there is no such folder"
    return ""

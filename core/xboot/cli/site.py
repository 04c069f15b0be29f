"""The verb `site`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console

from xboot.attest.policy import Policy
from xboot.foreign import printable
from xboot.site.evidence import gather
from xboot.site.files import check_destination, old_file, write_site
from xboot.site.folder import read_folder
from xboot.site.history import FILE, MAX_HISTORY, now, read_history
from xboot.site.pages import site_files
from xboot.words import counted


def make_site(folder: Path, out: Path, policy: Policy, console: Console) -> None:
    """Verify what is in `folder`, and make the site `out` of it. Raises UsageError for a place where no site can go."""
    check_destination(out, folder)
    moment = now()
    before = read_history(old_file(out, FILE, MAX_HISTORY), str(out / FILE), moment)
    evidence = gather(read_folder(folder), policy)
    count = write_site(out, folder, site_files(evidence, before.after(evidence, moment)))
    states = Counter(target.state for target in evidence.targets)
    said = ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "no valid attestation"
    _say(console, f"{out}  {counted(count, 'file')}: {said}")
    if evidence.unshown:
        _say(console, f"not believed: {counted(len(evidence.unshown), 'file')} of {folder}; {out / 'unshown.html'} says why")


def _say(console: Console, text: str) -> None:
    console.print(printable(text), soft_wrap=True, highlight=False, emoji=False, markup=False)

"""Parts: every file that comes from elsewhere, by a locked list (`xboot.lock`), from wherever it can be had, and always the same bytes.

`obtain(name, architecture)` gives a verified file in the cache; `locked().group(name)` the parts of a group, dependencies included;
`unpack(deb, folder)` its content, without dpkg. docs/parts.md is the page for users.
"""

from xboot.parts.base import Base, drifted, watched
from xboot.parts.deb import unpack
from xboot.parts.lock import Group, Lock, Part, Suite, locked, read_lock, write_lock
from xboot.parts.npm import npm_files
from xboot.parts.obtaining import at_hand, obtain, obtain_part

__all__ = [
    "Base",
    "Group",
    "Lock",
    "Part",
    "Suite",
    "at_hand",
    "drifted",
    "locked",
    "npm_files",
    "obtain",
    "obtain_part",
    "read_lock",
    "unpack",
    "watched",
    "write_lock",
]

"""One jump in GNU Mach, mended.

`int $0x80` in a task with an emulation vector ends in a general protection fault; the trap handler (i386/i386/locore.S, take_trap) then
jumps into the system call's code behind the instructions that change to the kernel's own stack. So the two words that the emulation pushes
for the program are written while the processor stands on the thread's register save area; if the program's stack page is not there yet, the
page fault is handled on that area too, and what lies below it, other threads' registers among them, is overwritten. Any builder could
do that at will. (Seen in Debian's 1.8+git20221224: the kernel panics in kmem_cache_alloc some threads later.)

With the jump eight bytes shorter, the change of stacks is made here as it is for a call through the gate. A kernel without this place
is left as it is and gets no emulation vector: then every system call reaches the server as an exception, which is slower.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

__all__ = ["is_mended", "mend"]

# mov 4(%esp),%esp; or %eax,%eax; jz +8; mov 0x2c(%ebx),%eax; jmp rel32
_JUMP = re.compile(rb"\x8b\x64\x24\x04\x09\xc0\x74\x08\x8b\x43\x2c\xe9(....)", re.DOTALL)
# mov kernel_stack,%ebx; xchg %ebx,%esp
_CHANGE = re.compile(rb"\x8b\x1d....\x87\xdc", re.DOTALL)
_LENGTH = 8


def mend(kernel: bytes) -> bytes | None:
    """The kernel with the jump mended, or None when it has no such place, or more than one."""
    found = _target(kernel)
    if found is None or not _CHANGE.fullmatch(kernel[found[1] - _LENGTH : found[1]]):
        return None
    place, target = found
    return kernel[:place] + struct.pack("<i", target - _LENGTH - (place + 4)) + kernel[place + 4 :]


def is_mended(path: Path) -> bool:
    """Whether the jump in this kernel leads to the change of stacks, so that its emulation of system calls may be used."""
    kernel = path.read_bytes()
    found = _target(kernel)
    return found is not None and _CHANGE.fullmatch(kernel[found[1] : found[1] + _LENGTH]) is not None


def _target(kernel: bytes) -> tuple[int, int] | None:
    """Where the jump's distance stands in the file, and where it leads: both are in one section, so offsets differ as addresses do."""
    found = list(_JUMP.finditer(kernel))
    if len(found) != 1:
        return None
    (distance,) = struct.unpack("<i", found[0][1])
    return found[0].start(1), found[0].end() + distance

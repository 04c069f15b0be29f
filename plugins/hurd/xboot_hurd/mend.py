"""GNU Mach, mended: one jump, copying by words, and two numbers.

**The jump.** `int $0x80` in a task with an emulation vector ends in a general protection fault; the trap handler (i386/i386/locore.S,
take_trap) then jumps into the system call's code behind the instructions that change to the kernel's own stack. So the two words that the
emulation pushes for the program are written while the processor stands on the thread's register save area; if the program's stack page is
not there yet, the page fault is handled on that area too, and what lies below it, other threads' registers among them, is overwritten. Any
builder could do that at will. (Seen in Debian's 1.8+git20221224: the kernel panics in kmem_cache_alloc some threads later.)

With the jump eight bytes shorter, the change of stacks is made here as it is for a call through the gate. A kernel without this place
is left as it is and gets no emulation vector: then every system call reaches the server as an exception, which is slower.

**By words.** memcpy, memmove and memset (i386/i386/strings.c) are `rep movsb` and `rep stosb`. A processor that sees these does them by
lines; an emulator does a byte at a time, 4,096 for each page that is zeroed for a program or copied when it is written. Here they go by
words and then by what is left, in the same 112 bytes, where nothing else stands: what they do to memory and what they return is the same
(memmove goes backwards by bytes as before), and they change no registers but those that a C function may. A kernel that has other bytes
there keeps them.

**Two numbers.** At its start Mach measures for Linux's drivers how often their waiting loop goes round in a second
(linux/dev/init/main.c, calibrate_delay): it doubles a guess, 4,096 first, until that many rounds take longer than a tick of the clock,
10 ms, and then finds eight more bits, one a tick or two. That was a quarter of a second, nearly half of all that comes before the first
builder. The guess now begins at 2^20, which an emulator does in a millisecond, and two bits are found: the drivers' waits may be a fifth
shorter than they are meant to be, and on a very slow machine longer. No driver here has a device; the clock itself has nothing to do with
it.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

__all__ = ["BY_WORDS", "by_words", "is_mended", "measured_sooner", "mend"]

# mov 4(%esp),%esp; or %eax,%eax; jz +8; mov 0x2c(%ebx),%eax; jmp rel32
_JUMP = re.compile(rb"\x8b\x64\x24\x04\x09\xc0\x74\x08\x8b\x43\x2c\xe9(....)", re.DOTALL)
# mov kernel_stack,%ebx; xchg %ebx,%esp
_CHANGE = re.compile(rb"\x8b\x1d....\x87\xdc", re.DOTALL)
_LENGTH = 8

# mov $0x1000,%edx; add $16,%esp; add %edx,%edx; mov %edx,loops_per_sec
_GUESS = re.compile(rb"\xba(\x00\x10\x00\x00)\x83\xc4\x10\x01\xd2\x89\x15(....)", re.DOTALL)
# mov loops_per_sec,%esi; mov %esi,%edx; shr %edx; shr $2,%esi; je rel32; mov $8,%ebx
_BITS = re.compile(rb"\x8b\x35(....)\x89\xf2\xd1\xea\xc1\xee\x02\x0f\x84....\xbb(\x08\x00\x00\x00)", re.DOTALL)
_FIRST_GUESS, _BITS_FOUND = 1 << 20, 2

# The three functions as Debian's gcc made them, with what fills the place between them.
_BY_BYTES = bytes.fromhex(
    "57568b44240c8b7424108b4c241489c7f3a45e5fc38db426000000008d742600"  # memcpy
    "57568b44240c8b7424108b4c241439c6720e89c7f3a45e5fc38db4260000000"  # memmove
    "08d51ff8d3c1001d6fdf3a4fc5e5fc390"
    "578b5424088b4c24108b44240c89d7f3aa89d05fc38db426000000008d742600"  # memset
)

BY_WORDS = """
memcpy:         push %edi
                push %esi
                mov 12(%esp), %eax      # to: what is returned
                mov 16(%esp), %esi
                mov 20(%esp), %ecx
forwards:       mov %eax, %edi
                mov %ecx, %edx
                shr $2, %ecx
                rep movsl
                mov %edx, %ecx
                and $3, %ecx
                rep movsb
                jmp moved
memmove:        push %edi
                push %esi
                mov 12(%esp), %eax
                mov 16(%esp), %esi
                mov 20(%esp), %ecx
                cmp %eax, %esi
                jae forwards            # each word lies before all that is still to be read
                lea -1(%ecx), %edx
                lea (%eax, %edx), %edi
                add %edx, %esi
                std
                rep movsb
                cld
moved:          pop %esi
                pop %edi
                ret
rest:           mov %edx, %ecx
                and $3, %ecx
                rep stosb
                mov 8(%esp), %eax       # to
                pop %edi
                ret
                nop
                nop
memset:         push %edi
                mov 8(%esp), %edi
                movzbl 12(%esp), %eax
                imul $0x01010101, %eax, %eax
                mov 16(%esp), %ecx
                mov %ecx, %edx
                shr $2, %ecx
                rep stosl
                jmp rest
                nop
                nop
                nop
"""
"""The same by words, in the same places: memmove begins at 32, memset at 80."""

_BY_WORDS = bytes.fromhex(
    "57568b44240c8b7424108b4c241489c789cac1e902f3a589d183e103f3a4eb1e"
    "57568b44240c8b7424108b4c241439c673dc8d51ff8d3c10"
    "01d6fdf3a4fc5e5fc389d183e103f3aa8b4424085fc39090"
    "578b7c24080fb644240c69c0010101018b4c241089cac1e902f3abebd4909090"
)


def by_words(kernel: bytes) -> bytes:
    """The kernel with the three functions going by words, or as it was when it has not these, or has them twice."""
    return kernel.replace(_BY_BYTES, _BY_WORDS) if kernel.count(_BY_BYTES) == 1 else kernel


def measured_sooner(kernel: bytes) -> bytes:
    """The kernel with the two numbers, or as it was when it has not this measurement, or has it twice."""
    guesses, bits = list(_GUESS.finditer(kernel)), list(_BITS.finditer(kernel))
    if len(guesses) != 1 or len(bits) != 1 or guesses[0][2] != bits[0][1]:
        return kernel
    after = bytearray(kernel)
    struct.pack_into("<I", after, guesses[0].start(1), _FIRST_GUESS)
    struct.pack_into("<I", after, bits[0].start(2), _BITS_FOUND)
    return bytes(after)


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

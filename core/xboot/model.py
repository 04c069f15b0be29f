"""The nouns. Stages pass these to each other and know nothing else of one another.

This module imports nothing of ours. Everything is immutable; store paths are `str` (they are ASCII by their grammar),
contents of derivations are `bytes` (Nix allows any byte in arguments and environment).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from xboot._records import dataclass

# ---------------------------------------------------------------- parse


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a derivation, as its text declares it.

    `path` is empty for a floating content-addressed output. `hash_algo` is as in the file (`sha256`, `r:sha256`, …)
    and `hash` the hex digest; both are empty for an ordinary (input-addressed) output.
    """

    name: str
    path: str
    hash_algo: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A parsed `.drv` file. `outputs` and `input_drvs` keep the order of the file (which is sorted by name and path)."""

    path: str
    outputs: Mapping[str, Output]
    input_drvs: Mapping[str, Sequence[str]]
    input_srcs: Sequence[str]
    system: str
    builder: bytes
    args: Sequence[bytes]
    env: Mapping[bytes, bytes]

    @property
    def is_fixed_output(self) -> bool:
        """True when the content of the only output is fixed by a hash in the derivation."""
        return len(self.outputs) == 1 and next(iter(self.outputs.values())).hash != ""


class SourceKind(enum.Enum):
    """How the path of a source was verified."""

    NAR = "nar"  # `source` fingerprint: recomputed from the NAR hash
    TEXT = "text"  # `text` fingerprint: recomputed from the file's SHA-256
    FIXED = "fixed"  # output of a fixed-output derivation, content at hand and checked by its hash
    SEED = "seed"  # trusted: its path cannot be recomputed from its content; listed as such
    BUILT = "built"  # output of an earlier boot of the same run, brought out and hashed by the host; `location` is a `.nar` file


@dataclass(frozen=True, slots=True)
class Source:
    """A store path whose content xboot has. `location` is the unpacked tree or a `.nar` file; `nar_size` in bytes; hashes in hex."""

    path: str
    kind: SourceKind
    location: Path
    nar_sha256: str
    nar_size: int
    references: Sequence[str] = ()

    @property
    def packed(self) -> bool:
        """Whether `location` is a `.nar` file of it, and not the tree itself."""
        return self.kind is SourceKind.BUILT or self.location.name == self.path.rsplit("/", 1)[1] + ".nar"


@dataclass(frozen=True, slots=True)
class Closure:
    """A verified derivation graph.

    `roots` are the `.drv` paths asked for. `sources` holds what was found and verified; `missing` maps each source
    path that the graph needs and whose content is not at hand to the derivation that needs it (fine for a plan, fatal
    for a run). `store_dir` is e.g. `/nix/store`.
    """

    store_dir: str
    roots: Sequence[str]
    derivations: Mapping[str, Derivation]
    sources: Mapping[str, Source]
    missing: Mapping[str, str] = field(default_factory=dict)


# ---------------------------------------------------------------- linearize


@dataclass(frozen=True, slots=True)
class FixedHash:
    """The content hash that a fixed-output step must reach: `mode` is `flat` or `recursive`, `sha256` hex."""

    mode: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StepOutput:
    name: str
    path: str
    fixed: FixedHash | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One builder to run. Field for field the `step` clause of docs/contract.md."""

    number: int
    drv: str
    system: str
    builder: bytes
    argv: Sequence[bytes]
    env: Sequence[tuple[bytes, bytes]]
    cwd: str
    files: Sequence[tuple[str, bytes]]
    graphs: Sequence[tuple[str, Sequence[str]]]
    inputs: Sequence[str]
    outputs: Sequence[StepOutput]


@dataclass(frozen=True, slots=True)
class Script:
    """The linear build: `text` is what the guest reads, `sha256` (hex) identifies the run; the other fields are the
    same content, structured.

    `at_hand`: results of fixed-output derivations that could have been steps, but lay in a store and are sources: path -> derivation.
    `checks` are conditions on references that the host verifies after the run (allowedReferences and kin): drv path -> output name -> rule.
    """

    text: bytes
    sha256: str
    store_dir: str
    sources: Sequence[Source]
    steps: Sequence[Step]
    results: Sequence[str]
    seeds: Sequence[str] = ()
    checks: Sequence[ReferenceCheck] = ()
    at_hand: Mapping[str, str] = field(default_factory=dict)

    @property
    def systems(self) -> frozenset[str]:
        return frozenset(step.system for step in self.steps)


FIXED_OUTPUT = "a fixed output"
"""The kind of check that a fixed output, whose hash alone must say what it is, names no store path (Nix since 2.10)."""


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """allowedReferences (`allowed`), allowedRequisites, disallowedReferences, disallowedRequisites of one step:
    `kind` is the attribute's name, or `FIXED_OUTPUT`; `paths` store paths, `output` one output or empty for all.
    """

    step: int
    output: str
    kind: str
    paths: Sequence[str]


EMPTY_SCRIPT = Script(b"", sha256(b"").hexdigest(), "/nix/store", (), (), ())
"""The script of no target: what is measured with it is the backend alone."""


# ---------------------------------------------------------------- package


class Role(enum.Enum):
    """What a component is for, from power-on upwards."""

    FIRMWARE = "firmware"
    LOADER = "loader"
    COMPILER = "compiler"
    KERNEL = "kernel"
    SERVICES = "services"
    EXECUTOR = "executor"
    SCRIPT = "script"
    SEED = "seed"
    PADDING = "padding"
    SUBSTRATE = "substrate"


@dataclass(frozen=True, slots=True)
class BuildTool:
    """Something that must be believed of how something else was made: a compiler, a linker, what they need to run. What it was itself
    compiled by is in `made_by`, down to what came as a binary (`prebuilt`): of that, nobody here knows more than its hash.

    Two are the same when `name`, `version` and `sha256` are.
    """

    name: str
    version: str = ""
    sha256: str = ""
    bytes: int | None = None
    origin: str = ""
    prebuilt: bool = True
    source_files: Sequence[Path] = ()
    made_by: Sequence[BuildTool] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a backend prepared (a kernel, an executor), with what is known of its making.

    `source_files` are the files really compiled into it and `lines_method` says how that list was obtained
    (`dependency files`, `DWARF line tables`, `manifest`). `prebuilt`: it came as a binary, whether its source is known or not.
    """

    name: str
    path: Path
    sha256: str
    size: int
    role: Role
    origin: str = ""
    version: str = ""
    built_with: Sequence[str] = ()
    source_files: Sequence[Path] = ()
    lines_method: str = ""
    prebuilt: bool = False
    made_by: Sequence[BuildTool] = ()


@dataclass(frozen=True, slots=True)
class Region:
    """`size` bytes from `offset` in `file`, owned by `component`. The regions of a file cover it without gap or overlap."""

    file: str
    offset: int
    size: int
    component: str


@dataclass(frozen=True, slots=True)
class BootImage:
    """What is booted: `files` are handed to the machine (`kernel`, `initrd`, …), `regions` say who owns each byte, `sha256` is over all
    files.
    """

    backend: str
    script: Script
    files: Mapping[str, Path]
    regions: Sequence[Region]
    artifacts: Mapping[str, Artifact]
    sha256: str


# ---------------------------------------------------------------- boot


class Protocol(enum.Enum):
    """How a kernel wants to be entered."""

    MULTIBOOT = "multiboot"  # Multiboot 0.6.96, with modules
    PVH = "pvh"  # the ELF note of owner Xen, type 18; the first module is the initrd
    LINUX = "linux"  # a bzImage by Linux's boot protocol; the first module is the initrd
    PROGRAM = "program"  # none: the kernel is a program of the host, as User-Mode Linux is; the first module is the initrd


@dataclass(frozen=True, slots=True)
class Module:
    """A file that is loaded beside the kernel, with the words that a multiboot module is given."""

    path: Path
    words: str = ""


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial port of the 8250 family: its first I/O port and its interrupt line."""

    port: int
    irq: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """The devices that the guest's code speaks to. `console` shows what a guest prints, `result` is the result channel (docs/contract.md,
    section 5). `exit` is the I/O port that ends the machine with the byte that is written to it. None: this guest has none.
    """

    console: Serial | None = Serial(0x3F8, 4)
    result: Serial = Serial(0x2F8, 3)
    exit: int | None = 0xF4


class Ending(enum.Enum):
    """What the byte that a guest writes to the exit device means."""

    SUCCESS = "success"  # all steps ran: valid only together with `done`
    FAILURE = "failure"  # valid only together with `fail`
    PANIC = "panic"  # the kernel or executor gave up: always a failure


MAX_ENDING = 0x40
"""Bytes on the exit device are below this one: an emulator makes the status 2 * byte + 1 of them, and 128 + n is a signal's."""

ENDINGS: Mapping[int, Ending] = {0x31: Ending.SUCCESS, 0x21: Ending.FAILURE, 0x11: Ending.PANIC}
"""The bytes of docs/contract.md, section 6."""


@dataclass(frozen=True, slots=True)
class Window:
    """The export window: `size` bytes from guest-physical address `base`, which the kernel uses for nothing else.

    It is RAM behind what the kernel is told of, or, with `device`, the memory of a PCI card at that address.
    """

    base: int
    size: int
    device: bool = False


@dataclass(frozen=True, slots=True)
class Boot:
    """What an image needs of a machine: how it is entered, with which files, and what its guest code finds there. No machine is named.

    `words` is the kernel's command line. `bits` is 32 or 64, `processor` what it must have, a level and features joined by `+`: `i686`,
    `x86-64-v2`, `x86-64-v2+smep`. `memory` in MiB is all that the kernel may use; the window comes on top. `native`: the guest was tried on
    the host's own processor (KVM) too. `hints`: words that only the machine of that name understands.
    """

    protocol: Protocol
    kernel: Path
    memory: int
    modules: Sequence[Module] = ()
    words: str = ""
    bits: int = 64
    processor: str = "x86-64-v2"
    window: Window | None = None
    wiring: Wiring = field(default_factory=Wiring)
    endings: Mapping[int, Ending] = field(default_factory=lambda: ENDINGS)
    native: bool = False
    hints: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for an ending that a machine's own death could be taken for: a signal's status is 128 and more."""
        wrong = [byte for byte in self.endings if not 0 < byte < MAX_ENDING]
        if wrong:
            raise ValueError(f"the ending {wrong[0]:#x} is not one of the bytes 0x01 to {MAX_ENDING - 1:#04x}")


class Phase(enum.Enum):
    """What an event is about."""

    PREPARE = "prepare"
    SOURCE = "source"
    HELLO = "hello"
    BEGIN = "begin"
    RUNNING = "running"
    OUTPUT = "output"
    EXPORT = "export"
    FAIL = "fail"
    DONE = "done"
    CONSOLE = "console"
    STAGE = "stage"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that observers may want to know. `seconds` since the machine started (since the command started for
    `STAGE` and `PREPARE`).
    """

    phase: Phase
    seconds: float
    step: int = 0
    name: str = ""
    text: str = ""
    sha256: str = ""
    size: int = 0
    references: Sequence[str] = ()
    done: float | None = None  # progress of a long stage, 0..1
    voter: str = ""  # set by the pipeline, since several voters may run side by side


class Status(enum.Enum):
    """The verdict on one output."""

    MATCH = "match"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # built, nothing to compare with
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class OutputVerdict:
    """What came of one output. `expected` maps the origin of an expectation (`--expect`, `fixed-output`, `store`, …)
    to the NAR hash in hex.
    """

    step: int
    drv: str
    name: str
    path: str
    status: Status
    nar_sha256: str = ""
    nar_size: int = 0
    references: Sequence[str] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Cause(enum.Enum):
    """Whose doing it is that a run did not get to its end."""

    GUEST = "guest"  # the machine, or what runs in it; a deadline that passed
    USER = "user"  # interrupted
    HOST = "host"  # this machine gave out: a full disk


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a run. `failure` is empty when the guest ran to its end (the outputs may still differ), otherwise one sentence that names
    the step and path; `cause` says whose doing it is, `hint` what to try next.

    `sources`: those of which the user said what their hash should be (step 0). `done_alone`: the machine has no exit status, so
    that the end of the run rests on the channel's `done` or `fail` alone. `confinement`: what held the machine's own program. `seal`:
    `steps` when each step had a boot of its own and was hashed by the host, `run` when a builder could speak for the steps after it. Of a
    run of several boots, `image_sha256` is that of the image without a script; each boot's own is in the report.
    """

    backend: str
    script_sha256: str
    image_sha256: str
    accelerator: str
    outputs: Sequence[OutputVerdict]
    failure: str = ""
    failed_step: int | None = None
    seconds: float = 0.0
    first_builder_seconds: float | None = None
    console_tail: str = ""
    exports: Mapping[str, Path] = field(default_factory=dict)
    sources: Sequence[OutputVerdict] = ()
    cause: Cause = Cause.GUEST
    hint: str = ""
    machine: str = "qemu"
    done_alone: bool = False
    confinement: str = ""
    seal: str = "run"

    @property
    def ok(self) -> bool:
        """The machine ran to its end and no output differs."""
        return not self.failure and all(o.status in (Status.MATCH, Status.UNKNOWN) for o in (*self.outputs, *self.sources))

    @property
    def differs(self) -> bool:
        """An output, or a source that was checked, has another hash than expected."""
        return any(o.status is Status.DIFFERS for o in (*self.outputs, *self.sources))


# ---------------------------------------------------------------- tcb


@dataclass(frozen=True, slots=True)
class Component:
    """Something that you must trust. `bytes` in the image; `lines` are source lines compiled in this configuration
    (None: not known), counted as `lines_method` says. `prebuilt`: nobody compiled it here.
    """

    name: str
    role: Role
    bytes: int
    sha256: str
    origin: str = ""
    version: str = ""
    languages: Mapping[str, int] = field(default_factory=dict)
    lines: int | None = None
    lines_method: str = ""
    source_hashes: Mapping[str, str] = field(default_factory=dict)  # file → SHA-256, for all that was compiled
    source_lines: Mapping[str, int] = field(default_factory=dict)  # SHA-256 → lines: by content, two backends are found to share a file
    built_with: Sequence[str] = ()
    syscalls: Sequence[str] = ()
    prebuilt: bool = False
    made_by: Sequence[BuildTool] = ()


class SettingKind(enum.Enum):
    """What the value of a setting is, where it is not one of a list."""

    TEXT = "text"
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that a user may choose for a backend, with `--set NAME=VALUE`. `values`: those that there are; empty: anything of `kind`.
    `default` is in words when it is no value (`its own`).
    """

    name: str
    help: str
    values: Sequence[str] = ()
    kind: SettingKind = SettingKind.TEXT
    default: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A program that is run on this host: what for, and the package that holds it by distribution (`debian`, `fedora`, `arch`, `nix`,
    `guix`). `optional`: what is usual goes without.
    """

    program: str
    purpose: str
    packages: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What a backend says of itself. `maturity`: `stable`, `experimental`. `abilities`: e.g. `export`, `kvm`, `standalone`.

    `max_payload`: bytes of script and sources that its kernel can hold (0: not known); more is refused before anything is packed.
    `settings`: all that `--set` may choose, anything else is refused before the backend is asked. `needs`: the programs that
    `xboot doctor` looks for.
    """

    name: str
    summary: str
    systems: Sequence[str]
    executors: Sequence[str] = ("c",)
    abilities: Sequence[str] = ()
    maturity: str = "experimental"
    contract: int = 1
    max_payload: int = 0
    settings: Sequence[Setting] = ()
    needs: Sequence[Need] = ()


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """What a machine says of itself. `abilities`: `exit-status`, `read-memory`, `kvm`, `gdb`. `bits`: of the processors that it has.
    `needs`: the programs that `xboot doctor` looks for. `address`: an example of what says which machine of this kind is meant
    (`/dev/ttyUSB0`), where a user must say so; empty where there is but one. `variants`: what a user may say there instead of nothing, for
    another form of the machine, which `Machine.at` gives; all forms count as one machine.

    `pace`: how many times as slow as QEMU without KVM it is; deadlines that the user did not choose grow by that factor.
    """

    name: str
    summary: str
    abilities: Sequence[str] = ()
    bits: Sequence[int] = (32, 64)
    pace: float = 1.0
    contract: int = 2
    needs: Sequence[Need] = ()
    address: str = ""
    variants: Sequence[str] = ()

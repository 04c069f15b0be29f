"""What a user wishes, in one piece: filled by the command line or the Python API, and handed on unchanged to whoever needs part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from xboot._records import dataclass
from xboot.boot import RunOptions
from xboot.errors import UsageError
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.voter import Voter

__all__ = ["EXPORT_SIZE", "MACHINE", "USUAL_CUT", "Expected", "Request", "usual_read_options"]


EXPORT_SIZE = 64 << 20
"""Bytes of guest memory through which outputs are brought out, a piece at a time."""
MACHINE = "qemu"
"""The machine unless another is named."""
USUAL_CUT = "usual"
"""How a run is cut into boots unless its user says how (`xboot.segments.wanted`)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the user says the hashes are: `hashes` as `[NAME=]HASH`, `file` a JSON object from store path to hash."""

    hashes: Sequence[str] = ()
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """All wishes.

    targets     unrolled into one script
    voters      who runs it; empty means `linux` for a run, and all that can for what takes several
    machine     of voters that name none
    settings    `NAME`, or `BACKEND.NAME` for one backend alone, to value
    memory      MiB for each guest (None: the backend chooses, from what the host can spare)
    spare       MiB that the host can spare for each guest (0: what is free is asked)
    run         deadlines, accelerator, exports, the console's log
    expected    hashes that the user knows; looked up when there is a script
    quorum      complete runs that make an agreement (None: all)
    jobs        machines that run at once (None: one a core)
    segments    how a run is cut into boots: `none`, `auto`, `steps` or a number; `usual`: `steps` wherever that can be (docs/segments.md)
    fresh       take nothing from earlier runs
    keep_going  a comparison in several boots goes on after a difference
    inputs_of   with what this voter made; otherwise with what the quorum agrees on (None)
    cluster     who boots: a Dask scheduler's address, or `local:N` (empty: this host; docs/cluster.md)
    exchange    the URL of a folder where a cluster's workers and this host exchange NARs
    independent of the complete runs, how many must share no guest code (None: any)
    independent_machines  nor a machine
    measure     measure what is booted (`Result.components`)
    measure_below  measure what stands below it alone (`Result.below`)
    export_size bytes of the export window, when there is something to export (`RunOptions.export`)
    quiet       no progress is shown
    reports     `FORMAT[=FILE]`, for reporters
    html        where a report for browsers goes
    """

    targets: Sequence[str] = ()
    voters: Sequence[Voter] = ()
    machine: str = MACHINE
    read: ReadOptions = field(default_factory=ReadOptions)
    linearize: LinearizeOptions = field(default_factory=LinearizeOptions)
    settings: Mapping[str, str] = field(default_factory=dict)
    memory: int | None = None
    spare: int = 0
    run: RunOptions = field(default_factory=RunOptions)
    expected: Expected = field(default_factory=Expected)
    quorum: int | None = None
    jobs: int | None = None
    segments: str = USUAL_CUT
    fresh: bool = False
    keep_going: bool = False
    inputs_of: str | None = None
    cluster: str = ""
    exchange: str = ""
    independent: int | None = None
    independent_machines: bool = False
    measure: bool = False
    measure_below: bool = False
    export_size: int = EXPORT_SIZE
    quiet: bool = False
    reports: Sequence[str] = ()
    html: Path | None = None

    @property
    def voter(self) -> Voter:
        """The one that a run is on. Raises UsageError when there are several."""
        if len(self.voters) > 1:
            raise UsageError(f"{', '.join(map(str, self.voters))}: a run has one voter", hint="`xboot compare` takes several")
        return self.voters[0] if self.voters else Voter("linux")


def usual_read_options(stores: Iterable[Path] = (), seeds: Sequence[str] = ()) -> ReadOptions:
    """`stores`, or this machine's own unless there are any; what `xboot derive` and `xboot fetch` brought is always at hand."""
    from xboot.recipe import default_store_folder  # noqa: PLC0415 - pydantic takes 60 ms to import

    named = list(stores)
    usual = [] if named else [Path("/nix/store"), Path("/gnu/store")]
    return ReadOptions(stores=[*named, *(folder for folder in (*usual, default_store_folder()) if folder.is_dir())], seeds=list(seeds))

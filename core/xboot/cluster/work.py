"""A worker's side: one task, one boot. What it needs comes from the exchange, what came out of the guest goes there; the answer is small.

Nothing that goes wrong is an exception for Dask, which would carry it to the host as a pickle: it is an answer, in one sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from distributed import get_worker

from xboot._workspace import scratch_folder
from xboot.cluster.answer import Answer, AnsweredBoot, AnsweredFile, AnsweredOutput, Task
from xboot.errors import InputError, XbootError
from xboot.foreign import printable
from xboot.hooks import BackendOptions
from xboot.model import Artifact, Script, Source, SourceKind, Verdict
from xboot.pipeline import Pipeline
from xboot.segments.base import measure_base
from xboot.segments.format import Base
from xboot.segments.one import Here

__all__ = ["work"]

_CACHE = 16 << 30  # bytes of NARs that a worker keeps for tasks to come
_PREPARING = threading.Lock()
_prepared: dict[str, tuple[Base, Mapping[str, Artifact]]] = {}


def work(task: Task) -> str:
    """Do `task`; the `Answer` as JSON. Raises nothing but what ends the worker."""
    script = task.script.sha256
    try:
        answer = _work(task)
    except XbootError as error:
        answer = Answer(script=script, fault=error.message)
    except OSError as error:
        answer = Answer(script=script, fault=f"{error.filename or 'its disk'}: {error.strerror or type(error).__name__}")
    except Exception as error:
        answer = Answer(script=script, fault=printable(f"{type(error).__name__}: {error}", 500))
    return answer.model_dump_json()


def _work(task: Task) -> Answer:
    root = _root()
    pipeline = Pipeline(task.plugins())
    with scratch_folder(root / "tmp") as folder, _watched() as stop:
        base, artifacts = _base(task, pipeline, folder)
        if task.base is None or base != task.base:
            return Answer(script=task.script.sha256, base=json.dumps(base.fields()))
        script, lacks = _with_sources(task, root / "nars", folder)
        if lacks:
            return Answer(script=task.script.sha256, lacks=lacks)
        logs: list[Path] = []
        run = replace(task.run, stop=stop, log=Path() if task.log else None)
        wished = task.run.run_timeout
        assert wished is not None
        here = Here(
            pipeline, task.voter.backend, task.options, artifacts, pipeline.plugins.machine(task.voter.machine, task.voter.address), run,
            lambda _: nullcontext(), lambda: wished, lambda _, file: logs.append(file),
        )  # fmt: skip
        try:
            verdict = here(task.segment, script, folder, lambda _: None).verdict
        except InputError:
            for source in script.sources:  # one of them is no longer what was got
                _kept(root / "nars", source).unlink(missing_ok=True)
            raise
        boot = _boot(verdict, task)
        log = None
        if logs:
            log = _put(task, logs[0])
        return Answer(script=task.script.sha256, boot=boot, log=log)


def _root() -> Path:
    """Where this worker has its files: Dask's folder for it, which goes with it."""
    try:
        return Path(get_worker().local_directory) / "xboot"
    except ValueError:  # no worker of Dask's
        return Path(tempfile.gettempdir()) / f"xboot-worker-{os.getuid()}"


@contextmanager
def _watched() -> Iterator[threading.Event]:
    """An event that is set once nobody wants the running task any more: the user interrupted the run, or its host is gone."""
    stop, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                stop.set()
                return

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except (ValueError, AttributeError):
        yield stop
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stop
    finally:
        over.set()
        watcher.join()


def _base(task: Task, pipeline: Pipeline, folder: Path) -> tuple[Base, Mapping[str, Artifact]]:
    """What this worker's boots stand on; measured once."""
    options: BackendOptions = task.options
    name = repr((_root(), str(task.voter), sorted(options.settings.items()), task.run.accelerator, task.plugins))
    with _PREPARING:
        if name not in _prepared:
            artifacts = pipeline.prepare(task.voter.backend, None, options)
            machine = pipeline.plugins.machine(task.voter.machine, task.voter.address)
            empty = folder / "base"
            empty.mkdir()
            base, _, _ = measure_base(pipeline, task.voter, options, artifacts, machine, task.run.accelerator, empty)
            _prepared[name] = base, artifacts
        return _prepared[name]


# ---------------------------------------------------------------- sources


def _with_sources(task: Task, cache: Path, folder: Path) -> tuple[Script, list[str]]:
    """The script with files of this worker for its sources, and the hashes of those that are nowhere."""
    cache.mkdir(parents=True, exist_ok=True)
    _make_room(cache, sum(source.nar_size for source in task.script.sources))
    sources, lacks = [], []
    for source in task.script.sources:
        file = folder / f"{source.nar_sha256}.source"
        if not _get(task, source, cache, file):
            lacks.append(source.nar_sha256)
        sources.append(replace(source, kind=SourceKind.BUILT, location=file))  # a file that is a NAR; the script's text stays as it is
    return replace(task.script, sources=sources), lacks


def _get(task: Task, source: Source, cache: Path, file: Path) -> bool:
    """Have `file` be the NAR of `source`: from this worker's cache, or from the exchange. False when it is nowhere."""
    kept = _kept(cache, source)
    if file.exists():
        return True
    try:
        os.link(kept, file)
        return True  # whatever it is: it is hashed when it is packed
    except FileNotFoundError:
        pass
    if not task.exchange.get(source.nar_sha256, source.nar_size, file):
        file.unlink()
        return False
    with suppress(FileExistsError):  # another thread of this worker was first
        os.link(file, kept)
    return True


def _kept(cache: Path, source: Source) -> Path:
    return cache / f"{source.nar_sha256}.nar"


def _make_room(cache: Path, size: int) -> None:
    """Forget what was got first until `size` bytes fit. Tasks that run have links of their own."""
    files = sorted((file.stat().st_mtime, file.stat().st_size, file) for file in cache.iterdir())
    left = sum(one[1] for one in files) + size
    for _, its, file in files:
        if left <= _CACHE:
            return
        file.unlink(missing_ok=True)
        left -= its


# ---------------------------------------------------------------- the answer


def _boot(verdict: Verdict, task: Task) -> AnsweredBoot:
    outputs = []
    if not verdict.failure:
        for output in verdict.outputs:
            outputs.append(
                AnsweredOutput(
                    path=output.path, narSha256=output.nar_sha256, narSize=output.nar_size, references=list(output.references),
                    seconds=output.seconds, file=_put(task, verdict.exports[output.path]),
                )
            )  # fmt: skip
    return AnsweredBoot(
        imageSha256=verdict.image_sha256, seconds=verdict.seconds, firstBuilderSeconds=verdict.first_builder_seconds,
        failure=verdict.failure, failedStep=verdict.failed_step, cause=verdict.cause.value, hint=verdict.hint, tail=verdict.console_tail,
        confinement=verdict.confinement, outputs=outputs,
    )  # fmt: skip


def _put(task: Task, file: Path) -> AnsweredFile:
    """Lay a file that came out of a guest into the exchange, by its own hash, whatever the guest said that it is."""
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
    task.exchange.put(file, sha256)
    return AnsweredFile(sha256=sha256, size=size)

"""What goes between host and worker: a task, and its answer. Tasks are pickled, by the host that workers serve; answers are JSON, which the
host reads as it reads any stranger's: what is not exactly of this form is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xboot._records import dataclass
from xboot.boot import RunOptions
from xboot.cluster.exchange import Exchange
from xboot.hooks import BackendOptions
from xboot.model import Script
from xboot.plugins import Plugins
from xboot.segments.cut import Segment
from xboot.segments.format import Base
from xboot.voter import Voter

__all__ = ["Answer", "AnsweredBoot", "AnsweredFile", "AnsweredOutput", "Task", "read_answer"]

MAX_ANSWER = 64 << 20
"""Characters of an answer."""
_HEX = r"^[0-9a-f]{64}$"


@dataclass(frozen=True, slots=True)
class Task:
    """One boot, on whatever worker takes it. `base`: what it must stand on (None: the worker only says what it has). `log`: the console is
    wanted. `plugins`: makes those of the worker, `Plugins.load` but in tests.
    """

    segment: Segment
    script: Script
    voter: Voter
    options: BackendOptions
    run: RunOptions
    exchange: Exchange
    base: Base | None
    log: bool = False
    plugins: Callable[[], Plugins] = Plugins.load


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AnsweredFile(_Part):
    """A file that the worker laid into the exchange."""

    sha256: str = Field(pattern=_HEX)
    size: int = Field(ge=0)


class AnsweredOutput(_Part):
    """What the guest said of an output, and the file that came out."""

    path: str
    narSha256: str
    narSize: int
    references: list[str]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    file: AnsweredFile


class AnsweredBoot(_Part):
    """The end of a boot: the fields of a verdict that the host does not know by itself. Of a failed one there are no outputs."""

    imageSha256: str = Field(pattern=_HEX)
    seconds: float = Field(ge=0, allow_inf_nan=False)
    firstBuilderSeconds: float | None
    failure: str
    failedStep: int | None
    cause: Literal["guest", "user", "host"]
    hint: str
    tail: str
    confinement: str
    outputs: list[AnsweredOutput]


class Answer(_Part):
    """`script`: the SHA-256 of what was asked. Exactly one of the others: `boot`; `lacks`: hashes of NARs that are not in the exchange;
    `base`: what the worker's boots stand on, when that is another; `fault`: why this worker could not boot. `log`: the console.
    """

    script: str
    boot: AnsweredBoot | None = None
    lacks: list[str] = Field(default_factory=list)
    base: str = ""
    fault: str = ""
    log: AnsweredFile | None = None


def read_answer(text: object, script: str) -> Answer | str:
    """An answer, or why it is none that an honest worker gives to the task of this script."""
    if not isinstance(text, str) or len(text) > MAX_ANSWER:
        return "an answer that is no text, or too long"
    try:
        answer = Answer.model_validate_json(text)
    except (ValidationError, RecursionError):
        return "an answer of another form"
    if answer.script != script:
        return "the answer to another task"
    if sum((answer.boot is not None, bool(answer.lacks), bool(answer.base), bool(answer.fault))) != 1:
        return "an answer that says several things, or nothing"
    return answer

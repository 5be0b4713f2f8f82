"""What a run says while it runs: numbered events, one JSON line each."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Discriminated, Json, noun
from osiris_sql.types.relation import DataFingerprint

StepStatus = Literal["success", "reused", "failed", "skipped", "cancelled"]
TestStatus = Literal["pass", "warn", "fail", "error", "reused", "proved"]


@noun
class RunStarted:
    """The first event: which plan runs, where."""

    kind: Literal["run_started"] = "run_started"
    run_id: str
    project: str
    env: str
    command: str
    launcher: str
    plan_sha256: str
    code_sha256: str = ""
    steps: int
    versions: Mapping[str, str]


@noun
class StepStarted:
    """A step began."""

    kind: Literal["step_started"] = "step_started"
    step: str


@noun
class StepProgress:
    """A step moved on; `rows` so far, `total` where it is known, `bytes` of them as they came, or as they
    are sent."""

    kind: Literal["step_progress"] = "step_progress"
    step: str
    rows: int = 0
    total: int | None = None
    bytes: int | None = None
    message: str = ""


@noun
class TestFinished:
    """A data test ended; `sample` holds the first offending rows as column → text.

    Where it did not pass, `compiled` is the file of its SQL in the run's folder, and `stored` the table
    that keeps the rows, if it was asked to. `why` says what proved or spared it.
    """

    kind: Literal["test_finished"] = "test_finished"
    step: str
    test: str
    status: TestStatus
    failures: int | None = None
    sample: tuple[Mapping[str, str | None], ...] = ()
    why: str = ""
    compiled: str = ""
    stored: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0.0


@noun
class StepFinished:
    """A step ended. `facts` hold what must be equal on every machine, such as verified counts; `observed`
    what was so this time, such as the position of a snapshot."""

    kind: Literal["step_finished"] = "step_finished"
    step: str
    status: StepStatus
    why: str = ""
    rows_in: int | None = None
    rows_out: int | None = None
    data: DataFingerprint | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    observed: Mapping[str, Json] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0.0


@noun
class RunFinished:
    """The last event."""

    kind: Literal["run_finished"] = "run_finished"
    status: Literal["success", "failed", "cancelled"]
    exit_code: int
    seconds: float
    diagnostics: tuple[Diagnostic, ...] = ()


EventBody = Annotated[
    RunStarted | StepStarted | StepProgress | TestFinished | StepFinished | RunFinished, Discriminated()
]


@noun
class Event:
    """An event with its number in the run, from 0 without gaps, and the instant (ISO, UTC)."""

    seq: int
    at: str
    body: EventBody

"""The result of a run: a fold over its events, so that local and remote can't disagree."""

from collections.abc import Iterable
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.event import Event, RunFinished, RunStarted, StepFinished, StepStarted, TestFinished
from osiris_sql.types.noun import noun


@noun
class RunResult:
    """What a run did. A step that started and never finished is in `unfinished`."""

    run_id: str = ""
    project: str = ""
    env: str = ""
    command: str = ""
    plan_sha256: str = ""
    code_sha256: str = ""
    status: Literal["running", "success", "failed", "cancelled"] = "running"
    exit_code: int | None = None
    started_at: str = ""
    seconds: float = 0.0
    steps: tuple[StepFinished, ...] = ()
    tests: tuple[TestFinished, ...] = ()
    unfinished: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def fold_events(events: Iterable[Event]) -> RunResult:
    """Return the result that `events`, in order, add up to; a cut-off stream gives status `running`."""
    head: RunStarted | None = None
    tail: RunFinished | None = None
    started_at = ""
    open_steps: dict[str, None] = {}
    steps: list[StepFinished] = []
    tests: list[TestFinished] = []
    for event in events:
        match event.body:
            case RunStarted() as body:
                head, started_at = body, event.at
            case StepStarted(step=step):
                open_steps[step] = None
            case StepFinished() as body:
                open_steps.pop(body.step, None)
                steps.append(body)
            case TestFinished() as body:
                tests.append(body)
            case RunFinished() as body:
                tail = body
            case _:
                pass
    return RunResult(
        run_id=head.run_id if head else "",
        project=head.project if head else "",
        env=head.env if head else "",
        command=head.command if head else "",
        plan_sha256=head.plan_sha256 if head else "",
        code_sha256=head.code_sha256 if head else "",
        status=tail.status if tail else "running",
        exit_code=tail.exit_code if tail else None,
        started_at=started_at,
        seconds=tail.seconds if tail else 0.0,
        steps=tuple(steps),
        tests=tuple(tests),
        unfinished=tuple(open_steps),
        diagnostics=tail.diagnostics if tail else (),
    )

"""Shows a run to a person: live on a terminal, in plain lines elsewhere, and a summary at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from osiris_sql.sinks import _summary
from osiris_sql.sinks._labels import (
    Label,
    bytes_text,
    label_steps,
    plural,
    published_text,
    rows_text,
    seconds_text,
    status_word,
)
from osiris_sql.sinks._remains import remains_text
from osiris_sql.support.excerpt import diagnostics_text, printable
from osiris_sql.types.event import (
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepProgress,
    StepStarted,
)
from osiris_sql.types.plan import Plan
from osiris_sql.types.result import RunResult, fold_events

QUIET = 20.0
"""Seconds after which a step that goes on says so again, where there is no terminal."""
RUNNING_SHOWN = 8


@dataclass(kw_only=True)
class _Running:
    began: float
    said: float
    progress: StepProgress | None = None


class Console:
    """Progress goes to `err`, the summary of what changed to `out`; both are rich consoles.

    With `summary` off only progress and failures are shown: the command prints what was asked for.
    `took` tells what steps took in earlier runs; it is asked once a run has lasted a second.
    """

    def __init__(
        self,
        plan: Plan,
        root: Path,
        *,
        out: RichConsole,
        err: RichConsole,
        summary: bool = True,
        took: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self._plan = plan
        self._look_back = took
        self._took: Mapping[str, float] | None = None
        self._ended: set[str] = set()
        self._began = time.monotonic()
        self._root = root
        self._labels = label_steps(plan)
        self._out = out
        self._err = err
        self._summary = summary
        self._events: list[Event] = []
        self._running: dict[str, _Running] = {}
        self._live: Live | None = None

    def emit(self, event: Event) -> None:
        """Show one event."""
        if not isinstance(event.body, StepProgress):
            self._events.append(event)
        match event.body:
            case RunStarted() as body:
                self._start(body)
            case StepStarted(step=step):
                now = time.monotonic()
                self._running[step] = _Running(began=now, said=now)
            case StepProgress() as body:
                self._progress(body)
            case StepFinished() as body:
                self._running.pop(body.step, None)
                self._ended.add(body.step)
                if not self._live:
                    self._line(body)
            case RunFinished():
                self.close()
                self._finish(fold_events(self._events))
            case _:
                pass

    def close(self) -> None:
        """Give the terminal back."""
        if self._live:
            self._live.stop()
            self._live = None

    def _start(self, body: RunStarted) -> None:
        if self._summary:
            steps = plural(body.steps, "step")
            self._err.print(Text(f"{body.command} {body.project} ({body.env}), {steps}", "bold"))
        if self._err.file.isatty() and not self._err.is_dumb_terminal and body.steps:
            self._live = Live(
                console=self._err,
                get_renderable=self._renderable,
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)

    def _progress(self, body: StepProgress) -> None:
        running, now = self._running.get(body.step), time.monotonic()
        if running is None:
            return
        running.progress = body
        if not self._live and now - running.said >= QUIET:
            running.said = now
            self._plain(
                f"  ... {self._name(body.step)}: {_progress_text(body)}, {seconds_text(now - running.began)}"
            )

    def _line(self, body: StepFinished) -> None:
        if body.status == "reused" or (not self._summary and body.status == "success"):
            return
        label = self._label(body.step)
        rows = rows_text(body)
        facts = [f"{rows} rows" if rows else "", published_text(body), seconds_text(body.seconds)]
        said = ", ".join(fact for fact in facts if fact)
        word = status_word(label, body.status)
        self._plain(f"{len(self._ended)}/{len(self._plan.steps)} {word:<9} {self._name(body.step)}: {said}")

    def _plain(self, text: str) -> None:
        if self._err.is_terminal:
            self._err.print(Text(text), soft_wrap=True)
            return
        # Nothing is laid out in a log, and rich would take as long as a small step.
        with suppress(BrokenPipeError):
            self._err.file.write(f"{printable(text)}\n")
            self._err.file.flush()

    def _finish(self, result: RunResult) -> None:
        out = self._out if self._summary else self._err
        gap = "\n" if self._summary else ""
        if self._summary and result.steps:
            self._table(result)
        tests = _summary.failed_tests(result, self._plan)
        if tests:
            out.print(gap, end="")
            for part in tests:
                out.print(part)
        diagnostics = _summary.failed_steps(result)
        if diagnostics:
            self._err.print(Text(gap).append_text(diagnostics_text(diagnostics, self._root)), soft_wrap=True)
        if self._summary:
            out.print("\n" if tests or diagnostics else "", end="")
            out.print(_summary.total_line(result, self._labels, self._root), soft_wrap=True)

    def _table(self, result: RunResult) -> None:
        self._out.print(_summary.steps_table(result, self._labels))
        hidden = len(result.steps) - len(_summary.shown_steps(result.steps))
        if hidden:
            self._out.print(Text(f"= and {hidden:,} reused", "dim"))

    def _renderable(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        running = list(self._running.items())
        for step, state in running[:RUNNING_SHOWN]:
            elapsed = seconds_text(time.monotonic() - state.began)
            said = _progress_text(state.progress) if state.progress else ""
            grid.add_row(self._spinner, Text(self._name(step)), Text(said, "cyan"), Text(elapsed, "dim"))
        total = len(self._plan.steps)
        more = f", {len(running) - RUNNING_SHOWN} more running" if len(running) > RUNNING_SHOWN else ""
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=total, completed=len(self._ended), width=30),
            Text(f"{len(self._ended)}/{total} steps{more}"),
            Text(self._remains(), "dim"),
        )
        return Group(grid, bar)

    def _remains(self) -> str:
        now = time.monotonic()
        if self._took is None:
            if now - self._began < 1.0:
                return ""
            self._took = self._look_back()
        running = {step: now - state.began for step, state in list(self._running.items())}
        return remains_text(self._plan.steps, set(self._ended), running, self._took, self._plan.concurrency)

    _spinner = Spinner("dots", style="cyan")

    def _label(self, step: str) -> Label:
        return self._labels.get(step) or Label(kind="", what="", name=step)

    def _name(self, step: str) -> str:
        label = self._label(step)
        return f"{label.what} {label.name}".strip()


def _progress_text(progress: StepProgress) -> str:
    rows = f"{progress.rows:,}" + (f" of {progress.total:,}" if progress.total else "") + " rows"
    size = bytes_text(progress.bytes) if progress.bytes else ""
    return ", ".join(filter(None, (progress.message, rows, size)))


PLUGIN = Console

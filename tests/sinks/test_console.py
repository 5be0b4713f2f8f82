"""What a person sees of a run: of real runs, by the real loop."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console as RichConsole
from run.plans import data_test, model, plan_of

from osiris_sql.run.execute import execute
from osiris_sql.sinks._labels import bytes_text, seconds_text
from osiris_sql.sinks._remains import remains_text
from osiris_sql.sinks.console import Console
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import Event, RunFinished, RunStarted, StepFinished, StepProgress, StepStarted
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, RelationRef


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def console(stream: io.StringIO, width: int = 100) -> RichConsole:
    return RichConsole(file=stream, width=width, highlight=False, markup=False, color_system=None)


def show(plan, root, *, summary=True, terminal=False):
    """Run a plan with a console; return what stood on stdout and stderr, times taken out."""
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    sink = Console(plan, root, out=console(out), err=console(err), summary=summary)
    execute(plan, root, {}, [sink], run_id="r1", launcher="local")
    sink.close()
    return tidy(out.getvalue()), tidy(err.getvalue())


def tidy(text: str) -> str:
    return "\n".join(re.sub(r"\d+\.\ds", "0.0s", line).rstrip() for line in text.splitlines())


def test_a_run_without_a_terminal_is_one_line_a_step_then_the_summary(tmp_path):
    passing = data_test("positive", "a", "SELECT * FROM a WHERE id < 0")
    plan = plan_of(
        model("a", "SELECT unnest([1, 2]) AS id", tests=(passing,)),
        model("b", "SELECT id FROM a", inputs=("a",), materialized="view"),
    )
    out, err = show(plan, tmp_path)
    assert err == "build test (dev), 2 steps\n1/2 built     table a: 2 rows, 0.0s\n2/2 built     view b: 0.0s"
    assert out == (
        "✓ built  table  a  2  test: 1 passed  0.0s\n"
        "✓ built  view   b                     0.0s\n"
        "ok in 0.0s: 2 built · test: 1 passed · .osiris/runs/r1"
    )


def test_what_was_reused_says_why(tmp_path):
    plan = plan_of(model("a", "SELECT 1 AS id"))
    show(plan, tmp_path)
    out, _ = show(plan, tmp_path)
    assert "= reused  table  a  1  same SQL, same rows" in out
    assert "ok in 0.0s: 1 reused" in out


def test_a_failed_test_names_place_count_and_rows(tmp_path):
    failing = data_test("small", "a", "SELECT * FROM a WHERE id > 1", column="id")
    plan = plan_of(
        model(
            "a",
            "SELECT unnest([1, 2, 3, 4]) AS id, [NULL, NULL, 'x ', ''][id] AS note",
            columns="id INTEGER, note VARCHAR",
            tests=(failing,),
        ),
        model("b", "SELECT id FROM a", inputs=("a",)),
    )
    out, err = show(plan, tmp_path)
    assert (
        "FAIL small  models/models.yml:3\n"
        "     3 offending rows in a.id\n"
        "     id  note\n"
        "     2   NULL\n"
        "     3   'x '\n"
        "     4   ''\n"
    ) in out
    assert "✗ failed   table  a    test: 1 failed" in out
    assert "- skipped  table  b" in out
    assert out.endswith("failed in 0.0s: 1 failed, 1 skipped · test: 1 failed · .osiris/runs/r1")
    assert "test-failed" not in err, "the summary has said it"


def test_a_warning_shows_its_limits(tmp_path):
    warning = data_test("small", "a", "SELECT * FROM a", severity="warn", warn_if="> 1")
    out, _ = show(plan_of(model("a", "SELECT unnest([1, 2]) AS id", tests=(warning,))), tmp_path)
    assert "WARN small  models/models.yml:3\n     2 offending rows in a (warns if > 1, fails if != 0)" in out
    assert out.splitlines()[-1].startswith("ok in")


def test_a_failed_step_is_explained_in_full_on_stderr(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.sql").write_text("select 'x'::integer as id\n")
    plan = plan_of(model("a", "SELECT 'x'::INTEGER AS id", location=Location(path="models/a.sql", line=1)))
    out, err = show(plan, tmp_path)
    assert "models/a.sql:1" in err
    assert "    1 | select 'x'::integer as id" in err
    assert "Conversion Error" in err or "convert" in err.lower()
    assert "✗ failed  table  a" in out


def test_without_summary_only_failures_are_shown(tmp_path):
    assert show(plan_of(model("a", "SELECT 1 AS id")), tmp_path, summary=False) == ("", "")
    out, err = show(plan_of(model("a", "SELECT 'x'::INTEGER AS id")), tmp_path, summary=False)
    assert out == ""
    assert "error[" in err


def test_of_a_long_run_the_reused_steps_are_counted(tmp_path):
    plan = plan_of(*(model(f"m{n}", f"SELECT {n} AS id") for n in range(41)))
    show(plan, tmp_path)
    out, err = show(plan, tmp_path)
    assert err == "build test (dev), 41 steps", "a log has a line a step that did something"
    counted, total = out.splitlines()
    assert counted == "= and 41 reused"
    assert total.partition("s: ")[2] == "41 reused · .osiris/runs/r1"


def test_what_the_data_says_can_not_drive_the_terminal(tmp_path):
    failing = data_test("t", "a", "SELECT * FROM a")
    plan = plan_of(model("a", "SELECT chr(27) || '[31mred' AS id", columns="id VARCHAR", tests=(failing,)))
    out, _ = show(plan, tmp_path)
    assert "\x1b" not in out
    assert "␛[31mred" in out


def test_on_a_terminal_the_progress_is_live_and_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")  # a dumb one gets plain lines
    out, err = show(plan_of(model("a", "SELECT 1 AS id")), tmp_path, terminal=True)
    assert "0/1 steps" in err
    assert "1/1 built" not in err, "a line a step is for logs"
    assert "✓ built" in out


PUBLISH = Publish(
    id="publish.app.films",
    node="target:app.films",
    why="test",
    relation=RelationRef("main", "films"),
    input="model:films",
    connection="app",
    target="app",
    table="films",
    mode="upsert",
    key=("id",),
    columns=(Column(name="id", type="INTEGER"),),
    fingerprint="f",
    location=Location(path="targets.yml", line=9),
)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"inserted": 3, "updated": 1, "deleted": 0, "unchanged": 1200},
            "3 inserted, 1 updated, 1,200 unchanged",
        ),
        ({"inserted": 0, "updated": 0, "deleted": 0, "unchanged": 0}, "nothing changed"),
        ({"inserted": 0, "already_published": True}, "already published"),
    ],
)
def test_a_publication_says_what_it_did_to_the_target(tmp_path, facts, said):
    out = stream_of(
        tmp_path, StepFinished(step=PUBLISH.id, status="success", rows_in=1204, rows_out=1204, facts=facts)
    )
    assert f"upsert  app.films  1,204  {said}" in out


def test_rows_in_and_out_are_shown_where_they_differ(tmp_path):
    out = stream_of(tmp_path, StepFinished(step=PUBLISH.id, status="success", rows_in=1200, rows_out=7))
    assert "1,200 → 7" in out


def test_a_run_that_never_began_a_step_says_so(tmp_path):
    out = stream_of(tmp_path, finished=RunFinished(status="failed", exit_code=3, seconds=0.1))
    assert out == "failed in 0.1s · .osiris/runs/r1\n"


def test_a_step_that_takes_long_says_so_in_a_log(tmp_path, monkeypatch):
    monkeypatch.setattr("osiris_sql.sinks.console.QUIET", 0.0)
    err = io.StringIO()
    sink = Console(plan_of(PUBLISH), tmp_path, out=console(io.StringIO()), err=console(err))
    for seq, body in enumerate(
        (
            STARTED,
            StepStarted(step=PUBLISH.id),
            StepProgress(step=PUBLISH.id, rows=5000, total=10000, message="copy"),
        )
    ):
        sink.emit(Event(seq=seq, at="", body=body))
    sink.close()
    assert "... upsert app.films: copy, 5,000 of 10,000 rows, 0.0s" in err.getvalue()


STARTED = RunStarted(
    run_id="r1",
    project="test",
    env="dev",
    command="build",
    launcher="local",
    plan_sha256="",
    steps=1,
    versions={},
)
DONE = RunFinished(status="success", exit_code=0, seconds=0.1)


def stream_of(root, *bodies, finished=DONE) -> str:
    """What stdout shows of a stream of events."""
    out = io.StringIO()
    sink = Console(plan_of(PUBLISH), root, out=console(out), err=console(io.StringIO()))
    for seq, body in enumerate((STARTED, *bodies, finished)):
        sink.emit(Event(seq=seq, at="", body=body))
    sink.close()
    return out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (0.44, "0.4s"), (59.4, "59.4s"), (65, "1m 05s"), (3599.7, "1h 00m"), (7380, "2h 03m")],
)
def test_seconds_as_people_say_them(seconds, text):
    assert seconds_text(seconds) == text


def test_a_bug_of_ours_is_one_line_and_its_traceback_stays_in_the_events(tmp_path, monkeypatch):
    def break_down(*_):
        raise RuntimeError("the reason")

    monkeypatch.setattr("osiris_sql.run.steps.materialize._same_schema", break_down)
    _, err = show(plan_of(model("a", "SELECT 1 AS id")), tmp_path)
    assert "error[internal-error]" in err
    assert "  why  RuntimeError: the reason" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("size", "text"),
    [(812, "812 B"), (4_240_000, "4.2 MB"), (999_999, "1000.0 kB"), (7 * 10**15, "7000.0 TB")],
)
def test_bytes_as_people_say_them(size, text):
    assert bytes_text(size) == text


STEPS = [model(name, "SELECT 1") for name in ("a", "b", "c")]
A, B, C = (step.id for step in STEPS)


@pytest.mark.parametrize(
    ("ended", "running", "took", "concurrency", "said"),
    [
        ([], {}, {A: 60, B: 60, C: 5}, 1, "about 2m 05s left"),
        ([A], {B: 50.0}, {A: 60, B: 60, C: 5}, 1, "about 15.0s left"),
        ([], {}, {A: 60, B: 60, C: 60}, 2, "about 1m 30s left"),
        ([], {}, {A: 60, B: 1, C: 1}, 2, "about 1m 00s left"),
        ([A, B], {C: 4.5}, {C: 5}, 1, ""),
        ([A, B], {C: 9.0}, {C: 5}, 1, ""),
        ([A], {}, {A: 60, B: 60}, 1, ""),
        ([A, B, C], {}, {}, 1, ""),
    ],
)
def test_how_long_a_run_still_takes(ended, running, took, concurrency, said):
    assert remains_text(STEPS, ended, running, took, concurrency) == said


def test_steps_that_are_reused_take_no_time():
    assert (
        remains_text([replace(STEPS[0], decision="reuse"), STEPS[1]], [], {}, {B: 3.0}, 1)
        == "about 3.0s left"
    )


def test_bytes_of_a_long_read_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("osiris_sql.sinks.console.QUIET", 0.0)
    err = io.StringIO()
    sink = Console(plan_of(PUBLISH), tmp_path, out=console(io.StringIO()), err=console(err))
    moved = StepProgress(step=PUBLISH.id, rows=5000, bytes=4_240_000)
    for seq, body in enumerate((STARTED, StepStarted(step=PUBLISH.id), moved)):
        sink.emit(Event(seq=seq, at="", body=body))
    sink.close()
    assert "... upsert app.films: 5,000 rows, 4.2 MB, 0.0s" in err.getvalue()

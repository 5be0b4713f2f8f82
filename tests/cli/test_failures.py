"""However a command ends, it ends in words and an exit code."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import duckdb
import pydantic_core
import pytest
import typer

from osiris_sql.cli.failures import guard
from osiris_sql.types.diagnostic import (
    CancelledError,
    Diagnostic,
    Location,
    ProjectError,
    StepError,
    UnreachableError,
)

SCRIPT = Path(sys.executable).with_name("osiris-sql")
PROBLEM = Diagnostic(
    rule="bad-thing", message="it is bad", location=Location(path="sources.yml", line=1, column=6)
)


def end(command, **arguments) -> int:
    """Run a guarded command; return the exit code that it asks for."""
    with pytest.raises(typer.Exit) as ended:
        guard(command)(**arguments)
    return ended.value.exit_code


def fail(error: BaseException):
    def command(**arguments):
        raise error

    return command


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "osiris-sql.toml").write_text('name = "x"\n')
    (tmp_path / "sources.yml").write_text('url: "${SHOP_HOST}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StepError(PROBLEM), 1),
        (ProjectError(PROBLEM), 2),
        (UnreachableError(PROBLEM), 3),
        (CancelledError(PROBLEM), 130),
        (KeyboardInterrupt(), 130),
        (pydantic_core.SchemaError('Error building "model" validator:\n  KeyboardInterrupt: '), 130),
        (RuntimeError("oops"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_exit_codes(project, error, code):
    assert end(fail(error)) == code


def test_a_ctrl_c_that_duckdb_hears_is_one(project):
    def command(**arguments):
        Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        with duckdb.connect() as own:  # what it leaves unfinished would be in the way of other tests
            while True:
                own.execute("SELECT sum(hash(range)) FROM range(3_000_000)")

    assert end(command) == 130


STARTING = """
import sys
from osiris_sql import cli

class Pressing:
    def find_spec(self, name, *_):
        if name == "typer":
            import signal
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Pressing())
sys.argv = ["osiris-sql", "ls"]
cli.main()
"""


def test_a_ctrl_c_before_a_command_has_begun_shows_no_traceback(tmp_path):
    ended = subprocess.run([sys.executable, "-c", STARTING], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (130, "interrupted\n")


def test_a_diagnostic_goes_to_stderr_with_its_line(project, capsys):
    end(fail(ProjectError(PROBLEM)))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        'sources.yml:1:6  error[bad-thing]  it is bad\n    1 | url: "${SHOP_HOST}"\n      |      ^\n'
    )


def test_for_machines_the_diagnostics_are_on_stdout_too(project, capsys):
    import json

    end(fail(ProjectError(PROBLEM)), as_json=True)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["diagnostics"][0]["rule"] == "bad-thing"
    assert "bad-thing" in shown.err


def test_a_bug_of_ours_is_told_from_a_mistake_and_its_traceback_is_kept_without_secrets(
    project, capsys, monkeypatch
):
    monkeypatch.setenv("SHOP_HOST", "db.internal.example")
    monkeypatch.setenv("MY_TOKEN", "tok-123456")
    end(fail(RuntimeError("tok-123456 at db.internal.example")))
    shown = capsys.readouterr().err
    assert "this is a bug in osiris-sql: RuntimeError" in shown
    assert "Traceback" not in shown
    [report] = (project / ".osiris").glob("bug-*.txt")
    assert str(report) in shown
    text = report.read_text()
    assert "Traceback (most recent call last)" in text
    assert "RuntimeError: *** at ***" in text
    assert "tok-123456" not in shown + text


def test_outside_a_project_the_report_goes_to_a_temporary_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    end(fail(RuntimeError("oops")))
    path = Path(capsys.readouterr().err.split(" please report it with ")[1].strip())
    assert "RuntimeError: oops" in path.read_text()
    assert list(tmp_path.iterdir()) == []
    path.unlink()
    path.parent.rmdir()


def test_no_project_here(tmp_path):
    run = subprocess.run([SCRIPT, "ls"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "error[no-project]" in run.stderr
    assert "osiris-sql init" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_reader_that_goes_away_is_no_error():
    run = subprocess.run(
        ["bash", "-c", f"{SCRIPT} --help | true"], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""

"""`osiris-sql lint` on files: what is written, what is only shown, and with which exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
from lint.shop import write
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

YAML = """version: 2
models:
  - name: example
    description: Names.
    columns: [{name: name, data_tests: [unique, not_null]}]
"""
BEFORE = "with a as (select 1 as x)\nselect name from shop.customers\n"
AFTER = "select name from shop.customers\n"


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path, {"models/example.sql": BEFORE, "models/example.yml": YAML})


def lint(folder, *arguments: str, code: int):
    answer = CliRunner().invoke(
        make_app(),
        ["lint", *arguments, "--project-dir", str(folder)],
        env={"NO_COLOR": "1", "COLUMNS": "160"},
        prog_name="osiris-sql",
    )
    assert answer.exit_code == code, answer.output
    return answer


def test_fix_writes_and_leaves_nothing_to_find(shop):
    lint(shop, code=1)
    answer = lint(shop, "--fix", code=0)
    assert "mended 1 in 1 file: models/example.sql" in answer.stderr
    assert (shop / "models/example.sql").read_text() == AFTER
    assert sorted(path.name for path in (shop / "models").iterdir()) == ["example.sql", "example.yml"]
    lint(shop, code=0)


def test_diff_writes_nothing_and_git_can_apply_it(shop):
    diff = lint(shop, "--diff", code=1).stdout
    assert (shop / "models/example.sql").read_text() == BEFORE
    subprocess.run(["git", "apply", "-"], cwd=shop, input=diff, text=True, check=True)
    assert (shop / "models/example.sql").read_text() == AFTER
    assert lint(shop, "--diff", code=0).stdout == ""


def test_findings_of_severity_info_do_not_fail(shop):
    settings = '[tool.osiris-sql]\nname = "shop"\n[tool.osiris-sql.lint.severity]\nunused-cte = "info"\n'
    (shop / "pyproject.toml").write_text(settings)
    answer = lint(shop, "--format", "json", code=0)
    assert [finding["severity"] for finding in json.loads(answer.stdout)] == ["info"]


def test_a_file_alone_has_the_findings_that_it_has_among_all(shop):
    (shop / "models/other.sql").write_text("with b as (select 1 as x) select nam from shop.customers")
    alone = json.loads(lint(shop, "--format", "json", str(shop / "models/example.sql"), code=1).stdout)
    every = json.loads(lint(shop, "--format", "json", code=1).stdout)
    assert alone == [f for f in every if f["location"]["path"] == "models/example.sql"]


def test_the_line_of_a_secret_is_not_shown(shop):
    (shop / "models/example.sql").write_text(
        "select name, nam, random(), 'AKIAABCDEFGHIJKLMNOP', 'AKIAABCDEFGHIJKLMNOP' from shop.customers"
    )
    for form in ("text", "json", "sarif", "github"):
        answer = lint(shop, "--format", form, code=1)
        assert "secret-in-sql" in answer.stdout
        assert "AKIAABCDEFGHIJKLMNOP" not in answer.output


def test_fix_writes_through_a_link_and_keeps_marks_line_ends_and_rights(shop):
    real = shop / "elsewhere.sql"
    real.write_bytes(b"\xef\xbb\xbf" + BEFORE.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    (shop / "models/linked.sql").symlink_to(real)
    lint(shop, "--fix", code=0)
    assert (shop / "models/linked.sql").is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf" + AFTER.replace("\n", "\r\n").encode()
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_can_not_be_written_is_said(shop):
    (shop / f"models/example.sql.{os.getpid()}").mkdir()
    assert "unwritable-file" in lint(shop, "--fix", code=2).output
    assert (shop / "models/example.sql").read_text() == BEFORE


def test_what_can_not_be_finished_leaves_nothing_beside_the_file(shop, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = {path.name for path in (shop / "models").iterdir()}
    monkeypatch.setattr(Path, "chmod", full)
    assert "No space left" in lint(shop, "--fix", code=2).output
    assert {path.name for path in (shop / "models").iterdir()} == before
    assert (shop / "models/example.sql").read_text() == BEFORE


def test_a_diff_has_the_lines_that_git_sees(shop):
    (shop / "models/example.sql").write_text(BEFORE.replace("\n", " -- \u2028 \f\n", 1))
    diff = lint(shop, "--diff", code=1).stdout
    subprocess.run(["git", "apply", "-"], cwd=shop, input=diff, text=True, check=True)
    assert (shop / "models/example.sql").read_text() == "-- \u2028 \f\n" + AFTER


def test_places_in_sarif_are_uris(shop):
    (shop / "models/a b, ü.sql").write_text(BEFORE)
    [run] = json.loads(lint(shop, "--format", "sarif", code=1).stdout)["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert "models/a%20b%2C%20%C3%BC.sql" in {place["artifactLocation"]["uri"] for place in places}

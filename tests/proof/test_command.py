"""`osiris-sql verify` at the command line: what it says, and how it ends."""

import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app
from osiris_sql.project.scaffold import init_project

MODELS = {
    "dice": "{{ config(materialized='table') }} select i as id, i % 10 as n from range(50000) as r(i)",
    "luck": "{{ config(determinism='declared', reason='a test') }}"
    " select id, row_number() over (order by n) as place from dice",
    "guess": "select *, x'61'::blob as b from dice qualify row_number() over (order by n) < 20",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that `init` writes, built."""
    folder = tmp_path_factory.mktemp("demo")
    init_project(folder, "demo")
    assert call(folder, "build").exit_code == 0
    return folder


def call(folder: Path, *arguments: str) -> Result:
    environ = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return CliRunner().invoke(make_app(), [*arguments, "--project-dir", str(folder)], env=environ)


def test_a_sound_project_proves_itself(project: Path) -> None:
    run = call(project, "verify")
    assert run.exit_code == 0, run.output
    *models, last = run.stdout.splitlines()
    assert models
    assert all("the same in 5 trials" in line for line in models if line.startswith("✓"))
    assert last.endswith("models gave the same rows, each in 6 ways")


def test_json_tells_the_trials_and_every_model(project: Path) -> None:
    run = call(project, "verify", "--json")
    found = json.loads(run.stdout)
    assert (len(found["trials"]), found["wrong"]) == (6, 0)
    assert {model["status"] for model in found["models"]} == {"same"}
    assert all(model["inputs"] for model in found["models"])


def test_what_differs_is_said_in_words(project: Path) -> None:
    for name, text in MODELS.items():
        (project / "models" / f"{name}.sql").write_text(text)
    assert call(project, "build", "-s", "dice", "luck", "guess").exit_code == 0
    run = call(project, "verify", "-s", "dice", "luck", "guess", "--rows", "30000")
    assert run.exit_code == 1, run.output
    lines = run.stdout.splitlines()
    assert "✓ dice  proved, 50000 rows, the same in 5 trials" in lines
    luck, guess = (_part(lines, name) for name in ("luck", "guess"))
    assert "of the 50000 rows of dice were taken; --rows 0 takes all" in luck[1]
    assert re.fullmatch(r"    .*: column place in \d+ of \d+ rows", luck[2])
    assert re.fullmatch(r"      - id=\d+, place=\d+", luck[3])
    assert "    why  models/luck.sql:1:66: tied-order: " in "\n".join(luck)
    assert guess[0] == "✗ guess  unknown, 19 rows, not the same"
    assert any(line.startswith("      + id=") for line in guess)
    assert any(line.startswith("    why  unparsed-sql: ") for line in guess)
    assert (
        "    fix  write it so that it can be judged, or declare it: config(determinism='declared')" in guess
    )
    assert lines[-1] == "1 of 3 models did not prove themselves"
    declared = call(project, "verify", "-s", "dice", "luck", "--rows", "30000").stdout.splitlines()[-1]
    assert declared == "1 models gave the same rows, each in 6 ways; 1 did not, as declared"


def _part(lines: list[str], model: str) -> list[str]:
    """Return what is said of a model that differs."""
    begin = next(i for i, line in enumerate(lines) if line.startswith(f"✗ {model} "))
    end = next(i for i, line in enumerate(lines) if i > begin and not line.startswith(" "))
    return lines[begin:end]


def test_a_model_that_is_not_built_is_an_error(project: Path) -> None:
    (project / "models" / "later.sql").write_text("select * from guess2\n")
    (project / "models" / "guess2.sql").write_text("select 1 as a\n")
    run = call(project, "verify", "-s", "later")
    assert run.exit_code == 1
    assert "guess2 is not in the warehouse: build it first" in run.stdout

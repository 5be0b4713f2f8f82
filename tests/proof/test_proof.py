"""Proof by execution: what differs is found and named, what is the same passes, and nothing is written."""

import hashlib
import signal
from dataclasses import replace
from pathlib import Path
from threading import Timer

import duckdb
import pytest
from compile.films import compiled

from osiris_sql.api.proof import TRIALS, ModelProof, prove_models
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.types.diagnostic import StepError, UnreachableError
from osiris_sql.types.manifest import Manifest

ROWS = 20_000
MOVIES = f"""
    SELECT i AS id, 'title ' || (i % 97) AS title, (1950 + i % 70)::INTEGER AS released,
        (i % 5)::BIGINT AS director_id, ((i * 31) % 977)::DECIMAL(12, 2) AS budget,
        TIMESTAMP '2024-01-01' + INTERVAL 1 MINUTE * (i // 7) AS updated_at
    FROM range({ROWS}) AS r(i)"""
DECLARED = "{{ config(determinism='declared', reason='a test') }} "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with the source tables of the film project, and many ties."""
    folder = tmp_path_factory.mktemp("proof")
    with duckdb.connect(folder / "films.duckdb") as warehouse:
        warehouse.execute("CREATE SCHEMA cinema")
        warehouse.execute(f"CREATE TABLE cinema.movies AS {MOVIES}")
        warehouse.execute(
            "CREATE TABLE cinema.directors AS SELECT range AS id, 'd' || range AS name FROM range(5)"
        )
        warehouse.execute(
            "CREATE VIEW seen AS SELECT id, title, director_id FROM cinema.movies WHERE id % 3 > 0"
        )
    return folder


def at(folder: Path, manifest: Manifest) -> Manifest:
    """Return a manifest whose warehouse is in a folder."""
    return replace(manifest, root=str(folder), warehouse="films.duckdb")


def proof(folder: Path, text: str, rows: int = 0, **others: str) -> ModelProof:
    """Return what becomes of the model `m`."""
    manifest = at(folder, compiled({"m": text, **others}))
    (found,) = prove_models(manifest, select=["m"], rows=rows)
    return found


SAME = [
    "select * from cinema.movies",
    "select director_id, sum(budget) as s, count(*) as n from cinema.movies group by all",
    "select id, row_number() over (order by title) as n from cinema.movies",
    "select director_id, list(title) as l from cinema.movies group by all",
    "select director_id, avg(id / 7.0::double) as a from cinema.movies group by all",
    "select title from cinema.movies limit 9",
    "select now() as w, id from cinema.movies",
    "select director_id, approx_count_distinct(title) as n from cinema.movies group by all",
    "select d.name, max(released) as r from cinema.movies as m"
    " join cinema.directors as d on d.id = m.director_id group by all",
]


@pytest.mark.parametrize("text", SAME)
def test_proved_and_rewritten_models_give_the_same_rows_in_every_trial(text: str, folder: Path) -> None:
    found = proof(folder, text)
    assert (found.status, found.moved, found.is_wrong) == ("same", (), False)
    assert found.trials == tuple(trial.name for trial in TRIALS)


DIFFERENT = [
    ("select id, random() as r, title from cinema.movies", ("r",)),
    ("select id, row_number() over (order by title) as n from cinema.movies", ("n",)),
    ("select id, title, ntile(9) over (order by title) as n, released from cinema.movies", ("n",)),
    ("select director_id, list(id) as l, count(*) as c from cinema.movies group by all", ("l",)),
    ("select director_id, sum(id / 7.0::double) as s from cinema.movies group by all", ("s",)),
    ("select title, first(id) as f, arg_max(id, released) as g from cinema.movies group by all", ("f", "g")),
    ("select distinct on (title) title, id from cinema.movies order by title, released", ("id",)),
    ("select max(released) as r, any_value(title) as t from cinema.movies", ("t",)),
    (
        "select case when (first(id)) % 2 = 0 then -0.0::double else 0.0::double end as z from cinema.movies",
        ("z",),
    ),
]


@pytest.mark.parametrize(("text", "columns"), DIFFERENT)
def test_a_difference_names_the_columns_and_shows_rows(
    text: str, columns: tuple[str, ...], folder: Path
) -> None:
    found = proof(folder, DECLARED + text)
    assert (found.status, found.verdict, found.is_wrong) == ("differs", "declared", False)
    (moved,) = found.moved
    assert moved.columns == columns
    assert moved.rows[0] == moved.rows[1]
    assert 0 < moved.differing <= moved.rows[0]
    assert moved.only_first != moved.only_again
    assert any(reason.verdict == "declared" and reason.location for reason in found.reasons)


def test_another_number_of_rows_is_a_difference_too(folder: Path) -> None:
    (moved,) = proof(folder, DECLARED + "select id from cinema.movies where random() > 0.5").moved
    assert moved.rows[0] != moved.rows[1]
    assert moved.columns == ()


def test_a_promise_that_is_not_kept_is_our_bug(folder: Path) -> None:
    manifest = at(
        folder, compiled({"m": "select id, row_number() over (order by title) as n from cinema.movies"})
    )
    author = "select id, row_number() over (order by title) as n from cinema.movies"
    broken = replace(manifest, models=(replace(manifest.models[0], sql=author),))
    (found,) = prove_models(broken)
    assert (found.verdict, found.is_our_bug, found.is_wrong) == ("rewritten", True, True)


def test_ctrl_c_ends_a_model_that_would_run_for_ever(folder: Path) -> None:
    endless = "select count(*) as n from cinema.movies as a, cinema.movies as b, cinema.movies as c"
    manifest = at(folder, compiled({"m": f"{endless} where hash(a.id, b.id, c.id) = 1"}))

    def press(trial: str) -> None:
        Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        prove_models(manifest, notify=press)
    with hold_warehouse(folder / "films.duckdb", "next"):
        pass


def test_a_key_that_does_not_hold_is_named_instead(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "films.duckdb") as warehouse:
        warehouse.execute("CREATE SCHEMA cinema")
        warehouse.execute(f"CREATE TABLE cinema.movies AS SELECT * REPLACE (id // 4 AS id) FROM ({MOVIES})")
    found = proof(tmp_path, "select title, released, row_number() over (order by id) as n from cinema.movies")
    assert (found.verdict, found.status, found.is_our_bug, found.is_wrong) == (
        "proved",
        "differs",
        False,
        True,
    )
    assert found.note == "the key that was declared does not hold: cinema.movies (id)"


def test_what_nobody_could_judge_is_wrong_if_it_differs(folder: Path) -> None:
    found = proof(
        folder, "select x'61'::blob as b, id, ntile(9) over (order by title) as n from cinema.movies"
    )
    assert (found.verdict, found.status, found.is_wrong, found.is_our_bug) == (
        "unknown",
        "differs",
        True,
        False,
    )


def test_inputs_may_be_views_and_ephemeral_models(folder: Path) -> None:
    ephemeral = "{{ config(materialized='ephemeral') }} select id, title from seen"
    view = "select id, title, director_id from cinema.movies where id % 3 > 0"
    found = proof(folder, "select title, count(*) as n from few group by all", few=ephemeral, seen=view)
    assert found.status == "same"
    assert [(part.node, part.there) for part in found.inputs] == [("model:seen", ROWS * 2 // 3)]


def test_beyond_the_budget_a_fixed_part_of_the_rows_is_taken_and_counted(folder: Path) -> None:
    text = "select id from cinema.movies"
    found, again = proof(folder, text, rows=2_000), proof(folder, text, rows=2_000)
    (part,) = found.inputs
    assert part == again.inputs[0]
    assert part.there == ROWS
    assert found.rows == part.taken
    assert 1_700 < part.taken < 2_300


def test_a_model_whose_input_is_not_built_is_skipped_and_said(folder: Path) -> None:
    found = proof(folder, "select * from below", below="select id from cinema.movies")
    assert (found.status, found.is_wrong) == ("skipped", True)
    assert found.note == "below is not in the warehouse: build it first"


def test_a_query_that_fails_says_so(folder: Path) -> None:
    found = proof(folder, "select cast(title as integer) as n from cinema.movies")
    assert (found.status, found.is_wrong) == ("failed", True)
    assert found.note.startswith("as built: Could not convert string 'title")


def test_the_warehouse_is_read_only(folder: Path) -> None:
    before = hashlib.sha256((folder / "films.duckdb").read_bytes()).digest()
    proof(folder, "select id from cinema.movies")
    assert hashlib.sha256((folder / "films.duckdb").read_bytes()).digest() == before
    assert {path.name for path in folder.iterdir()} == {"films.duckdb", "films.lock"}


def test_a_run_that_holds_the_warehouse_is_named(folder: Path) -> None:
    with hold_warehouse(folder / "films.duckdb", "run-1"), pytest.raises(UnreachableError, match="run run-1"):
        proof(folder, "select id from cinema.movies")


def test_there_must_be_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="there is no warehouse"):
        proof(tmp_path, "select id from cinema.movies")
    assert list(tmp_path.iterdir()) == []

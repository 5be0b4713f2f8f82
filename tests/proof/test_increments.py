"""Incremental models: rows that came bit by bit are those of a full rebuild, or what differs is said."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from compile.films import compiled

from osiris_sql.api.proof import IncrementProof, prove_models
from osiris_sql.support import wire
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import StepState

MOVIES = """
    SELECT i AS id, 'title ' || (i % 7) AS title, (1950 + i // 50)::INTEGER AS released,
        (i % 5)::BIGINT AS director_id, ((i * 31) % 977)::DECIMAL(12, 2) AS budget,
        TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * (i // 3) AS updated_at
    FROM range(1000) AS r(i)"""


def model(text: str, condition: str, **config: object) -> str:
    """Return an incremental model whose increment has a condition on `this`."""
    settings = "".join(f", {name}={value!r}" for name, value in config.items())
    where = "{% if is_incremental() %} where " + condition + " {% endif %}"
    return "{{ config(materialized='incremental'" + settings + ") }} " + text.replace("…", where)


def warehouse(folder: Path) -> Path:
    with duckdb.connect(folder / "films.duckdb") as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS cinema")
        connection.execute(f"CREATE OR REPLACE TABLE cinema.movies AS {MOVIES}")
    return folder


def at(folder: Path, text: str) -> Manifest:
    return replace(compiled({"m": text}), root=str(folder), warehouse="films.duckdb")


def proofs(folder: Path, text: str, rows: int = 0) -> tuple[IncrementProof, IncrementProof]:
    """Return the proof by replay, and that of the table as it stands."""
    (found,) = prove_models(at(folder, text), rows=rows)
    assert found.status == "same", found
    assert found.is_wrong == any(each.status in ("differs", "failed") for each in found.increments)
    replay, stands = found.increments
    return replay, stands


NEWER = "updated_at > (select max(updated_at) from {{ this }})"
ROWS = "select id, title, updated_at from cinema.movies …"
BY_DAY = "select updated_at::date as day, count(*) as movies from cinema.movies … group by all"

GOOD = {
    "rows appended": model(ROWS, NEWER),
    "rows merged, looking back": model(
        ROWS, "updated_at > (select max(updated_at) - interval 1 day from {{ this }})", unique_key="id"
    ),
    "rows that are not there yet": model(
        "select id, title from cinema.movies …", "id not in (select id from {{ this }})"
    ),
    "days built again": model(
        BY_DAY,
        "updated_at::date >= (select max(day) from {{ this }})",
        unique_key="day",
        incremental_strategy="delete+insert",
    ),
}
BAD = {
    # The last hour's rows come twice.
    "rows appended twice": (model(ROWS, NEWER.replace(">", ">=")), ()),
    # The day of the cut had only a part of its rows.
    "days built too early": (
        model(BY_DAY, "updated_at::date > (select max(day) from {{ this }})"),
        ("movies",),
    ),
    # Only the new rows are counted, and replace the old count.
    "totals of new rows": (
        model(
            "select director_id, count(*) as movies, max(updated_at) as seen from cinema.movies …"
            " group by all",
            "updated_at > (select max(seen) from {{ this }})",
            unique_key="director_id",
        ),
        ("movies",),
    ),
    # What came before is not numbered with.
    "numbers that begin again": (
        model(
            "select id, updated_at, row_number() over (order by id) as n from cinema.movies …",
            NEWER,
        ),
        ("n",),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_history_in_three_parts_gives_the_rows_of_a_full_rebuild(name: str, tmp_path: Path) -> None:
    replay, stands = proofs(warehouse(tmp_path), GOOD[name])
    assert (replay.status, stands.status) == ("same", "skipped")
    assert replay.how.startswith("replayed by cinema.movies.")
    assert replay.how.count(",") == 2
    assert stands.how.endswith("it was not built yet")


@pytest.mark.parametrize("name", BAD)
def test_an_increment_that_is_wrong_is_found_and_its_rows_are_shown(name: str, tmp_path: Path) -> None:
    text, columns = BAD[name]
    replay, _ = proofs(warehouse(tmp_path), text)
    assert replay.status == "differs"
    assert replay.moved is not None
    assert replay.moved.columns == columns
    assert replay.moved.only_first or replay.moved.only_again


def test_an_increment_that_fails_says_why(tmp_path: Path) -> None:
    text = model(
        "select director_id, title, updated_at from cinema.movies …", NEWER, unique_key="director_id"
    )
    replay, _ = proofs(warehouse(tmp_path), text)
    assert replay.status == "failed"
    assert "does not identify the new rows" in replay.how


def test_without_a_column_that_grows_there_is_no_replay(tmp_path: Path) -> None:
    replay, _ = proofs(warehouse(tmp_path), model("select title from cinema.movies …", "id > 100"))
    assert (replay.status, replay.how) == (
        "skipped",
        "not replayed: no column says which rows of an input came first",
    )


def test_the_watermark_of_the_source_is_taken_where_the_sql_names_none(tmp_path: Path) -> None:
    from compile.films import source

    from osiris_sql.types.project import ExtractConfig

    text = model("select id, title from cinema.movies …", "true", unique_key="id")
    extract = ExtractConfig(mode="incremental", watermark="updated_at", key=("id",))
    manifest = compiled({"m": text}, sources=(source(extract=extract),))
    (found,) = prove_models(replace(manifest, root=str(warehouse(tmp_path)), warehouse="films.duckdb"))
    assert found.increments[0].how.startswith("replayed by cinema.movies.updated_at, cut at 2024-01-06 ")


# ---------------------------------------------------------------------------------- the table as it stands


def built(folder: Path, text: str, rows: str, inputs: str = "now") -> None:
    """Put a table and its state into the warehouse, as a build of the past left them."""
    made = at(folder, text).models[0]
    with duckdb.connect(folder / "films.duckdb") as connection:
        connection.execute(f"CREATE TABLE m AS SELECT id, title, updated_at FROM cinema.movies WHERE {rows}")
        connection.execute("CREATE SCHEMA osiris")
        connection.execute("CREATE TABLE osiris.state (node VARCHAR PRIMARY KEY, record VARCHAR NOT NULL)")
        state = StepState(
            step=made.node,
            fingerprint=made.fingerprint,
            inputs={"source:cinema.movies": inputs},
            materialized="incremental",
            run_id="r",
        )
        connection.execute("INSERT INTO osiris.state VALUES (?, ?)", [made.node, wire.to_json(state)])


def test_a_table_that_is_behind_gets_one_increment(tmp_path: Path) -> None:
    built(warehouse(tmp_path), GOOD["rows appended"], "updated_at < '2024-01-08'")
    _, stands = proofs(tmp_path, GOOD["rows appended"])
    assert (stands.status, stands.how) == ("same", "the table as it stands, after one increment")


def test_rows_that_came_late_are_missing(tmp_path: Path) -> None:
    built(warehouse(tmp_path), GOOD["rows appended"], "id <> 17")
    _, stands = proofs(tmp_path, GOOD["rows appended"])
    assert stands.status == "differs"
    assert stands.moved is not None
    assert [row["id"] for row in stands.moved.only_first] == ["17"]
    assert stands.moved.rows == (1000, 999)


def test_a_table_of_other_sql_is_not_compared(tmp_path: Path) -> None:
    built(warehouse(tmp_path), GOOD["rows appended"], "true")
    _, stands = proofs(tmp_path, GOOD["rows appended"].replace("title,", "upper(title) as title,"))
    assert stands.status == "skipped"
    assert "it was built by other SQL" in stands.how


def test_a_part_of_the_rows_proves_nothing_of_the_table(tmp_path: Path) -> None:
    built(warehouse(tmp_path), GOOD["rows appended"], "true")
    replay, stands = proofs(tmp_path, GOOD["rows appended"], rows=100)
    assert replay.status == "same"
    assert stands.how.endswith("only a part of the rows of m, cinema.movies was taken; --rows 0 takes all")

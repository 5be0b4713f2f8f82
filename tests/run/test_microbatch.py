"""Microbatch models: built a stretch of time after the other, each as often as one likes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from run.projects import WAREHOUSE, build, compile_folder, ended, plan_folder, write_files

from osiris_sql import api
from osiris_sql.engines.duckdb.transaction import DuckDBTransaction
from osiris_sql.plan.batches import Backfill
from osiris_sql.support.calendar_grid import read_instant
from osiris_sql.types.diagnostic import StepError

BASE = "materialized='incremental', incremental_strategy='microbatch', event_time='happened'"
FILES = {
    "osiris-sql.toml": 'name = "batches"\n',
    "sources.yml": """
version: 1
connections:
  log: { type: files, path: data }
sources:
  - name: log
    meta: { owner: me }
    tables:
      - name: events
        config: { event_time: happened, tags: [raw], meta: { a: 1 } }
        columns: [{ name: id, data_type: BIGINT }, { name: happened, data_type: TIMESTAMP }]
""",
}


def daily(config: str = "batch_size='day', begin='2024-01-01'", sql: str = "SELECT * FROM log.events"):
    return {"models/daily.sql": f"{{{{ config({BASE}, {config}) }}}}\n{sql}"}


THROUGH_ALL = {
    "models/all.sql": "SELECT * FROM {{ source('log', 'events') }}",
    **daily(sql="SELECT * FROM {{ ref('all') }}"),
}


def events(*times: str) -> dict[str, str]:
    lines = [f"{number},{time}" for number, time in enumerate(times, start=1)]
    return {"data/events.csv": "\n".join(["id,happened", *lines]) + "\n"}


def rows(root: Path, sql: str = "SELECT id FROM daily ORDER BY ALL") -> list:
    with duckdb.connect(str(root / WAREHOUSE), read_only=True) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


@pytest.fixture
def root(tmp_path) -> Path:
    return write_files(tmp_path, {**FILES, **daily(), **events("2024-01-01 10:00:00", "2024-01-03 23:59:59")})


def why(root: Path, as_of: str, **more) -> str:
    return next(step.why for step in plan_folder(root, as_of=as_of, **more).steps if "daily" in step.id)


def asked(start: str | None, end: str | None) -> dict[str, Backfill]:
    found = api.read_backfill(start, end)
    assert found
    return {"backfill": found}


def test_a_first_build_makes_every_batch_and_the_next_the_last_ones(root):
    assert why(root, "2024-01-05T12:00:00") == "never built; 5 batches of a day, 2024-01-01 to 2024-01-06"
    build(root, as_of="2024-01-05T12:00:00")
    assert rows(root) == [1, 2]
    assert ended(build(root, as_of="2024-01-05T13:00:00"))["materialize.daily"] == "reused"
    assert why(root, "2024-01-07") == "the clock moved; 4 batches of a day, 2024-01-04 to 2024-01-08"


def test_rows_of_the_last_batches_come_late_and_go_late(root):
    build(root, as_of="2024-01-05T12:00:00")
    write_files(root, events("2024-01-02 00:00:00", "2024-01-03 23:59:59", "2024-01-04 05:00:00"))
    build(root, as_of="2024-01-05T13:00:00")
    # The row of the first day is gone and another came on the second: too late for a lookback of one day.
    assert rows(root, "SELECT happened::DATE::VARCHAR FROM daily ORDER BY ALL") == [
        "2024-01-01",
        "2024-01-03",
        "2024-01-04",
    ]
    build(root, as_of="2024-01-05T13:00:00", **asked("2024-01-01", "2024-01-03"))
    assert rows(root, "SELECT happened::DATE::VARCHAR FROM daily ORDER BY ALL") == [
        "2024-01-02",
        "2024-01-03",
        "2024-01-04",
    ]


def test_lookback_says_how_late_is_late(root):
    write_files(root, daily("batch_size='day', begin='2024-01-01', lookback=3"))
    build(root, as_of="2024-01-05")
    write_files(root, events("2024-01-01 10:00:00", "2024-01-03 23:59:59", "2024-01-02 00:00:00"))
    build(root, as_of="2024-01-05")
    assert rows(root) == [1, 2, 3]


def test_a_batch_can_be_built_any_number_of_times(root):
    build(root, as_of="2024-01-05")
    for _ in range(2):
        assert build(root, as_of="2024-01-05", **asked("2024-01-03", None)).status == "success"
    assert rows(root) == [1, 2]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-01-02", "2024-01-03", "1 batch of a day, 2024-01-02 to 2024-01-03"),
        ("2024-01-02T05:00:00", "2024-01-03T05:00:00", "2 batches of a day, 2024-01-02 to 2024-01-04"),
        ("2024-01-04", None, "2 batches of a day, 2024-01-04 to 2024-01-06"),
        (None, "2024-01-02", "1 batch of a day, 2024-01-01 to 2024-01-02"),
        (
            "2024-01-02T23:30:00-02:00",
            "2024-01-04T02:00:00+02:00",
            "1 batch of a day, 2024-01-03 to 2024-01-04",
        ),
    ],
)
def test_a_backfill_is_cut_to_whole_batches(root, start, end, said):
    assert why(root, "2024-01-05", **asked(start, end)) == f"asked for: {said}"


@pytest.mark.parametrize(
    ("size", "clock", "said"),
    [
        ("hour", "2023-12-31T23:30:00", "2 batches of an hour, 2023-12-31 22:00 to 2024-01-01 00:00"),
        ("month", "2024-02-29T12:00:00", "3 batches of a month, 2023-12-01 to 2024-03-01"),
        ("year", "2024-02-29T12:00:00", "2 batches of a year, 2023-01-01 to 2025-01-01"),
    ],
)
def test_sizes(root, size, clock, said):
    begin = {"hour": "2023-12-31T22:10:00", "month": "2023-12-24", "year": "2023-07-01"}[size]
    write_files(root, daily(f"batch_size='{size}', begin='{begin}'"))
    assert why(root, clock) == f"never built; {said}"


@pytest.mark.parametrize("type_", ["TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIMESTAMP_NS", "TIMESTAMP_S"])
def test_a_time_without_zone_is_one_of_utc(root, type_):
    query = f"SELECT id, happened::{type_} AS happened FROM log.events"
    write_files(root, daily(sql=query))
    write_files(root, events("2024-01-01 00:00:00", "2023-12-31 23:59:59", "2024-01-05 23:59:59"))
    build(root, as_of="2024-01-05")
    assert rows(root) == [1, 3]


def test_a_batch_reads_the_rows_of_its_time_from_what_has_an_event_time(root):
    """A sum over a batch sees no other day, also through a model, an alias and a join."""
    write_files(
        root,
        {
            "models/clean.sql": "{{ config(event_time='happened') }} SELECT * FROM log.events",
            **daily(
                sql="SELECT count(*) AS id, min(e.happened) AS happened"
                " FROM clean AS e JOIN log.events ON events.id = e.id"
            ),
        },
    )
    write_files(root, events("2024-01-01 01:00:00", "2024-01-01 02:00:00", "2024-01-03 01:00:00"))
    write_files(root, {"models/daily.sql": (root / "models/daily.sql").read_text() + "\nHAVING count(*) > 0"})
    build(root, as_of="2024-01-05")
    assert rows(root) == [1, 2]


def test_rows_of_another_time_than_the_batch_are_left_out(root):
    """An input without event_time is read whole for each batch; its rows still come once."""
    write_files(root, THROUGH_ALL)
    build(root, as_of="2024-01-05")
    assert rows(root) == [1, 2]


def test_rows_of_no_time_are_refused(root):
    write_files(root, THROUGH_ALL)
    write_files(root, events("2024-01-01 00:00:00", ""))
    [failed] = [step for step in build(root, as_of="2024-01-05").steps if step.status == "failed"]
    assert [d.rule for d in failed.diagnostics] == ["no-event-time"]


def test_a_clock_before_the_beginning_and_one_that_goes_back(root):
    assert build(root, as_of="2023-06-01").status == "success"
    assert rows(root) == [1]
    build(root, as_of="2024-01-05")
    assert rows(root) == [1, 2]
    write_files(root, events("2024-01-01 10:00:00", "2024-01-03 23:59:59", "2024-01-02 10:00:00"))
    build(root, as_of="2024-01-02")
    assert rows(root) == [1, 2, 3]
    assert why(root, "2024-01-06").endswith("2024-01-04 to 2024-01-07")


def test_what_a_stopped_run_has_built_is_not_built_again(root, monkeypatch):
    original, seen = DuckDBTransaction.build_batch, []

    def dying(self, relation, made_by, sql, instants, event_time):
        seen.append(instants["batch_start"][:10])
        if len(seen) == 4:
            raise StepError
        return original(self, relation, made_by, sql, instants, event_time)

    monkeypatch.setattr(DuckDBTransaction, "build_batch", dying)
    assert build(root, as_of="2024-01-05").status == "failed"
    # An hour later, and still the batches of the same rows.
    assert build(root, as_of="2024-01-05T01:00:00").status == "success"
    assert [day[-2:] for day in seen] == ["01", "02", "03", "04", "04", "05"]
    assert rows(root) == [1, 2]
    assert rows(root, "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'batches%'") == []


@pytest.mark.parametrize("becomes", [{}, {"models/daily.sql": "SELECT 1 AS id"}], ids=["gone", "a view"])
def test_batches_of_a_model_that_has_none_any_more_are_dropped(root, monkeypatch, becomes):
    with monkeypatch.context() as patched:
        patched.setattr(DuckDBTransaction, "fold_batches", lambda *_, **__: 1 / 0)
        assert build(root, as_of="2024-01-05").status == "failed"
    assert api.drop_leftovers(compile_folder(root)).batches == ()
    for path in root.glob("models/daily.*"):
        path.unlink()
    done = api.drop_leftovers(compile_folder(write_files(root, becomes)))
    assert done.batches == ("daily",)
    assert rows(root, "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'batches%'") == []


def test_batches_of_other_rows_are_not_kept(root, monkeypatch):
    original, seen = DuckDBTransaction.build_batch, []

    def dying(self, relation, made_by, sql, instants, event_time):
        seen.append(instants["batch_start"][:10])
        if len(seen) == 3:
            raise StepError
        return original(self, relation, made_by, sql, instants, event_time)

    monkeypatch.setattr(DuckDBTransaction, "build_batch", dying)
    build(root, as_of="2024-01-03")
    write_files(root, events("2024-01-02 10:00:00"))
    build(root, as_of="2024-01-03")
    assert [day[-2:] for day in seen] == ["01", "02", "03", "01", "02", "03"]
    assert rows(root) == [1]


def test_a_failed_data_test_leaves_the_table_as_it_was(root):
    build(root, as_of="2024-01-05")
    yaml = {"models/m.yml": "models: [{name: daily, columns: [{name: id, data_tests: [unique]}]}]"}
    write_files(root, yaml)
    (root / "data/events.csv").write_text("id,happened\n1,2024-01-01 10:00:00\n2,2024-01-05\n2,2024-01-05\n")
    assert ended(build(root, as_of="2024-01-05"))["materialize.daily"] == "failed"
    assert rows(root) == [1, 2]


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        ("begin='2024-01-01'", ["missing-batch-size"]),
        ("batch_size='day'", ["missing-begin"]),
        ("batch_size='week', begin='2024-01-01'", ["invalid-value", "missing-batch-size"]),
        ("batch_size='day', begin='soon'", ["invalid-value", "missing-begin"]),
        ("batch_size='day', begin='2024-01-01', lookback=-1", ["invalid-value"]),
    ],
)
def test_mistakes(root, config, rules):
    found = api.compile_project(api.load_project(write_files(root, daily(config)))).diagnostics
    assert sorted(d.rule for d in found) == rules


@pytest.mark.parametrize(
    ("sql", "config", "rule"),
    [
        ("SELECT id FROM log.events", "batch_size='day'", "unknown-column"),
        ("SELECT id, id AS happened FROM log.events", "batch_size='day'", "invalid-event-time"),
        ("SELECT id, happened::DATE AS happened FROM log.events", "batch_size='hour'", "invalid-batch-size"),
    ],
)
def test_an_event_time_is_a_column_that_holds_time(root, sql, config, rule):
    write_files(root, daily(f"{config}, begin='2024-01-01'", sql))
    [found] = api.compile_project(api.load_project(root)).diagnostics
    assert found.rule == rule


def test_batches_together_are_the_model_built_at_once(root):
    """The query of one batch from the beginning to the end gives the rows of all batches."""
    build(root, as_of="2024-01-05")
    [model] = compile_folder(root).models
    assert model.batches
    start, end = read_instant(model.batches.begin).isoformat(), "2024-01-06T00:00:00+00:00"
    sql = model.sql.replace("$batch_start", f"TIMESTAMPTZ '{start}'").replace(
        "$batch_end", f"TIMESTAMPTZ '{end}'"
    )
    assert rows(root, f"SELECT id FROM ({sql}) ORDER BY ALL") == rows(root)

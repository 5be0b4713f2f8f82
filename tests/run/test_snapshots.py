"""Snapshots: what their history says after the rows below them changed, and what it never loses."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run.projects import WAREHOUSE, build, compile_folder, ended, write_files

from osiris_sql import api
from osiris_sql.types.diagnostic import ProjectError

PROJECT = {"osiris-sql.toml": 'name = "history"\n'}
DAY = "2024-01-{:02}".format
NEVER = None


def snapshot(config: str, query: str = "SELECT * FROM {{ ref('people') }}") -> dict[str, str]:
    return {"snapshots/history.sql": f"{{{{ config(unique_key='id', {config}) }}}}\n{query}"}


CHECK = snapshot("strategy='check', check_cols='all'")
STAMPED = snapshot("strategy='timestamp', updated_at='changed'")


def people(*rows: str, columns: str = "id,name,changed") -> dict[str, str]:
    return {"seeds/people.csv": "\n".join([columns, *rows]) + "\n"}


def built(root: Path, *files: dict[str, str], day: int = 1, **more):
    for each in files:
        write_files(root, each)
    return build(root, as_of=DAY(day), **more)


def history(root: Path, columns: str = "id, name, dbt_valid_from, dbt_valid_to") -> list[tuple]:
    with duckdb.connect(str(root / WAREHOUSE), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"SELECT {columns} FROM history ORDER BY ALL").fetchall()
    return [tuple(v.strftime("%d") if isinstance(v, date | datetime) else v for v in row) for row in found]


@pytest.fixture
def root(tmp_path) -> Path:
    return write_files(tmp_path, PROJECT)


def failure(result) -> tuple[str, str]:
    [failed] = [step for step in result.steps if step.status == "failed"]
    [found] = failed.diagnostics
    return found.rule, found.why


# ------------------------------------------------------------------------------- strategies


def test_check_begins_a_version_at_the_run_clock(root):
    built(root, CHECK, people("1,ann,2024-01-01", "2,bob,2024-01-01"))
    built(root, people("1,anna,2024-01-01", "2,bob,2024-01-01", "3,cy,2024-01-01"), day=5)
    assert history(root) == [
        (1, "ann", "01", "05"),
        (1, "anna", "05", NEVER),
        (2, "bob", "01", NEVER),
        (3, "cy", "05", NEVER),
    ]


def test_timestamp_begins_a_version_at_updated_at(root):
    built(root, STAMPED, people("1,ann,2024-01-02"), day=10)
    built(root, people("1,anna,2024-01-07", "2,bob,2024-01-03"), day=11)
    assert history(root) == [(1, "ann", "02", "07"), (1, "anna", "07", NEVER), (2, "bob", "03", NEVER)]


@pytest.mark.parametrize("strategy", [CHECK, STAMPED])
def test_a_second_run_changes_nothing(root, strategy):
    built(root, strategy, people("1,ann,2024-01-02"))
    before = history(root, "*")
    assert ended(built(root, day=3))["materialize.history"] == "reused"
    # The same rows in another order are read again, and still nothing changed.
    built(root, people("1,ann,2024-01-02", "2,bob,2024-01-02"), day=4)
    built(root, people("2,bob,2024-01-02", "1,ann,2024-01-02"), day=5)
    assert history(root, "*")[:1] == before
    assert len(history(root)) == 2


def test_check_looks_at_the_named_columns_only(root):
    built(root, snapshot("strategy='check', check_cols=['name']"), people("1,ann,2024-01-01"))
    built(root, people("1,ann,2024-01-09"), day=2)
    assert history(root, "changed, dbt_valid_to") == [("01", NEVER)]


@pytest.mark.parametrize(
    ("before", "after", "versions"), [("", "", 1), ("", "ann", 2), ("ann", "", 2), ("ann", "ann", 1)]
)
def test_null_is_a_value_like_any(root, before, after, versions):
    typed = {"seeds/p.yml": "seeds: [{name: people, config: {column_types: {name: VARCHAR}}}]"}
    built(root, CHECK, typed, people(f"1,{before},2024-01-01", "2,x,2024-01-01"))
    built(root, people(f"1,{after},2024-01-01", "2,y,2024-01-01"), day=2)
    assert len(history(root)) == versions + 2


def test_a_key_of_many_columns(root):
    files = {
        "snapshots/history.sql": "{{ config(unique_key=['a', 'b'], strategy='check', check_cols=['v']) }}"
        " SELECT * FROM pairs"
    }
    built(root, files, {"seeds/pairs.csv": "a,b,v\n1,1,x\n1,2,x\n"})
    built(root, {"seeds/pairs.csv": "a,b,v\n1,1,x\n1,2,y\n"}, day=2)
    assert history(root, "a, b, v, dbt_valid_to") == [
        (1, 1, "x", NEVER),
        (1, 2, "x", "02"),
        (1, 2, "y", NEVER),
    ]


# ------------------------------------------------------------------------------- times


def test_a_change_at_the_same_instant_takes_the_place_of_the_version(root):
    built(root, STAMPED, people("1,ann,2024-01-02"))
    built(root, people("1,anna,2024-01-02"), day=2)
    assert history(root) == [(1, "anna", "02", NEVER)]


@pytest.mark.parametrize(
    ("strategy", "rows", "day", "why"),
    [
        (STAMPED, ["1,anna,2024-01-01"], 9, "id = 1"),
        (CHECK, ["1,anna,2024-01-02"], 4, "id = 1"),
    ],
)
def test_time_that_runs_back_is_refused(root, strategy, rows, day, why):
    built(root, strategy, people("1,ann,2024-01-02"), day=5)
    assert failure(built(root, people(*rows), day=day)) == ("history-runs-back", why)
    assert history(root, "name, dbt_valid_to") == [("ann", NEVER)]


def test_rows_without_a_time_are_refused(root):
    typed = {"seeds/p.yml": "seeds: [{name: people, config: {column_types: {changed: DATE}}}]"}
    found = built(root, STAMPED, typed, people("1,ann,", "2,bob,2024-01-01"))
    assert failure(found) == ("no-updated-at", "it is NULL for id = 1")


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["1,a,2024-01-01", "1,b,2024-01-01"], "0 rows have a NULL in it, 1 keys occur more than once"),
        ([",a,2024-01-01", "2,b,2024-01-01"], "1 rows have a NULL in it, 0 keys occur more than once"),
    ],
)
def test_a_key_that_identifies_no_row_is_refused(root, first, rows, why):
    built(root, CHECK, people("7,z,2024-01-01"))
    if first:
        (root / WAREHOUSE).unlink()
    assert failure(built(root, people(*rows), day=2)) == ("key-not-unique", why)


@pytest.mark.parametrize("type_", ["DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS"])
def test_times_have_the_type_of_updated_at(root, type_):
    query = f"SELECT id, name, changed::{type_} AS changed FROM people"
    files = snapshot("strategy='timestamp', updated_at='changed', hard_deletes='invalidate'", query)
    built(root, files, people("1,ann,2024-01-02", "2,bob,2024-01-02"))
    built(root, people("2,bob,2024-01-02"), day=9)
    kinds = history(root, "DISTINCT typeof(dbt_valid_from), typeof(dbt_valid_to), typeof(changed)")
    assert len(set(kinds[0])) == 1
    assert history(root, "id, dbt_valid_to::DATE") == [(1, "09"), (2, NEVER)]


# ------------------------------------------------------------------------------- rows that go


def deletes(how: str, strategy: str = "strategy='check', check_cols='all'") -> dict[str, str]:
    return snapshot(f"{strategy}, hard_deletes='{how}'")


ROWS = ("1,ann,2024-01-01", "2,bob,2024-01-01")


@pytest.mark.parametrize(
    ("how", "gone", "back"),
    [
        ("ignore", [(1, "01", NEVER)], [(1, "01", NEVER)]),
        ("invalidate", [(1, "01", "05")], [(1, "01", "05"), (1, "08", NEVER)]),
        (
            "new_record",
            [(1, "01", "05"), (1, "05", NEVER)],
            [(1, "01", "05"), (1, "05", "08"), (1, "08", NEVER)],
        ),
    ],
)
def test_a_row_that_goes_and_comes_back(root, how, gone, back):
    def ones() -> list[tuple]:
        return [row for row in history(root, "id, dbt_valid_from, dbt_valid_to") if row[0] == 1]

    built(root, deletes(how), people(*ROWS))
    built(root, people(ROWS[1]), day=5)
    assert ones() == gone
    built(root, people(ROWS[1], "3,cy,2024-01-01"), day=6)
    assert ones() == gone
    built(root, people(*ROWS), day=8)
    assert ones() == back


def test_a_deletion_is_a_version_that_says_so(root):
    built(root, deletes("new_record"), people(*ROWS))
    built(root, people(ROWS[1]), day=5)
    assert history(root, "id, name, dbt_valid_from, dbt_is_deleted") == [
        (1, "ann", "01", False),
        (1, "ann", "05", True),
        (2, "bob", "01", False),
    ]


def test_an_old_row_that_comes_back_does_not_overlap_its_own_past(root):
    stamped = "strategy='timestamp', updated_at='changed'"
    built(root, deletes("invalidate", stamped), people(*ROWS))
    built(root, people(ROWS[1]), day=5)
    built(root, people(*ROWS), day=8)
    assert history(root)[:2] == [(1, "ann", "01", "05"), (1, "ann", "08", NEVER)]


# ------------------------------------------------------------------------------- definitions


def test_a_new_column_joins_and_the_past_has_none(root):
    built(root, snapshot("strategy='check', check_cols='all'", "SELECT id, name FROM people"), people(*ROWS))
    built(root, CHECK, day=3)
    assert history(root, "id, changed, dbt_valid_from, dbt_valid_to") == [
        (1, "01", "03", NEVER),
        (1, None, "01", "03"),
        (2, "01", "03", NEVER),
        (2, None, "01", "03"),
    ]


def test_a_column_that_goes_is_refused_before_anything_runs(root):
    built(root, CHECK, people(*ROWS))
    less = snapshot("strategy='check', check_cols='all'", "SELECT id, name FROM people")
    with pytest.raises(ProjectError, match="columns of the snapshot history changed: - changed"):
        built(root, less, day=3)
    kept = "SELECT id, name, NULL::DATE AS changed FROM people"
    built(root, snapshot("strategy='check', check_cols='all'", kept), day=4)
    assert history(root, "id, changed, dbt_valid_to")[:2] == [(1, "01", "04"), (1, None, NEVER)]
    built(
        root,
        snapshot(
            "strategy='check', check_cols='all', on_schema_change='sync'", "SELECT id, name FROM people"
        ),
        day=5,
    )
    assert len(history(root)) == 4


def test_a_changed_query_keeps_the_history(root):
    built(root, CHECK, people(*ROWS))
    upper = snapshot(
        "strategy='check', check_cols='all'", "SELECT id, upper(name) AS name, changed FROM people"
    )
    built(root, upper, day=2)
    assert history(root)[:2] == [(1, "ANN", "02", NEVER), (1, "ann", "01", "02")]


def test_a_full_refresh_leaves_history_alone(root):
    built(root, CHECK, people(*ROWS))
    built(root, people("1,anna,2024-01-01", ROWS[1]), day=2)
    before = history(root, "*")
    built(root, day=3, full_refresh=True)
    assert history(root, "*") == before


def test_a_snapshot_never_becomes_another_thing_by_itself(root):
    built(root, CHECK, people(*ROWS))
    with pytest.raises(ProjectError, match="history was a snapshot and would become a table"):
        built(root, {"snapshots/history.sql": "{{ config(materialized='table') }} SELECT 1 AS x"})
    assert len(history(root)) == 2


def test_a_table_of_which_nothing_is_known_is_not_replaced(root):
    built(root, CHECK, people(*ROWS))
    with duckdb.connect(str(root / WAREHOUSE)) as connection:
        connection.execute("DELETE FROM osiris.state")
    assert failure(built(root, day=2))[0] == "history-would-be-lost"
    assert len(history(root)) == 2


def test_columns_are_renamed(root):
    names = {"dbt_valid_from": "since", "dbt_valid_to": "until", "dbt_scd_id": "version"}
    built(
        root,
        snapshot(f"strategy='check', check_cols='all', snapshot_meta_column_names={names}"),
        {"models/now.sql": "SELECT id, since FROM history WHERE until IS NULL"},
        people(*ROWS),
    )
    built(root, people(ROWS[1]), day=2)
    assert len(set(history(root, "version, since, until"))) == 2


def test_blocks_as_dbt_writes_them_and_two_in_a_file(root):
    block = (
        "{{% snapshot {0} %}}\n{{{{ config(unique_key='id', strategy='check', check_cols='all') }}}}\n"
        "SELECT id{1} FROM {{{{ ref('people') }}}}\n{{% endsnapshot %}}\n"
    )
    text = block.format("history", ", name") + block.format("other", ", nam")
    manifest = api.compile_project(
        api.load_project(write_files(root, {"snapshots/all.sql": text, **people(*ROWS)}))
    )
    assert [model.name for model in manifest.models] == ["history"]
    [found] = manifest.diagnostics
    assert (found.rule, str(found.location)) == ("unknown-column", "snapshots/all.sql:7:12")


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ("check_cols='all'", "missing-strategy"),
        ("strategy='check'", "missing-check-cols"),
        ("strategy='timestamp'", "missing-updated-at"),
        ("strategy='timestamp', updated_at='name'", "invalid-updated-at"),
        ("strategy='timestamp', updated_at='when'", "unknown-column"),
        ("strategy='check', check_cols=['nam']", "unknown-column"),
        ("strategy='check', check_cols='all', on_schema_change='rebuild'", "history-would-be-lost"),
        ("strategy='check', check_cols='all', full_refresh=true", "history-would-be-lost"),
        (
            "strategy='check', check_cols='all', snapshot_meta_column_names={'dbt_valid_to': 'name'}",
            "duplicate-column",
        ),
        ("strategy='check', check_cols='all', hard_deletes='yes'", "invalid-value"),
    ],
)
def test_mistakes(root, config, rule):
    manifest = api.compile_project(api.load_project(write_files(root, {**snapshot(config), **people(*ROWS)})))
    assert [d.rule for d in manifest.diagnostics] == [rule]


GROUPED = "SELECT max(id) AS id, name FROM people GROUP BY name"


def test_what_the_query_proves_is_not_proved_of_the_history(root):
    """One row a name now is many rows a name over time."""
    files = {
        **snapshot(
            "strategy='check', check_cols='all'", "SELECT max(id) AS id, name FROM people GROUP BY name"
        ),
        "snapshots/h.yml": "snapshots: [{name: history, columns: [{name: name, data_tests: [unique]}]}]",
    }
    assert built(root, files, people(*ROWS)).status == "success"
    result = built(root, people("9,ann,2024-01-01", "1,zoe,2024-01-01"), day=2)
    assert {t.test: t.status for t in result.tests} == {"unique_history_name": "fail"}
    assert len(history(root, "id")) == 2


def test_selection_knows_snapshots(root):
    manifest = compile_folder(write_files(root, {**CHECK, **people(*ROWS)}))
    assert api.select_nodes(manifest, ["resource_type:snapshot"], ()) == ["model:history"]
    assert api.select_nodes(manifest, ["config.materialized:snapshot"], ()) == ["model:history"]


# ------------------------------------------------------------------------------- any history

NAMES = st.sampled_from(["a", "b", ""])
STATES = st.lists(st.dictionaries(st.integers(1, 3), NAMES, max_size=3), min_size=2, max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=STATES, how=st.sampled_from(["ignore", "invalidate", "new_record"]))
def test_the_history_answers_what_held_at_any_time(tmp_path_factory, states, how):
    """At each instant that a build saw, the versions that held then are the rows that it saw."""
    root = write_files(tmp_path_factory.mktemp("any"), {**PROJECT, **deletes(how)})
    write_files(
        root, {"seeds/p.yml": "seeds: [{name: people, config: {column_types: {id: INT, name: VARCHAR}}}]"}
    )
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for day, rows in enumerate(states):
        write_files(root, people(*(f"{i},{name}" for i, name in rows.items()), columns="id,name"))
        assert build(root, as_of=str(start + timedelta(days=day))).status == "success"
    held = "dbt_valid_from <= $1 AND coalesce(dbt_valid_to > $1, true)"
    held += " AND NOT dbt_is_deleted" if how == "new_record" else ""
    seen: dict[int, str] = {}
    with duckdb.connect(os.fspath(root / WAREHOUSE)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for day, rows in enumerate(states):
            seen = {**seen, **rows} if how == "ignore" else rows
            sql = f"SELECT id, coalesce(name, '') FROM history WHERE {held} ORDER BY id"
            sql = sql.replace("$1", f"TIMESTAMPTZ '{start + timedelta(days=day)}'")
            assert connection.execute(sql).fetchall() == sorted(seen.items())
        [(empty, doubled)] = connection.execute(
            "SELECT count(*) FILTER (dbt_valid_to <= dbt_valid_from), count(*) - count(DISTINCT dbt_scd_id)"
            " FROM history"
        ).fetchall()
        assert (empty, doubled) == (0, 0)

"""Files: exact values, the same bytes for the same rows, whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from targets.delivering import Rows, counts, films

from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import make_options
from osiris_sql.targets.files.types import stored_type
from osiris_sql.types.diagnostic import StepError

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))


def files(folder: Path, form: str, **more):
    plugin = load_plugin("targets", "files")
    return plugin(make_options(plugin.Options, {"path": "out", "format": form, **more}, {}), folder)


VALUES = [
    ("HUGEINT", str(2**126 // 10), "DECIMAL(38,0)"),
    ("UHUGEINT", "7", "DECIMAL(38,0)"),
    ("BIGNUM", f"'{10**60}'", "VARCHAR"),
    ("TIME WITH TIME ZONE", "'10:00:00+05:30'", "VARCHAR"),
    ("TIME_NS", "'23:59:59.999999999'", "VARCHAR"),
    ("INTERVAL", "'1 year -3 days 04:05:06.000007'", "VARCHAR"),
    ("TIMESTAMP_NS", "'2024-12-31 23:59:59.999999999'", "TIMESTAMP_NS"),
    ("TIMESTAMP WITH TIME ZONE", "'1883-11-18 12:03:57+00'", "TIMESTAMP WITH TIME ZONE"),
    ("DECIMAL(38,38)", "'0.12345678901234567890123456789012345678'", "DECIMAL(38,38)"),
    ("DOUBLE", "0.1", "DOUBLE"),
    ("BLOB", r"'\x00\xFF'", "BLOB"),
    ("ENUM('a', 'b')", "'b'", "VARCHAR"),
    ("INTEGER[2]", "[1, 2]", "INTEGER[]"),
    ("STRUCT(a DECIMAL(9,3), b VARCHAR)", "{'a': 1.5, 'b': 'x'}", "STRUCT(a DECIMAL(9,3), b VARCHAR)"),
    ("MAP(VARCHAR, INTEGER)", "MAP {'k': 1}", "MAP(VARCHAR, INTEGER)"),
]


@pytest.mark.parametrize(("duck", "literal", "stored"), VALUES, ids=[row[0] for row in VALUES])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_value_comes_back_exactly(tmp_path, rows, form, duck, literal, stored):
    sql = f"SELECT 1 AS id, CAST({literal} AS {duck}) AS x UNION ALL SELECT 2, NULL"
    rows.deliver(files(tmp_path, form), sql)
    if form == "parquet":
        [found, empty] = duckdb.sql(
            f"SELECT typeof(x), x::VARCHAR FROM '{tmp_path}/out/film.parquet' ORDER BY id"
        ).fetchall()
        kept = duckdb.sql(f"SELECT CAST({literal} AS {duck})::{stored}::VARCHAR").fetchall()
        assert (found, empty[1]) == ((stored, kept[0][0]), None)
    again = rows.deliver(files(tmp_path, form), sql, "again", mode="upsert")
    assert (again.unchanged, again.updated) == (2, 0)


@pytest.mark.parametrize("duck", ["STRUCT(h HUGEINT)", "UNION(a INTEGER)", "VARIANT", "INTERVAL[]"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_a_file_can_not_hold_has_no_stored_type(form, duck):
    assert stored_type(duck, form) is None


def test_a_hugeint_beyond_38_digits_is_an_error_and_not_a_double(tmp_path, rows):
    with pytest.raises(StepError):
        rows.deliver(files(tmp_path, "parquet"), f"SELECT 1 AS id, '{2**127 - 1}'::HUGEINT AS x")
    assert not (tmp_path / "out" / "film.parquet").exists()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_rows_give_the_same_bytes_whatever_their_order(tmp_path, form):
    made = []
    for order in ("id", "hash(id)", "-id"):
        folder = tmp_path / order
        folder.mkdir()
        rows = Rows(folder)
        sql = f"SELECT range AS id, 'title ' || (range % 7) AS title FROM range(300000) ORDER BY {order}"
        for mode, key in (("replace", ("id",)), ("replace", ())):
            rows.deliver(files(folder, form), sql, f"{mode}{key}", mode=mode, key=key)
            made.append((folder / "out" / f"film.{form}").read_bytes())
        rows.close()
    assert made[0] == made[2] == made[4]
    assert made[1] == made[3] == made[5]


def test_a_file_that_somebody_edited_is_published_anew(tmp_path, rows):
    target = files(tmp_path, "csv")
    rows.deliver(target, A)
    path = tmp_path / "out" / "film.csv"
    right = path.read_bytes()
    path.write_bytes(right.replace(b"Alien", b"Aliens"))
    assert target.observe(rows.publication(A)).latest_load is None
    assert counts(rows.deliver(target, A)) == (0, 1, 2, 0, 3)
    assert path.read_bytes() == right


def test_a_pending_entry_whose_file_never_came_does_not_count(tmp_path, rows):
    target = files(tmp_path, "csv")
    rows.deliver(target, A)
    path, ledger = tmp_path / "out" / "film.csv", tmp_path / "out" / "film.csv.osiris.json"
    old = path.read_bytes()
    rows.deliver(target, B, mode="upsert")
    assert len(json.loads(ledger.read_text())["deliveries"]) == 2
    path.write_bytes(old)  # as if the run had been killed between the ledger and the file
    assert target.observe(rows.publication(A)).latest_load is not None
    assert counts(rows.deliver(target, B, mode="upsert")) == (1, 1, 1, 0, 4)


def test_an_upsert_into_a_file_that_is_no_such_file_is_refused(tmp_path, rows):
    target = files(tmp_path, "csv")
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "film.csv"
    path.write_text("id,title\nnot a number,x\n")
    with pytest.raises(StepError) as caught:
        rows.deliver(target, A, mode="upsert")
    assert caught.value.diagnostics[0].rule == "unreadable-file"
    assert path.read_text() == "id,title\nnot a number,x\n"
    assert counts(rows.deliver(target, A, mode="replace"))[4] == 3


def test_nothing_is_left_beside_the_file(tmp_path, rows):
    for form in ("csv", "parquet"):
        rows.deliver(files(tmp_path, form), A)
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["film.csv", "film.csv.osiris.json", "film.parquet", "film.parquet.osiris.json"]


DUCKDB = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1]); print("open", flush=True); sys.stdin.read()
"""


def test_a_duckdb_file_open_elsewhere_is_named(tmp_path, rows):
    plugin = load_plugin("targets", "duckdb")
    target = plugin(plugin.Options(path="app.duckdb"), tmp_path)
    rows.deliver(target, A)
    command = [sys.executable, "-c", DUCKDB, str(tmp_path / "app.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        from osiris_sql.types.diagnostic import UnreachableError

        for call in (target.probe, lambda: rows.deliver(target, B)):
            with pytest.raises(UnreachableError) as caught:
                call()
            assert caught.value.diagnostics[0].rule == "file-in-use"
            assert "app.duckdb" in caught.value.diagnostics[0].message
        other.stdin.close()
    assert counts(rows.deliver(target, B)) == (1, 1, 1, 1, 3)


def test_a_refused_first_delivery_leaves_no_duckdb_file(tmp_path, rows):
    plugin = load_plugin("targets", "duckdb")
    with pytest.raises(StepError):
        rows.deliver(plugin(plugin.Options(path="app.duckdb"), tmp_path), A, create=False)
    assert not (tmp_path / "app.duckdb").exists()


def test_a_duckdb_table_of_narrower_types_refuses_what_would_be_rounded(tmp_path, rows):
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute("CREATE TABLE film (id INTEGER PRIMARY KEY, x DECIMAL(6,2), tags VARCHAR[])")
    plugin = load_plugin("targets", "duckdb")
    target = plugin(plugin.Options(path="app.duckdb"), tmp_path)
    sql = "SELECT 1 AS id, {}::DECIMAL(9,3) AS x, ['{}'] AS tags"
    with pytest.raises(StepError) as caught:
        rows.deliver(target, sql.format("1.234", "a"), mode="upsert")
    assert caught.value.diagnostics[0].rule == "value-does-not-fit"
    assert rows.deliver(target, sql.format("1.23", "a"), mode="upsert").inserted == 1
    assert rows.deliver(target, sql.format("1.23", "b"), mode="upsert").updated == 1


def test_a_duckdb_file_has_the_format_of_the_release_line_before(tmp_path, rows):
    plugin = load_plugin("targets", "duckdb")
    rows.deliver(plugin(plugin.Options(path="app.duckdb"), tmp_path), A)
    with duckdb.connect(str(tmp_path / "app.duckdb"), read_only=True) as connection:
        tags = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'app'"
        assert "v1.5.0" in connection.execute(tags).fetchone()[0]

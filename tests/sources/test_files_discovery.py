"""Types are found by every row of every file, so that reading what was found can't fail."""

import csv
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sources.arrivals import read

from osiris_sql.sources.files import PLUGIN
from osiris_sql.types.diagnostic import StepError

CSV_TYPES = [
    (["1", "-2", ""], "BIGINT"),
    (["1"] * 30_000 + ["x"], "VARCHAR"),
    (["9223372036854775807"], "BIGINT"),
    (["9223372036854775808"], "DECIMAL(38,0)"),
    (["9" * 39], "VARCHAR"),
    (["007"], "VARCHAR"),
    (["+1"], "VARCHAR"),
    (["1.50", "2"], "DECIMAL(18,2)"),
    (["1234567890123456.789"], "DECIMAL(38,3)"),
    (["0.1234567890123"], "DOUBLE"),
    (["1e3", "1.5"], "DOUBLE"),
    (["1e400"], "VARCHAR"),
    (["true", "FALSE"], "BOOLEAN"),
    (["true", "1"], "VARCHAR"),
    (["t", "f"], "VARCHAR"),
    (["2024-01-01"], "DATE"),
    (["2024-02-30"], "VARCHAR"),
    (["01/02/2024"], "VARCHAR"),
    (["2024-01-01", "2024-01-01 10:00:00.5"], "TIMESTAMP"),
    (["2024-01-01T10:00:00Z", "2024-01-01 10:00:00+02:00"], "TIMESTAMP WITH TIME ZONE"),
    (["2024-01-01 10:00:00", "2024-01-01 10:00:00Z"], "VARCHAR"),
    (["10:00:00"], "TIME"),
    (["", ""], "VARCHAR"),
    ([], "VARCHAR"),
]

JSON_TYPES = [
    (["1", "null"], "BIGINT"),
    (["1", "1.5"], "DOUBLE"),
    (["18446744073709551616"], "DECIMAL(38,0)"),
    (["1e400"], "JSON"),
    (["true"], "BOOLEAN"),
    (['"1"'], "VARCHAR"),
    (['"1"', "1"], "JSON"),
    (['"2024-01-01"'], "DATE"),
    (['"2024-01-01"', '"soon"'], "VARCHAR"),
    (["[1]"], "JSON"),
    (['{"b": 1}', '"x"'], "JSON"),
    (["null"], "VARCHAR"),
]


def files(root: Path):
    return PLUGIN(PLUGIN.Options(path="."), root)


def found_types(root: Path, identifier: str) -> dict[str, str]:
    [table] = files(root).discover([identifier])
    return {column.name: column.type for column in table.schema.columns}


@pytest.mark.parametrize(("values", "type_"), CSV_TYPES)
def test_types_of_csv(tmp_path, values, type_):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{value},\n" for value in values))
    assert found_types(tmp_path, "t")["a"] == type_


@pytest.mark.parametrize(("values", "type_"), JSON_TYPES)
def test_types_of_json(tmp_path, values, type_):
    (tmp_path / "t.jsonl").write_text("".join(f'{{"a": {value}}}\n' for value in values))
    assert found_types(tmp_path, "t") == {"a": type_}


def test_quoted_empty_text_is_text(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,x\n"",x\n')
    assert found_types(tmp_path, "t")["a"] == "VARCHAR"


def test_all_tables_of_a_folder_by_their_shortest_names(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    (tmp_path / "b.csv").write_text("x\n1\n")
    duckdb.sql("SELECT 1::DECIMAL(9,1) AS x").write_parquet(str(tmp_path / "b.parquet"))
    (tmp_path / "notes.txt").write_text("no table")
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "1.jsonl").write_text('{"k": 1}\n{"j": 2}\n')
    found = {table.identifier: table for table in files(tmp_path).discover(None)}
    assert list(found) == ["a", "b.csv", "b.parquet", "events"]
    assert [table.rows for table in found.values()] == [2, 1, 1, 2]
    assert found["b.parquet"].schema.type_of("x") == "DECIMAL(9,1)"
    assert found["events"].schema.names == ("k", "j")


def test_a_name_that_is_not_there_is_left_out(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert [table.identifier for table in files(tmp_path).discover(["a", "nope", "*.parquet"])] == ["a"]


def test_types_hold_for_all_files_of_a_glob(tmp_path):
    (tmp_path / "f1.csv").write_text("a,b\n1,2.5\n")
    (tmp_path / "f2.csv").write_text("B,A\n1.25,x\n")
    assert found_types(tmp_path, "f*.csv") == {"a": "VARCHAR", "b": "DECIMAL(18,2)"}


@pytest.mark.parametrize(
    ("contents", "rule"),
    [
        ({"t1.csv": "a\n1\n", "t2.csv": "b\n1\n"}, "files-differ"),
        ({"t1.csv": "a,b\n1,2\n3\n"}, "ragged-row"),
        ({"t1.jsonl": ""}, "no-columns"),
        ({"t1.jsonl": '{"a": 1}\n{\n'}, "unreadable-row"),
        ({"t1.jsonl": '{"a": 1}\n5\n'}, "unreadable-row"),
    ],
)
def test_what_can_not_be_discovered(tmp_path, contents, rule):
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(StepError) as error:
        files(tmp_path).discover(["t*"])
    assert [d.rule for d in error.value.diagnostics] == [rule]


FIELDS = st.one_of(
    st.none(),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.floats().map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda d: d.isoformat() + "Z"),
    st.times().map(str),
    st.booleans().map(str),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(FIELDS, FIELDS), max_size=8))
def test_whatever_is_in_a_csv_its_discovered_types_hold_it(tmp_path, rows):
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        file.write("a,b\r\n")
        for row in rows:
            file.write(",".join("" if field is None else _quoted(field) for field in row) + "\r\n")
    source = files(tmp_path)
    [table] = source.discover(["t"])
    arrived = read(source, "t", table.schema.columns)
    assert len(arrived) == len(rows)
    for column, type_ in enumerate(found_types(tmp_path, "t").values()):
        if type_ == "VARCHAR":
            assert [row[column] for row in arrived] == [row[column] for row in rows]


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


def test_rows_that_pythons_csv_writer_wrote(tmp_path):
    rows = [["1", 'a "quoted", text'], ["2", "two\nlines"], ["3", "ž"]]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *rows])
    source = files(tmp_path)
    [table] = source.discover(["t"])
    assert read(source, "t", table.schema.columns) == [tuple(row) for row in rows]

"""Files arrive exactly as they are written, or not at all, with the file and the line."""

import gzip
from pathlib import Path

import duckdb
import pytest
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources.files import PLUGIN
from osiris_sql.types.diagnostic import CancelledError, OsirisError, ProjectError, StepError, UnreachableError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def files(folder: Path, **options):
    return PLUGIN(PLUGIN.Options(path=folder.name, **options), folder.parent)


def write(folder: Path, **contents: str | bytes) -> None:
    """Write files; `__` in a name stands for the dot."""
    for name, content in contents.items():
        path = folder / name.replace("__", ".")
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)


def parquet(path: Path, query: str) -> None:
    duckdb.sql(query).write_parquet(str(path))


def said(error: OsirisError) -> list[tuple[str, str]]:
    return [(d.rule, str(d.location)) for d in error.diagnostics]


# ------------------------------------------------------------------------------------ values

CSV_VALUES = [
    ("an empty field is NULL", "a,b\n,1\n", [(None, "1")]),
    ("in quotes it is empty text", 'a,b\n"",1\n', [("", "1")]),
    ("quotes, commas and line ends", 'a,b\n"x,""y""\r\nz",1\n', [('x,"y"\r\nz', "1")]),
    ("carriage returns before line feeds", "a,b\r\nx,1\r\n", [("x", "1")]),
    ("no line end at the end", "a,b\nx,1", [("x", "1")]),
    ("a byte order mark", "\ufeffa,b\nx,1\n", [("x", "1")]),
    ("NUL, astral and blank characters", "a,b\n\0 \U0001f600 ,1\n", [("\0 \U0001f600 ", "1")]),
    ("other columns, another order", "c,b,a\nno,1,x\n", [("x", "1")]),
    ("names in another case", "A,B\nx,1\n", [("x", "1")]),
    ("the word NULL is a word", "a,b\nNULL,1\n", [("NULL", "1")]),
    ("only a header", "a,b\n", []),
]


@pytest.mark.parametrize(("text", "rows"), [c[1:] for c in CSV_VALUES], ids=[c[0] for c in CSV_VALUES])
def test_csv_values(folder, text, rows):
    write(folder, t__csv=text)
    assert read(files(folder), "t", columns(a="VARCHAR", b="INTEGER")) == rows


def test_csv_options(folder):
    write(folder, t__csv="a;b\nNA;'x;y'\n'NA';\n")
    source = files(folder, delimiter=";", quote="'", null="NA")
    assert read(source, "t", columns(a="VARCHAR", b="VARCHAR")) == [(None, "x;y"), ("NA", None)]


def test_an_option_that_can_not_work_is_refused(folder):
    with pytest.raises(ProjectError) as error:
        files(folder, delimiter="||", quote="")
    assert len(error.value.diagnostics) == 2


def test_types_arrive_as_asked(folder):
    write(folder, t__csv="a,b,c,d,e\n1,1.50,2024-01-01,2024-01-01T10:00:00Z,\n")
    wanted = columns(a="TINYINT", b="DECIMAL(9,2)", c="DATE", d="TIMESTAMPTZ", e="DOUBLE")
    with files(folder).snapshot() as snapshot:
        types, rows = arrive(snapshot.read(request("t", wanted)), wanted)
    assert types == ["TINYINT", "DECIMAL(9,2)", "DATE", "TIMESTAMP WITH TIME ZONE", "DOUBLE"]
    assert rows == [("1", "1.50", "2024-01-01", "2024-01-01 10:00:00+00", None)]


JSON_VALUES = [
    ('{"a": 1}', "INTEGER", "1"),
    ('{"a": null}', "INTEGER", None),
    ('{"b": 1}\n{"a": 2}', "INTEGER", None),
    ('{"a": "x\\u0000y\\n"}', "VARCHAR", "x\0y\n"),
    ('{"a": ""}', "VARCHAR", ""),
    ('{"a": "null"}', "VARCHAR", "null"),
    ('{"a": true}', "BOOLEAN", "true"),
    ('{"a": 18446744073709551616}', "HUGEINT", "18446744073709551616"),
    ('{"a": 0.1}', "DOUBLE", "0.1"),
    ('{"a": 12.50}', "DECIMAL(9,2)", "12.50"),
    ('{"a": "12345678901234567890.5"}', "DECIMAL(38,2)", "12345678901234567890.50"),
    ('{"a": "2024-01-01"}', "DATE", "2024-01-01"),
    ('{"a": {"b": [1, null]}}', "JSON", '{"b":[1,null]}'),
    ('{"a": "x"}', "JSON", '"x"'),
]


@pytest.mark.parametrize(("text", "type_", "value"), JSON_VALUES)
def test_json_values(folder, text, type_, value):
    write(folder, t__jsonl=text)
    assert read(files(folder), "t", columns(a=type_))[0] == (value,)


def test_json_keys_with_any_characters(folder):
    write(folder, t__ndjson='{"a/b~c": 1, "$.x\\"{}": 2, "Ž\'": 3}')
    wanted = columns(**{"a/b~c": "INTEGER", '$.x"{}': "INTEGER", "Ž'": "INTEGER"})
    assert read(files(folder), "t", wanted) == [("1", "2", "3")]


def test_parquet_values_keep_their_types(folder):
    parquet(
        folder / "t.parquet",
        "SELECT 1::UTINYINT AS a, {'x': [1.5::DECIMAL(3,1)]} AS b, 'a'::BLOB AS c, uuid() AS u,"
        " 1::HUGEINT AS h, INTERVAL '3 days 1 second' AS i, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS t,"
        " 'x'::ENUM('x', 'y') AS e",
    )
    source = files(folder)
    [table] = source.discover(["t"])
    with source.snapshot() as snapshot:
        types, [row] = arrive(snapshot.read(request("t", table.schema.columns)), table.schema.columns)
    assert types == [column.type for column in table.schema.columns]
    assert row[:3] == ("1", "{'x': [1.5]}", "a")
    assert row[5:] == ("3 days 00:00:01", "2024-01-01 00:00:00+00", "x")


# ------------------------------------------------------------------------------------ many files


def test_a_glob_reads_its_files_in_name_order(folder):
    write(folder, f_2__csv__gz="a,b\n3,x\n", f_1__csv="b,a\nx,1\ny,2\n", g__csv="a,b\n9,z\n")
    assert read(files(folder), "f_*.csv*", columns(a="INTEGER")) == [("1",), ("2",), ("3",)]


def test_a_folder_is_a_table(folder):
    (folder / "events").mkdir()
    write(folder / "events", b__jsonl='{"a": 2}', a__jsonl__gz='{"a": 1}', README__md="no")
    assert read(files(folder), "events", columns(a="INTEGER")) == [("1",), ("2",)]


def test_a_name_with_glob_characters_is_only_a_name(folder):
    write(folder, **{"a[1]*__csv": "a\n1\n", "a1__csv": "a\n2\n"})
    assert read(files(folder), "a[1]*.csv", columns(a="INTEGER")) == [("1",)]


NOT_FOUND = [
    ("orders", "no-such-file", "near: order"),
    ("*.xlsx", "no-such-file", "it holds"),
    ("twice", "ambiguous-file", "name the file itself"),
    ("notes.txt", "unknown-file-type", ".parquet"),
    ("../secret", "bad-identifier", ""),
    ("/etc/passwd", "bad-identifier", ""),
    ("", "bad-identifier", ""),
    ("t*", "mixed-files", ""),
]


@pytest.mark.parametrize(("identifier", "rule", "why"), NOT_FOUND)
def test_what_an_identifier_can_not_mean(folder, identifier, rule, why):
    write(folder, order__csv="a\n", twice__csv="a\n", twice__jsonl="{}", notes__txt="hi")
    with pytest.raises(StepError) as error:
        read(files(folder), identifier, columns(a="INTEGER"))
    assert error.value.diagnostics[0].rule == rule
    assert why in error.value.diagnostics[0].why


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UnreachableError, match="there is no folder"):
        PLUGIN(PLUGIN.Options(path="nowhere"), tmp_path).probe()


# ------------------------------------------------------------------------------------ bad files

BAD_FILES = [
    ("too few fields", {"t__csv": "a,b\n1,2\n3\n"}, "ragged-row", "data/t.csv:3"),
    ("too many fields", {"t__csv": "a,b\n1,2,3\n"}, "ragged-row", "data/t.csv:2"),
    ("an open quote", {"t__csv": 'a,b\n1,"x\n'}, "unreadable-row", "data/t.csv:2"),
    ("text after a quote", {"t__csv": 'a,b\n1,"x"y\n'}, "unreadable-row", "data/t.csv:2"),
    ("an endless row", {"t__csv": "a,b\n1," + "x" * (5 << 20) + "\n"}, "unreadable-row", "data/t.csv:2"),
    ("not UTF-8", {"t__csv": b"a,b\n1,\xff\n"}, "unreadable-row", "data/t.csv:2"),
    ("an inexact value", {"t__csv": 'a,b\n1,"x\ny"\n\n1.5,z\n'}, "inexact-value", "data/t.csv:5"),
    ("in the second file", {"t__csv__gz": "a,b\n1,2\nx,2\n"}, "inexact-value", "data/t.csv.gz:3"),
    ("an empty file", {"t__csv": ""}, "bad-csv-header", "data/t.csv:1"),
    ("a column twice", {"t__csv": "a,b,A\n1,2,3\n"}, "bad-csv-header", "data/t.csv:1"),
    ("a column without a name", {"t__csv": "a,,b\n1,2,3\n"}, "bad-csv-header", "data/t.csv:1"),
    ("a column that is missing", {"t__csv": "a,c\n1,2\n"}, "unknown-column", "data/t.csv:1"),
    ("broken gzip", {"t__csv": b"", "u": b""}, "bad-csv-header", "data/t.csv:1"),
    ("broken JSON", {"t__jsonl": '{"a": 1, "b": 2}\n{"a":\n'}, "unreadable-row", "data/t.jsonl:2"),
    ("JSON that is no object", {"t__jsonl": '{"a": 1, "b": 2}\n[1]\n'}, "unreadable-row", "data/t.jsonl:2"),
    (
        "an inexact JSON number",
        {"t__jsonl": '{"a": 1, "b": 2}\n\n{"a": 1.5}'},
        "inexact-value",
        "data/t.jsonl:3",
    ),
    ("a JSON key that no line has", {"t__jsonl": '{"a": 1}'}, "unknown-column", "data/t.jsonl:1"),
    ("no Parquet inside", {"t__parquet": "PAR"}, "unreadable-file", "data/t.parquet"),
]


@pytest.mark.parametrize(
    ("contents", "rule", "place"), [c[1:] for c in BAD_FILES], ids=[c[0] for c in BAD_FILES]
)
def test_a_bad_file_is_an_error_with_its_place(folder, contents, rule, place):
    write(folder, **contents)
    with pytest.raises(StepError) as error:
        read(files(folder), "t", columns(a="INTEGER", b="VARCHAR"))
    assert said(error.value) == [(rule, place)]


def test_every_column_that_does_not_fit_is_named_with_value_and_count(folder):
    write(folder, t__csv="a,b,c\n1,2024-01-01,x\n1.5,2024-01-01 10:00:00,x\n2.5,2024-01-01,x\n")
    with pytest.raises(StepError) as error:
        read(files(folder), "t", columns(a="INTEGER", b="DATE", c="VARCHAR"))
    first, second = error.value.diagnostics
    assert first.message == 'column a: "1.5" is not exactly a value of type INTEGER'
    assert "do not fit: 2" in first.why
    assert second.message == 'column b: "2024-01-01 10:00:00" is not exactly a value of type DATE'
    assert said(error.value) == [("inexact-value", "data/t.csv:3")] * 2


def test_a_gzip_that_is_cut_off_is_an_error(folder):
    write(folder, t__csv__gz="a,b\n" + "1,2\n" * 100_000)
    whole = (folder / "t.csv.gz").read_bytes()
    (folder / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StepError) as error:
        read(files(folder), "t", columns(a="INTEGER"))
    assert error.value.diagnostics[0].location.path == "data/t.csv.gz"


def test_a_file_that_changes_while_it_is_read_is_an_error(folder):
    write(folder, t__csv="a\n" + "1\n" * 100_000)
    with files(folder).snapshot() as snapshot:
        batches = snapshot.read(request("t", columns(a="INTEGER"))).batches
        batches.read_next_batch()
        with (folder / "t.csv").open("a") as more:
            more.write("2\n")
        with pytest.raises(StepError, match="the file changed while it was read"):
            batches.read_all()


def test_an_interrupt_ends_the_read(folder):
    write(folder, t__csv="a\n" + "1\n" * 500_000)
    source = files(folder)
    with source.snapshot() as snapshot:
        batches = snapshot.read(request("t", columns(a="INTEGER"))).batches
        batches.read_next_batch()
        source.interrupt()
        with pytest.raises(CancelledError):
            batches.read_all()
        with pytest.raises(CancelledError):
            snapshot.read(request("t", columns(a="INTEGER"))).batches.read_all()


# ------------------------------------------------------------------------------------ less than all


def test_rows_at_or_after_the_watermark(folder):
    write(folder, t__csv="a,at\n1,2024-01-01 00:00:00\n2,2024-01-02 00:00:00\n3,\n4,2024-01-03 00:00:00\n")
    wanted = columns(a="INTEGER", at="TIMESTAMP")
    found = read(files(folder), "t", wanted, watermark="at", since="2024-01-02 00:00:00")
    assert [row[0] for row in found] == ["2", "4"]


def test_only_the_columns_asked_for_are_read(folder):
    query = "SELECT i AS a, repeat('x', 1000) || i AS big FROM range(20000) t(i)"
    duckdb.sql(query).write_parquet(str(folder / "t.parquet"), compression="uncompressed")
    whole = (folder / "t.parquet").read_bytes()
    at = whole.index(b"x" * 500)
    # Spoil a page of the other column: whoever reads it fails.
    (folder / "t.parquet").write_bytes(whole[:at] + b"\xff" * 100 + whole[at + 100 :])
    assert len(read(files(folder), "t", columns(a="BIGINT"))) == 20000


def test_rows_come_in_bounded_batches(folder):
    write(folder, t__csv="a\n" + "1\n" * 100_000)
    with files(folder).snapshot() as snapshot:
        sizes = [b.num_rows for b in snapshot.read(request("t", columns(a="INTEGER"))).batches]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 1 << 14


# ------------------------------------------------------------------------------------ change tokens


def test_the_change_token_follows_names_and_bytes(folder):
    write(folder, f_1__csv="a\n1\n", f_2__csv="a\n2\n")
    source = files(folder)

    def token():
        [observed] = source.probe_change({"source:s.t": "f_*.csv"})
        return observed.change, dict(observed.files)

    first, hashes = token()
    assert list(hashes) == ["data/f_1.csv", "data/f_2.csv"]
    assert token() == (first, hashes)
    write(folder, f_2__csv="a\n3\n")
    changed, after = token()
    assert changed != first
    assert after["data/f_1.csv"] == hashes["data/f_1.csv"]
    (folder / "f_2.csv").rename(folder / "f_3.csv")
    assert token()[0] not in {first, changed}


def test_the_change_token_follows_how_csv_is_read(folder):
    write(folder, t__csv="a;b\n1;2\n")
    one, other = (files(folder, delimiter=d).probe_change({"n": "t"})[0].change for d in ",;")
    assert one != other


def test_a_table_without_files_has_no_token(folder):
    [observed] = files(folder).probe_change({"n": "t"})
    assert (observed.change, observed.files) == (None, {})


def test_the_endpoint_is_the_same_on_every_machine(folder):
    assert files(folder).endpoint() == "files:data"

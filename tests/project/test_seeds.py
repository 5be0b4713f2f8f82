"""Seeds: CSV files of the project that models read by name."""

from __future__ import annotations

import duckdb
import pytest
from run.projects import WAREHOUSE, build, compile_folder, ended, write_files

from osiris_sql import api

COUNTRIES = "code,name,people,since\n01,Austria,9,1955-10-26\n02,Germany,84,1990-10-03\n"
FILES = {
    "osiris-sql.toml": 'name = "atlas"\n',
    "seeds/countries.csv": COUNTRIES,
    "models/big.sql": "SELECT name FROM {{ ref('countries') }} WHERE people > 10",
}
TYPED = """
seeds:
  - name: countries
    description: Where people live.
    config: {{ column_types: {{ code: VARCHAR, people: {people} }}, tags: geo }}
    columns:
      - name: code
        tags: [ids]
        data_tests: [unique, not_null]
"""


def typed(people: str = "SMALLINT") -> dict[str, str]:
    return {**FILES, "seeds/geo.yml": TYPED.format(people=people)}


def mistakes(root) -> list[str]:
    return [f"{d.location}: {d.rule}: {d.message}" for d in api.load_project(root).diagnostics]


def columns(root, name="countries") -> dict[str, str]:
    with duckdb.connect(str(root / WAREHOUSE), read_only=True) as connection:
        return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}


def rows(root, name="countries") -> list[tuple]:
    with duckdb.connect(str(root / WAREHOUSE), read_only=True) as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()


def test_types_are_told_by_all_rows_unless_they_are_declared(tmp_path):
    build(write_files(tmp_path, FILES))
    assert columns(tmp_path) == {"code": "VARCHAR", "name": "VARCHAR", "people": "BIGINT", "since": "DATE"}
    build(write_files(tmp_path, typed()))
    assert columns(tmp_path)["people"] == "SMALLINT"
    assert [row[0] for row in rows(tmp_path)] == ["01", "02"]


def test_a_seed_is_read_whole_and_again_only_when_its_file_changed(tmp_path):
    root = write_files(tmp_path, FILES)
    assert ended(build(root)) == {"seed.countries": "success", "materialize.big": "success"}
    assert ended(build(root)) == {"seed.countries": "reused", "materialize.big": "reused"}
    write_files(root, {"seeds/countries.csv": COUNTRIES.replace("84", "85")})
    assert ended(build(root))["seed.countries"] == "success"
    assert len(rows(root)[0]) == 4


@pytest.mark.parametrize(
    ("delimiter", "quote", "text"),
    [(";", '"', 'a;b\n1;"x;y"\n'), ("\t", "'", "a\tb\n1\t'x;y'\n"), ("|", '"', 'a|b\n1|"x;y"\n')],
)
def test_delimiter_and_quote(tmp_path, delimiter, quote, text):
    yaml = f"seeds: [{{name: odd, config: {{delimiter: {delimiter!r}, quote: {quote!r}}}}}]".replace(
        "'\\t'", '"\\t"'
    )
    yaml = yaml.replace('"\'"', '"\'"')
    build(write_files(tmp_path, {**FILES, "seeds/odd.csv": text, "seeds/odd.yml": yaml}))
    assert rows(tmp_path, "odd") == [(1, "x;y")]


def test_seeds_lie_in_folders_and_are_selected_like_models(tmp_path):
    root = write_files(tmp_path, {**typed(), "seeds/money/rates.csv": "id,rate\n1,1.25\n"})
    manifest = compile_folder(root)

    def chosen(*words: str) -> list[str]:
        return [n for n in api.select_nodes(manifest, words, ()) if not n.startswith("test:")]

    assert chosen("resource_type:seed") == ["seed:countries", "seed:rates"]
    assert chosen("path:seeds/money") == ["seed:rates"]
    assert chosen("money.rates") == chosen("rates.csv") == ["seed:rates"]
    assert chosen("tag:geo") == chosen("countries") == ["seed:countries"]
    assert chosen("+big") == ["seed:countries", "model:big"]
    assert api.select_nodes(manifest, ["tag:ids"], ()) == [
        "test:unique_countries_code",
        "test:not_null_countries_code",
    ]


def test_data_tests_of_a_seed_stop_what_stands_below(tmp_path):
    root = write_files(tmp_path, typed())
    assert build(root).status == "success"
    write_files(root, {"seeds/countries.csv": COUNTRIES.replace("02,", "01,").replace("9,1955", "7,1955")})
    result = build(root)
    assert ended(result) == {"seed.countries": "failed", "materialize.big": "skipped"}
    assert {t.test: t.status for t in result.tests} == {
        "unique_countries_code": "fail",
        "not_null_countries_code": "pass",
    }
    assert rows(root)[0][2] == 9


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        (
            {"seeds/countries.csv": COUNTRIES + "03,Malta\n"},
            "seeds/countries.csv:4: ragged-row: a row has 2 fields, not 4",
        ),
        (
            {"seeds/countries.csv": "code,code\n1,2\n"},
            'seeds/countries.csv:1: bad-csv-header: its header has "code" more than once',
        ),
        (
            {"seeds/countries.csv": ""},
            "seeds/countries.csv:1: bad-csv-header: its first line must name every column",
        ),
        (
            {"seeds/geo.yml": "seeds:\n  - name: countries\n    config: { column_types: { kode: VARCHAR } }"},
            'seeds/geo.yml:3:31: unknown-column: the seed countries has no column "kode"',
        ),
        (
            {"seeds/geo.yml": "seeds:\n  - name: county"},
            'seeds/geo.yml:2:11: unknown-seed: there is no seed "county"',
        ),
        (
            {"models/countries.sql": "SELECT 1 AS x"},
            'seeds/countries.csv:1:1: duplicate-name: there are two models named "countries"',
        ),
        (
            {"seeds/geo.yml": "seeds:\n  - name: countries\n    config: { delimiter: ';;' }"},
            'seeds/geo.yml:3:26: invalid-value: "delimiter" must have at most 1 character',
        ),
        ({"seeds/new york.csv": "a\n1\n"}, "seeds/new york.csv:1:1: invalid-name: a seed can't be called"),
    ],
)
def test_mistakes_have_their_place(tmp_path, files, wrong):
    root = write_files(tmp_path, {**FILES, **files})
    assert any(found.startswith(wrong) for found in mistakes(root)), mistakes(root)


@pytest.mark.parametrize(("people", "value", "place"), [("INTEGER", "9.5", 2), ("TINYINT", "300", 2)])
def test_a_value_that_is_not_exactly_of_its_type_is_refused(tmp_path, people, value, place):
    root = write_files(tmp_path, typed(people))
    write_files(root, {"seeds/countries.csv": COUNTRIES.replace(",9,", f",{value},")})
    [failed] = [step for step in build(root).steps if step.status == "failed"]
    [found] = failed.diagnostics
    assert (found.rule, found.location.path, found.location.line) == (
        "inexact-value",
        "seeds/countries.csv",
        place,
    )


def test_an_unknown_type_is_named_where_it_is_written(tmp_path):
    manifest = api.compile_project(api.load_project(write_files(tmp_path, typed("SMALINT"))))
    [found] = [d for d in manifest.diagnostics if d.rule == "unknown-type"]
    assert (found.location.path, found.location.line) == ("seeds/geo.yml", 5)


def test_a_disabled_seed_is_not_there(tmp_path):
    off = "seeds: [{name: countries, config: {enabled: false}}]"
    manifest = api.compile_project(api.load_project(write_files(tmp_path, {**FILES, "seeds/geo.yml": off})))
    assert [d.rule for d in manifest.diagnostics] == ["unknown-relation"]


def test_a_unit_test_gives_rows_of_a_seed(tmp_path):
    unit = """
unit_tests:
  - name: germany_is_big
    model: big
    given: [{input: ref('countries'), rows: [{name: A, people: 10}, {name: B, people: 11}]}]
    expect: {rows: [{name: B}]}
"""
    root = write_files(tmp_path, {**FILES, "models/units.yml": unit})
    project = api.load_project(root)
    [result] = api.run_unit_tests(project, api.compile_project(project))
    assert (result.status, result.diff) == ("pass", "")

"""Every mistake has its rule, and stands at its exact place: file, line, column, length."""

import duckdb
import pytest
from compile.films import column, compiled, findings, model, publication, source

from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.relation import Column, TableSchema


def only(text: str, **changes: object) -> Diagnostic:
    """Return the one diagnostic of a project with the one model `m`."""
    manifest = compiled({"m": text}, **changes)
    assert len(manifest.diagnostics) == 1, findings(manifest)
    return manifest.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "rule", "place", "length"),
    [
        # names
        ("select titel from cinema.movies", "unknown-column", "1:8", 5),
        ("select\n  'é😀' as s, m.titel\nfrom cinema.movies m", "unknown-column", "2:16", 5),
        ("select sum(m.budgett) from cinema.movies as m", "unknown-column", "1:14", 7),
        ("select * exclude (nope) from cinema.movies", "unknown-column", "1:19", 4),
        ("select 1 from cinema.movies group by nope", "unknown-column", "1:38", 4),
        ("select a.id from cinema.movies a join cinema.directors b using (zz)", "unknown-column", "1:65", 2),
        (
            "select id from cinema.movies qualify row_number() over (order by idd) = 1",
            "unknown-column",
            "1:66",
            3,
        ),
        (
            "select title, list(id) as ids, row_number() over (order by title) as n, idd from cinema.movies"
            " group by title",
            "unknown-column",
            "1:73",
            3,
        ),
        ("select flor(budget) from cinema.movies", "unknown-function", "1:8", 4),
        ("select cast(id as strin) from cinema.movies", "unknown-type", "1:19", 5),
        ("select * from moviez", "unknown-relation", "1:15", 6),
        ("select * from cinema.moviez", "unknown-relation", "1:15", 13),
        ('select * from "cinema" . "moviez"', "unknown-relation", "1:15", 19),
        ("select * from a.b.c", "unknown-relation", "1:15", 5),
        ("select 1 where exists (from nope)", "unknown-relation", "1:29", 4),
        ("select s.b from (select {'a': 1} as s)", "unknown-field", "1:10", 1),
        ("unpivot cinema.movies on ido into name n value v", "unknown-column", "1:26", 3),
        ("select nope.* from cinema.movies", "unknown-relation", "1:8", 4),
        ("select sum(id) over w from cinema.movies", "invalid-query", "1:21", 1),
        ("select 1 from cinema.movies m join cinema.directors m on m.id = 1", "duplicate-alias", "1", 1),
        ("select 1 as a limit 'abc'", "type-mismatch", "1:21", 5),
        # types and structure
        ("select id + title from cinema.movies", "type-mismatch", "1:11", 1),
        ("select substr(1)", "type-mismatch", "1:8", 6),
        ("select title, count(*) from cinema.movies", "not-grouped", "1:8", 5),
        (
            "select id from cinema.movies m join cinema.directors d on m.id = d.id",
            "ambiguous-column",
            "1:8",
            2,
        ),
        ("select 1 from cinema.movies where sum(id) > 1", "misplaced-aggregate", "1:35", 3),
        ("select 1 as x union all select 1, 2", "set-operation-width", "1:15", 5),
        # syntax
        ("select 1 frm x y z", "syntax-error", "1:14", 1),
        ("select 'open", "syntax-error", "1:8", 1),
        ("insert into x values (1)", "not-a-select", "1:1", 6),
        ("selec 1", "not-a-select", "1:1", 5),
        ("describe cinema.movies", "not-a-select", "1:1", 8),
        ("select 1;;\nselect 2", "two-statements", "2:1", 1),
        ("pivot cinema.movies on released using sum(id)", "dynamic-pivot", "1:1", 5),
        # what would read outside
        ("from 'films.csv'", "file-in-model", "1:6", 11),
        ("select * from read_csv('films.csv')", "file-in-model", "1:15", 8),
        ("select * from parquet_scan(['a', 'b'])", "file-in-model", "1:15", 12),
        ("select x'61'::blob as b from read_csv('films.csv')", "file-in-model", "1:30", 8),
        ("select * from glob('*')", "file-in-model", "1:15", 4),
        ("select * from query_table('movies')", "hidden-relation", "1:15", 11),
        ("select * from histogram('movies', id)", "hidden-relation", "1:15", 9),
        # templates
        ("select 1\nfrom {{ ref('nope') }}", "unknown-relation", "2:14", 4),
        ("from {{ source('cinema', 'nope') }}", "unknown-relation", "1:27", 4),
        ("from {{ source('kino', 'movies') }}", "unknown-relation", "1:17", 4),
        ("select {{ foo }}", "unknown-name", "1:11", 3),
        ("select {{ dbt_date.today() }}", "unknown-name", "1:11", 8),
        ("select {{ 1 | foo }}", "unknown-filter", "1:15", 3),
        ("select {{ var('nope') }}", "unknown-variable", "1:16", 4),
        ("select {{ env_var('NOPE') }}", "missing-variable", "1:20", 4),
        ("select 1\n{% fro x %}", "template-syntax", "2:4", 3),
        ("select {{ run_query('select 1') }}", "needs-connection", "1:11", 9),
        ("{% call statement('x') %}select 1{% endcall %}", "needs-connection", "1:9", 9),
        ("select {{ adapter.get_relation('x') }}", "needs-connection", "1:11", 20),
        ("select '{{ run_started_at }}'", "quoted-clock", "1:9", 20),
        ("select 'é', 'as of {{ run_started_at }}'", "quoted-clock", "1:20", 20),
        ("select {{ ''.__class__ }}", "unsafe-template", "1:14", 9),
        # configuration
        ("{{ config(materialised='table') }} select 1", "unknown-key", "1:11", 12),
        ("{{ config(materialized='tabel') }} select 1", "invalid-value", "1:11", 12),
        ("{{ config(tags=1) }} select 1", "wrong-type", "1:11", 4),
        ("{{ config(determinism='declared') }} select 1", "missing-reason", "1:11", 11),
        (
            "{{ config(materialized='incremental',\n  incremental_strategy='merge') }} select 1 as a",
            "missing-key",
            "2:3",
            20,
        ),
        (
            "{{ config(materialized='incremental',\n  unique_key='b') }} select 1 as a",
            "unknown-column",
            "2:3",
            10,
        ),
        ("select 1\nfrom {{ ref('m') }}", "self-reference", "2:6", 14),
    ],
)
def test_a_mistake_stands_at_its_place(text: str, rule: str, place: str, length: int) -> None:
    found = only(text)
    assert (found.rule, str(found.location), found.location and found.location.length) == (
        rule,
        f"models/m.sql:{place}",
        length,
    )
    assert found.severity == "error"


@pytest.mark.parametrize("text", ["", "  \n", "-- nothing", "/* nothing */", ";", "{# nothing #}"])
def test_an_empty_file_is_a_mistake(text: str) -> None:
    assert findings(compiled({"m": text})) == ["empty-model models/m.sql:1"]


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        (
            "select titel from cinema.movies",
            'cinema.movies has no column "titel"',
            'did you mean "title"? if the table changed, run: osiris-sql discover cinema',
        ),
        ("select nam from d", 'd has no column "nam"', 'did you mean "name"?'),
        ("from moves", 'there is no model or source table "moves"', 'did you mean "moves_old"?'),
        ("from moviez", 'there is no model or source table "moviez"', 'did you mean "cinema.movies"?'),
        ("select {{ cent(1) }}", '"cent" is not a variable, function or macro that templates know',
         'did you mean "cents"?'),
        ("select {{ var('frist_year') }}", 'there is no variable "frist_year"', 'did you mean "first_year"?'),
        ("select flor(1.5)", 'there is no function "flor"', 'did you mean "floor"?'),
        ("select (select max(e.nam) from d e where e.id = m.id) from cinema.movies m",
         'd has no column "nam"', 'did you mean "name"?'),
        ("with a as (from d) select 1 from a where exists (from a as b where b.idd = 2)",
         'b has no column "idd", or is a table of another query', ""),
        ("select movie.id from cinema.movies movies", 'there is no table "movie" here',
         'did you mean "movies"?'),
        ("selec 1", 'this is not a SELECT: it begins with "selec"', 'did you mean "select"?'),
    ],
)  # fmt: skip
def test_the_nearest_name_is_offered(text: str, message: str, fix: str) -> None:
    others = {"d": "from cinema.directors", "moves_old": "select 1 as x"}
    manifest = compiled({"m": text, **others}, macros={"money": "{% macro cents(x) %}{% endmacro %}"})
    (found,) = manifest.diagnostics
    assert (found.message, found.fix) == (message, fix)


def test_a_source_column_says_what_the_lock_records() -> None:
    found = only("select nme from cinema.directors")
    assert found.why == "sources.lock records: id, name"


@pytest.mark.parametrize(
    ("column", "message", "fix"),
    [
        ("q.movieid", 'q has no column "movieid"', ""),
        ("movieid", 'there is no column "movieid" here', 'did you mean "movie_id"?'),
    ],
)
def test_a_column_of_a_cte_is_not_one_of_its_source(column: str, message: str, fix: str) -> None:
    found = only(f"with q as (select id as movie_id from cinema.movies) select {column} from q")
    assert (found.message, found.why, found.fix) == (message, "", fix)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "select idd,\n lenght(nme) as n,\n 'é' as é, m.budgett\nfrom cinema.movies m where x.y = 1",
            ["unknown-column 1:8", "unknown-column 3:14", "unknown-function 2:2", "unknown-relation 4:28"],
        ),
        (  # what reads it is not wrong once more
            "with a as (select titel from cinema.movies) select titel, nope from a",
            ["unknown-column 1:19", "unknown-column 1:59"],
        ),
        ("select idd, idd + 1 from cinema.movies", ["unknown-column 1:8"]),
        (
            "select upper(id) as u,\n idd, sum(title) over (order by id), sum(count(id))\nfrom cinema.movies",
            [*("type-mismatch 1:8", "unknown-column 2:2", "type-mismatch 2:7", "misplaced-aggregate 2:42")],
        ),
        (
            "select m.title - 1 as a, -title as b, id + abs(m.title) - title, nope\nfrom cinema.movies m"
            " where (title) like 1 and upper(m.id) > 'x' and nor",
            [
                *("type-mismatch 1:16", "type-mismatch 1:26", "type-mismatch 1:44", "type-mismatch 1:57"),
                *("unknown-column 1:66", "type-mismatch 2:36", "type-mismatch 2:47", "unknown-column 2:69"),
            ],
        ),
        (  # what has a type no more is not wrong too
            "with a as (select 'é' as é, upper(id) as u from cinema.movies) select year(u), nope from a",
            ["type-mismatch 1:29", "unknown-column 1:80"],
        ),
        (  # one that has no field, no type, two tables to choose from, too many columns
            "select s.b,\n id::intt,\n unnest(id),\n name,\n (select 1, 2),\n nope\n"
            "from cinema.movies, (select {'a': 1} as s, 'x' as name), (select 'y' as name)",
            [
                *("unknown-field 1:10", "unknown-type 2:6", "invalid-query 3:2", "ambiguous-column 4:2"),
                *("invalid-query 5:2", "unknown-column 6:2"),
            ],
        ),
        (  # a name that two tables lack; what is in quotes closes no parenthesis
            'select abs(")", m.x) as a, d.x as b from cinema.movies m, cinema.directors d',
            ["unknown-column 1:12", "unknown-column 1:19", "unknown-column 1:30"],
        ),
        (  # a table that there is not hides only names that may be its own
            "select m.titel, upper(m.id) as u, flor(1), nope, x.y, m.title from cinema.movies m, moviez x, y",
            [
                *("unknown-column 1:10", "type-mismatch 1:17", "unknown-function 1:35"),
                *("unknown-relation 1:85", "unknown-relation 1:95"),
            ],
        ),
        (
            "{{ config(tag='x') }} select titel from cinema.movies",
            ["unknown-key 1:11", "unknown-column 1:30"],
        ),
        (  # the increment too
            "{{ config(materialized='incremental') }} select titel from cinema.movies m"
            "{% if is_incremental() %} where m.nope > (select max(t.z) from {{ this }} t){% endif %}",
            ["unknown-column 1:49", "unknown-column 1:109"],
        ),
        ("select 1 as a from cinema.movies order by nope", ["unknown-column 1:43"]),
        ("select title, count(*), nope from cinema.movies", ["not-grouped 1:8", "unknown-column 1:25"]),
        ("select title, count(*) from cinema.movies group by titel", ["unknown-column 1:52"]),
        (
            "select {{ var('a') }}, {{ var('b') + 1 }} from {{ ref('nope') }}",
            ["unknown-variable 1:16", "unknown-variable 1:32", "unknown-relation 1:56"],
        ),
        (
            "select {{ var('a') }}, '{{ env_var('NOTHING') }}' from {{ ref('nope') }}",
            ["unknown-variable 1:16", "missing-variable 1:37", "unknown-relation 1:64"],
        ),
        (
            "select {{ foo }}, {{ bar() + 1 }}, {{ ref() }}\n, {{ exceptions.raise_compiler_error('x') }}"
            "\nfrom {% for t in ts %}{{ t }}{% endfor %}, {{ ref('nope') }}",
            [
                *("unknown-name 1:11", "unknown-name 1:22", "wrong-call 1:39", "compiler-error 2"),
                *("unknown-name 3:18", "unknown-relation 3:52"),
            ],
        ),
        (
            "{% macro f(a) %}{{ a }}{{ foo }}{% endmacro %}\nselect {{ f(1, 2) }}, {{ f(1) }}, {{ bar }}",
            ["wrong-call 2:11", "unknown-name 1:27", "unknown-name 2:38"],
        ),
        (  # a name may be set by what is left out
            "{% if foo %}{% set a = 1 %}{% endif %}select {{ a }}, {{ b }}",
            ["unknown-name 1:7", "unknown-name 1:58"],
        ),
        ("select {{ 1 | foo }}, {{ 2 is odddd }}", ["unknown-filter 1:15", "unknown-test 1:31"]),
    ],
)
def test_what_is_wrong_in_a_query_is_told_at_once(text: str, expected: list[str]) -> None:
    found = [f"{d.rule} {str(d.location).partition('m.sql:')[2]}" for d in compiled({"m": text}).diagnostics]
    assert sorted(found) == sorted(expected)


def test_all_mistakes_come_at_once() -> None:
    manifest = compiled(
        {
            "a": "select {{ ref('x1') }}, {{ ref('x2') }} from nowhere",
            "b": "select oops from cinema.movies",
            "c": "{% if %}",
            "d": "select 1 as ok",
        }
    )
    assert findings(manifest) == [
        "unknown-relation models/a.sql:1:16",
        "unknown-relation models/a.sql:1:33",
        "unknown-relation models/a.sql:1:46",
        "unknown-column models/b.sql:1:8",
        "template-syntax models/c.sql:1",
    ]
    assert [m.name for m in manifest.models] == ["d"]


def test_a_broken_model_blocks_only_those_below_it() -> None:
    manifest = compiled(
        {
            "a": "select oops from cinema.movies",
            "b": "from a",
            "c": "from b join d using (id)",
            "d": "from cinema.directors",
            "e": "select 1 frm x y z from c",
        },
        publications=(publication("c"), publication("d")),
    )
    assert manifest.blocked == {
        "model:b": ("model:a",),
        "model:c": ("model:a",),
        "target:app.c": ("model:a",),
    }
    assert [(d.rule, d.severity) for d in manifest.diagnostics] == [
        ("unknown-column", "error"),
        ("blocked", "info"),
        ("blocked", "info"),
        ("syntax-error", "error"),
        ("blocked", "info"),
    ]
    assert [m.name for m in manifest.models] == ["d"]
    assert [p.node for p in manifest.publications] == ["target:app.d"]


def test_a_source_without_columns_blocks_its_readers() -> None:
    manifest = compiled({"m": "from cinema.movies"}, schemas={})
    assert manifest.blocked == {"model:m": ("source:cinema.movies",)}


@pytest.mark.parametrize("names", [(), ("id", "ID")])
def test_columns_that_are_no_table_are_a_mistake_of_the_source(names: tuple[str, ...]) -> None:
    made = TableSchema(columns=tuple(Column(name=name, type="BIGINT") for name in names))
    manifest = compiled(
        {"m": "from cinema.movies"},
        sources=(source("movies"),),
        schemas={"source:cinema.movies": made},
    )
    assert sorted(findings(manifest)) == ["blocked models/m.sql:1:1", "invalid-source sources.yml:3:5"]


def test_a_type_that_does_not_exist_is_found_in_the_source() -> None:
    from compile.films import schema

    manifest = compiled(
        {"m": "from cinema.movies"},
        sources=(source("movies"),),
        schemas={"source:cinema.movies": schema({"id": "BIGITN"})},
    )
    assert findings(manifest)[-1] == "unknown-type sources.yml:3:5"
    assert manifest.diagnostics[-1].fix == 'did you mean "BIGINT"?'


@pytest.mark.parametrize(
    ("warehouse", "expected"),
    [
        ("out/Cinema.duckdb", ["reserved-name sources.yml:3:5", "blocked models/m.sql:1:1"]),
        ("out/memory.duckdb", []),
        ("out/a b.c.duckdb", []),
    ],
)
def test_a_source_can_not_be_called_like_the_warehouse(warehouse: str, expected: list[str]) -> None:
    manifest = compiled({"m": "from cinema.movies"}, warehouse=warehouse, sources=(source("movies"),))
    assert sorted(findings(manifest)) == sorted(expected)


@pytest.mark.parametrize(
    ("models", "message", "place"),
    [
        (
            {"a": "from b", "b": "\nfrom c", "c": "select 1 as x\nfrom {{ ref('a') }}", "d": "from c"},
            "models read each other in a circle: a → b → c → a",
            "models/a.sql:1:6",
        ),
        (
            {"z": "from y", "y": "from z"},
            "models read each other in a circle: y → z → y",
            "models/y.sql:1:6",
        ),
        (
            {"a": "select {{ dbt_utils.star(ref('b')) }} from b", "b": "from a"},
            "models read each other in a circle: a → b → a",
            "models/a.sql:1:1",
        ),
    ],
)
def test_a_cycle_is_drawn(models: dict[str, str], message: str, place: str) -> None:
    manifest = compiled(models)
    (found,) = [d for d in manifest.diagnostics if d.rule == "cycle"]
    assert (found.message, str(found.location)) == (message, place)
    assert all(f"models/{name}.sql" in found.why for name in message.split(": ")[1].split(" → "))
    assert not manifest.models


def test_two_cycles_are_two_errors() -> None:
    manifest = compiled({"a": "from b", "b": "from a", "x": "from y", "y": "from x", "z": "from a, x"})
    assert [d.rule for d in manifest.diagnostics if d.severity == "error"] == ["cycle", "cycle"]
    assert manifest.blocked == {"model:z": ("model:a", "model:x")}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("select a.id, b.id from cinema.movies a, cinema.movies b", "m.sql:1:16"),
        ("select 1 as x, 2 as X", "m.sql:1:21"),
        ("select\n * from cinema.movies a, cinema.movies b", "m.sql:2:2"),
    ],
)
def test_two_columns_of_one_name_are_a_mistake(text: str, place: str) -> None:
    assert findings(compiled({"m": text})) == [f"duplicate-column models/{place}"]


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 has no type TUPLE")
def test_a_table_can_not_hold_tuples() -> None:
    text = "select 1 as id, row(1, 'x') as pair"
    assert findings(compiled({"m": text})) == []
    table = "{{ config(materialized='table') }} " + text
    assert findings(compiled({"m": table})) == ["unstorable-type models/m.sql:1:67"]


def test_variants_must_have_the_same_columns() -> None:
    found = only(
        "{{ config(materialized='incremental') }} select id"
        "{% if is_incremental() %}::varchar as id{% endif %} from cinema.movies"
    )
    assert (found.rule, found.why) == ("increment-mismatch", "first build: id BIGINT; increment: id VARCHAR")


def test_a_mistake_in_the_increment_alone_is_found() -> None:
    found = only(
        "{{ config(materialized='incremental') }}\nselect id from cinema.movies\n"
        "{% if is_incremental() %}where id > (select max(idd) from {{ this }}){% endif %}"
    )
    assert (found.rule, str(found.location)) == ("unknown-column", "models/m.sql:3:49")


def test_a_disabled_model_can_not_be_read() -> None:
    manifest = compiled({"a": "{{ config(enabled=false) }} select oops", "b": "select 1 as x\nfrom a"})
    assert findings(manifest) == ["disabled-model models/b.sql:2:6"]


@pytest.mark.parametrize(
    ("key", "expected"), [(("id",), []), (("ID",), []), (("idd",), ["unknown-column targets.yml:6:11"])]
)
def test_the_key_of_a_publication_is_in_its_model(key: tuple[str, ...], expected: list[str]) -> None:
    manifest = compiled({"m": "from cinema.movies"}, publications=(publication("m", key),))
    assert findings(manifest) == expected
    assert len(manifest.publications) == (not expected)


def test_an_ephemeral_model_can_not_be_published() -> None:
    text = "{{ config(materialized='ephemeral') }} from cinema.movies"
    manifest = compiled({"m": text}, publications=(publication("m"),))
    assert findings(manifest) == ["ephemeral-publication targets.yml:6:11"]


@pytest.mark.parametrize(
    ("columns", "contract", "expected"),
    [
        ([column("id"), column("nmae")], False, [("unknown-column", "warning")]),
        ([column("id"), column("nmae")], True, [("unknown-column", "error"), ("broken-contract", "error")]),
        ([column("id", "int8"), column("name", "text")], True, []),
        ([column("id", "int4"), column("name", "text")], True, [("broken-contract", "error")]),
        ([column("id", "int8")], True, [("broken-contract", "error")]),
        ([column("id", "int8"), column("name")], True, [("broken-contract", "error")]),
        ([column("id", "int4")], False, []),
    ],
)
def test_a_contract_is_kept(columns: list, contract: bool, expected: list[tuple[str, str]]) -> None:
    described = model("m", "from cinema.directors", tuple(columns), contract=contract)
    manifest = compiled((described,))
    assert sorted((d.rule, d.severity) for d in manifest.diagnostics) == sorted(expected)


def test_diagnostics_of_loading_come_first() -> None:
    loading = Diagnostic(rule="yaml-syntax", message="…", location=Location(path="z.yml", line=1))
    manifest = compiled({"m": "select oops"}, diagnostics=(loading,))
    assert findings(manifest)[0] == "yaml-syntax z.yml:1"
    assert len(manifest.diagnostics) == 2

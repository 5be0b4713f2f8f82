"""Templates: what they yield, what they may call, and where each character of the SQL comes from."""

from hashlib import md5

import pytest
from compile.films import model, project, schema, source
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.compile.render import Rendered, Renderer
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.project import Connection
from osiris_sql.types.relation import TableSchema

MACROS = {
    "money": "{% macro cents(x) %}\n    {{ x }} / 100 as {{ x }}_eur\n{%- endmacro %}\n",
    "lists": "{% macro years() %}{{ return([1990, 1991]) }}{% endmacro %}\n"
    "{% macro in_years(c) %}{{ c }} in ({% for y in years() %}{{ y }}{{ ', ' if not loop.last }}"
    "{% endfor %}){% endmacro %}\n"
    "{% macro quit(x) %}{% if x %}{{ return('early') }}{% endif %}late{% endmacro %}\n",
    "dispatch": "{% macro f() %}{{ adapter.dispatch('f')() }}{% endmacro %}"
    "{% macro default__f() %}d{% endmacro %}"
    "{% macro g() %}{{ adapter.dispatch('g')() }}{% endmacro %}{% macro default__g() %}d{% endmacro %}"
    "{% macro duckdb__g() %}duck{% endmacro %}",
    "tests": "{% test small(model, column_name) %}select * from {{ model }}{% endtest %}",
}


def renderer(**environ: str) -> Renderer:
    return Renderer(project({"m": "", "Orders": ""}, macros=MACROS), environ=environ)


def render(text: str, **options: bool) -> Rendered:
    return renderer(CITY="Brno").render("models/m.sql", text, name="m", **options)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("select 1", "select 1"),
        ("from {{ ref('orders') }}", 'from "main"."Orders"'),
        ("from {{ ref('film', 'm') }}", 'from "main"."m"'),
        ("from {{ source('Cinema', 'MOVIES') }}", 'from "cinema"."movies"'),
        ("{{ ref('orders').name }} {{ ref('m').schema }} {{ this.identifier }}", "Orders main m"),
        ("from {{ this }}", 'from "main"."m"'),
        ("{{ config(materialized='table') }}1", "1"),
        ("{{ var('first_year') }} {{ var('x', 5) }} {{ var('x', default=none) }}", "1990 5 None"),
        ("{{ var.has_var('first_year') }} {{ var.has_var('x') }}", "True False"),
        ("{{ env_var('CITY') }} {{ env_var('NOPE', 'x') }}", "Brno x"),
        ("{{ execute }} {{ target.name }} {{ project_name }} {{ model.name }}", "True dev film m"),
        ("{{ run_started_at }}", "$run_clock"),
        ("{{ run_started_at.strftime('%Y') }}", "strftime($run_clock, '%Y')"),
        ("{{ cents('budget') }}", "\n    budget / 100 as budget_eur"),
        ("{{ film.cents('b') | trim }}", "b / 100 as b_eur"),
        ("{{ in_years('y') }}", "y in (1990, 1991)"),
        ("{{ quit(true) }} {{ quit(false) }}", "early late"),
        ("{{ f() }} {{ g() }}", "d duck"),
        ("{% set xs = [] %}{% do xs.append(1) %}{{ xs }}", "[1]"),
        ("{% for i in range(9) %}{% if i > 1 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{{ log('quiet') }}{{ print('quiet') }}x", "x"),
        ("{{ builtins.ref('m') }}", '"main"."m"'),
        ("{{ adapter.quote('a\"b') }}", '"a""b"'),
        ("{{ modules.re.sub('a', 'b', 'aa') }}", "bb"),
        ("{{ tojson([1]) }} {{ fromjson('[2]')[0] }}", "[1] 2"),
        ("{{ dbt.type_string() }} {{ dbt.type_numeric() }}", "VARCHAR NUMERIC(28,6)"),
        ("{{ dbt.date_trunc('month', 'd') }}", "date_trunc('month', d)"),
        ("{{ dbt.dateadd('day', -1, 'd') }}", "date_add(d, interval (-1) day)"),
        ("{{ dbt.datediff('a', 'b', 'day') }}", "date_diff('day', a::timestamp, b::timestamp)"),
        ("{{ dbt.concat(['a', 'b']) }} {{ dbt.safe_cast('a', 'int') }}", "a || b try_cast(a as int)"),
        ("{{ dbt_utils.group_by(3) }}", "group by 1, 2, 3"),
        ("{{ is_incremental() }}", "False"),
        ("a\r\nb{{ 1 }}\r\n", "a\nb1\n"),
    ],
)
def test_what_a_template_yields(text: str, sql: str) -> None:
    rendered = render(text)
    assert (rendered.sql, rendered.diagnostics) == (sql, ())


def test_date_functions_are_what_duckdb_runs() -> None:
    import duckdb

    text = (
        "select {{ dbt.date_trunc('month', \"date '2024-05-17'\") }}::date::varchar,"
        " {{ dbt.dateadd('day', -1, \"date '2024-05-17'\") }}::date::varchar,"
        " {{ dbt.datediff(\"date '2024-05-17'\", \"date '2024-06-01'\", 'month') }}::varchar,"
        " {{ dbt.last_day(\"date '2024-02-17'\", 'month') }}::varchar,"
        " {{ dbt_utils.generate_surrogate_key(['1', 'null']) }}, {{ dbt.hash('1') }},"
        ' {{ dbt.split_part("\'a-b\'", "\'-\'", 2) }}, {{ dbt.string_literal("it\'s") }}'
    )
    row = duckdb.connect().execute(render(text).sql or "").fetchone()
    key = md5(b"1-_dbt_utils_surrogate_key_null_", usedforsecurity=False).hexdigest()
    assert row is not None
    assert row[:4] == ("2024-05-01", "2024-05-16", "1", "2024-02-29")
    assert row[4:] == (key, "c4ca4238a0b923820dcc509a6f75849b", "b", "it's")


def test_both_variants_of_an_incremental_model() -> None:
    text = "select 1{% if is_incremental() %} where 2{% endif %}"
    assert [render(text, incremental=i).sql for i in (False, True)] == ["select 1", "select 1 where 2"]


def test_config_is_collected_with_its_places() -> None:
    rendered = render("{{ config(materialized='table',\n   tags=['a']) }}{{ config.get('tags')[0] }}")
    assert rendered.sql == "a"
    found = {key: (entry.value, str(entry.location)) for key, entry in rendered.config.items()}
    assert found == {"materialized": ("table", "models/m.sql:1:11"), "tags": (["a"], "models/m.sql:2:4")}


def test_a_custom_generic_test_is_a_macro() -> None:
    assert "test_small" in renderer().macro_names
    rendered = renderer().render("tests/x.sql", "{{ test_small('t', 'c') }}")
    assert rendered.sql == "select * from t"


def test_extra_names_hide_others_for_one_render() -> None:
    made = renderer()
    assert (
        made.render("x.sql", "{{ ref }} {{ column_name }}", extra={"ref": 1, "column_name": "c"}).sql == "1 c"
    )
    assert made.render("x.sql", "{{ ref('m') }}").sql == '"main"."m"'
    assert made.render("x.sql", "{{ column_name }}").diagnostics[0].rule == "unknown-name"


def test_columns_come_from_the_static_schema() -> None:
    known = {"model:m": schema({"id": "BIGINT", "Name": "VARCHAR"})}
    made = Renderer(project({"m": "", "n": ""}), environ={}, schema_of=known.get)
    loop = (
        "{% for c in adapter.get_columns_in_relation(ref('m')) %}{{ c.name }}:{{ c.data_type }} {% endfor %}"
    )
    assert made.render("x.sql", loop).sql == "id:BIGINT Name:VARCHAR "
    assert made.render("x.sql", "{{ dbt_utils.star(ref('m')) }}").sql == '"id", "Name"'
    star = "{{ dbt_utils.star(from=ref('m'), except=['NAME'], relation_alias='a') }}"
    assert made.render("x.sql", star).sql == 'a."id"'


def test_a_project_may_speak() -> None:
    rendered = render("{{ log('hello', info=true) }}{{ exceptions.warn('careful') }}\n{{ 1 }}")
    assert [(d.rule, d.severity, d.message) for d in rendered.diagnostics] == [
        ("log", "info", "hello"),
        ("compiler-warning", "warning", "careful"),
    ]
    assert rendered.sql == "\n1"


def test_a_project_may_refuse() -> None:
    rendered = render("select 1\n{{ exceptions.raise_compiler_error('not like this') }}")
    (found,) = rendered.diagnostics
    assert rendered.sql is None
    assert (found.rule, found.message, str(found.location)) == (
        "compiler-error",
        "not like this",
        "models/m.sql:2",
    )


# ---------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("a\n  FIND", "FIND", "models/m.sql:2:3"),
        ("{{ 1 }} FIND {{ 2 }}", "FIND", "models/m.sql:1:9"),
        ("{{ config(tags=['a'])\n}}\n\nselect FIND", "FIND", "models/m.sql:4:8"),
        ("{% if true -%}\n\n   FIND\n{%- endif %}", "FIND", "models/m.sql:3:4"),
        ("é😀 {{ 'é' }} FIND", "FIND", "models/m.sql:1:14"),
        ("a\r\nb {{ 1 }}\r\n FIND", "FIND", "models/m.sql:3:2"),
        ("{% for i in [1, 2] %}\n  FIND{{ i }},{% endfor %}", "FIND2", "models/m.sql:2:3"),
        ("x {{ 'FIND' }} y", "FIND", "models/m.sql:1:3"),
        ("x   {{- 'FIND' }} y", "FIND", "models/m.sql:1:5"),
        ("{# c\n c #}FIND", "FIND", "models/m.sql:2:6"),
        ("{% raw %}{{ FIND }}{% endraw %}", "FIND", "models/m.sql:1:13"),
        ("{% set b %}x FIND{% endset %}\n{{ b }}", "FIND", "models/m.sql:1:14"),
        ("\n{{ cents('FIND') }}", "FIND /", "macros/money.sql:2:5"),
        ("\n{{ cents('a') }}", "/ 100", "macros/money.sql:2:13"),
        ("{% macro own() %}\n FIND{% endmacro %}\n{{ own() }}", "FIND", "models/m.sql:2:2"),
        # The template looked at its own text, so the marks can't be trusted: the line must do.
        ("{% set b %}x{% endset %}{{ b | length }}\n FIND", "FIND", "models/m.sql:2:2"),
    ],
)
def test_a_character_is_found_in_its_file(text: str, word: str, place: str) -> None:
    rendered = render(text)
    assert rendered.sql is not None, rendered.diagnostics
    assert str(rendered.locate(rendered.sql.index(word), len(word))) == place


def test_a_caret_stays_within_its_literal_line() -> None:
    rendered = render("ab{{ 1 }}\ncd")
    assert rendered.locate(0, 99) == Location(path="models/m.sql", line=1, column=1, length=2)
    assert rendered.locate(4, 99) == Location(path="models/m.sql", line=2, column=1, length=2)


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("{{ cents() }}", "wrong-call", "models/m.sql:1:4"),
        ("\n{{ cents(1, 2) }}", "wrong-call", "models/m.sql:2:4"),
        ("a\n{% if true %}\n{% for x in [] %}{% endfor %}\nb", "template-syntax", "models/m.sql:2:1"),
        ("a\n{% include 'b' %}", "template-failure", "models/m.sql:2"),
        ("\n{{ cents(nope) }}", "unknown-name", "models/m.sql:2:10"),
        ("{{ return(1) }}", "wrong-call", "models/m.sql:1:4"),
        ("{{ ref(1) }}", "wrong-call", "models/m.sql:1:4"),
        ("{{ source('cinema') }}", "wrong-call", "models/m.sql:1:4"),
        ("{% macro a() %}{{ a() }}{% endmacro %}\n{{ a() }}", "template-failure", "models/m.sql:1"),
        ("{{ 'a' + 1 }}", "template-failure", "models/m.sql:1"),
        ("{{ range(1000000000) }}", "template-failure", "models/m.sql:1"),
        ("{% include 'x' %}", "template-failure", "models/m.sql:1"),
        ("{{ f(", "template-syntax", "models/m.sql:1"),
        ("a\n{% endif %}", "template-syntax", "models/m.sql:2:4"),
        ("{{ adapter.dispatch('nope')() }}", "unknown-macro", "models/m.sql:1:22"),
        ("{{ ref('other', 'm') }}", "unknown-relation", "models/m.sql:1:9"),
        ("{{ 'x' is foo }}", "unknown-test", "models/m.sql:1:11"),
    ],
)
def test_a_failing_template_says_where(text: str, rule: str, place: str) -> None:
    rendered = render(text)
    assert [(d.rule, str(d.location)) for d in rendered.diagnostics] == [(rule, place)]
    assert rendered.sql is None


def test_a_broken_macro_file_is_reported_once() -> None:
    made = Renderer(
        project({"m": ""}, macros={"bad": "a\n{% macro x( %}", "ok": "{% macro y() %}1{% endmacro %}"})
    )
    assert [(d.rule, str(d.location)) for d in made.diagnostics] == [("template-syntax", "macros/bad.sql:2")]
    assert made.render("x.sql", "{{ y() }}").sql == "1"


def test_two_macros_of_one_name() -> None:
    macro = "{% macro x() %}1{% endmacro %}"
    made = Renderer(project({"m": ""}, macros={"a": macro, "b": "\n" + macro}))
    assert [(d.rule, str(d.location)) for d in made.diagnostics] == [("duplicate-macro", "macros/b.sql:2:10")]


def test_a_secret_is_not_read_into_sql() -> None:
    place = Location(path="targets.yml")
    app = Connection(
        name="app",
        type="supabase",
        role="target",
        options={"url": "${PLAIN}", "secret_key": "${KEY}"},
        location=place,
    )
    made = Renderer(
        project(
            {"m": ""},
            connections=(app,),
        ),
        environ={"KEY": "canary-value", "PLAIN": "https://x"},
    )
    assert made.render("x.sql", "{{ env_var('PLAIN') }}").sql == "https://x"
    refused = made.render("x.sql", "select '{{ env_var('KEY') }}'")
    assert [d.rule for d in refused.diagnostics] == ["secret-in-sql"]
    assert "canary" not in repr(refused)


def test_variables_of_an_unknown_kind_of_connection_might_all_be_secret() -> None:
    odd = Connection(
        name="x",
        type="no-such-type",
        role="source",
        options={"a": "${KEY}"},
        location=Location(path="sources.yml"),
    )
    made = Renderer(project({"m": ""}, connections=(odd,)), environ={"KEY": "v"})
    assert made.render("x.sql", "{{ env_var('KEY') }}").diagnostics[0].rule == "secret-in-sql"


# ---------------------------------------------------------------------------------------- properties

PIECES = st.sampled_from(
    [
        *("a", "é", "\n", " ", "😀", "{%", "}}", "'"),
        *("{{ 1 }}", "{{- 'x' }}", "{{ 'x\ny' -}}", "{{ cents('q') }}"),
        *("{% if true %}", "{%- if true -%}", "{% endif %}", "{# c #}", "{% raw %}{{ r }}{% endraw %}"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_marks_never_change_what_is_rendered(text: str) -> None:
    rendered = RENDERER.render("models/m.sql", text, name="m")
    if rendered.sql is None:
        assert rendered.diagnostics
        return
    lines = text.split("\n")
    for offset, character in enumerate(rendered.sql):
        place = rendered.locate(offset, 1)
        assert place.path in {"models/m.sql", "macros/money.sql"}
        if place.path == "models/m.sql" and place.line and place.column:
            found = lines[place.line - 1][place.column - 1 : place.column]
            assert found in {character, "{", ""} or character.isspace()


@given(st.text(max_size=80))
def test_rendering_never_raises(text: str) -> None:
    rendered = RENDERER.render("models/m.sql", text, name="m")
    assert rendered.sql is not None or rendered.diagnostics


RENDERER = renderer()


def test_a_schema_is_asked_for_when_it_is_needed() -> None:
    from osiris_sql.compile.rendering import NeedsSchemaError

    made = Renderer(project((model("m", ""),), sources=(source(),)), environ={}, schema_of=_nothing)
    with pytest.raises(NeedsSchemaError) as asked:
        made.render("x.sql", "{{ dbt_utils.star(source('cinema', 'movies')) }}")
    assert asked.value.node == "source:cinema.movies"


def _nothing(_node: str) -> TableSchema | None:
    return None

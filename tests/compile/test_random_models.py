"""Random queries over random schemas, and random texts: compiling never crashes, and types are those of the
tables that DuckDB makes."""

import duckdb
from compile.films import compiled, findings, schema, source
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

QUIETLY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SIMPLE = """BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT UBIGINT FLOAT DOUBLE DECIMAL(9,2)
DECIMAL(38,10) VARCHAR BLOB DATE TIME TIMESTAMP UUID INTERVAL JSON INTEGER[] VARCHAR[] DOUBLE[3]"""
TYPES = [
    *SIMPLE.split(),
    "TIMESTAMP WITH TIME ZONE",
    "STRUCT(a INTEGER, b VARCHAR)",
    "MAP(VARCHAR, INTEGER)",
    "ENUM('x', 'y')",
]
ROW = [
    "{c}",
    "coalesce({c}, {d})",
    "{c}::varchar",
    "[{c}]",
    "{{'f': {c}, 'g': {d}}}",
    "{c} is null",
    "hash({c})",
]
ROW += [
    "case when {d} is null then {c} end",
    "nullif({c}, {c})",
    "greatest({c}, {c})",
    "to_json({c})",
    "{c} = {d}",
]
ROW += ["lag({c}) over (order by {d})", "count(*) over (partition by {c})", "max({c}) over ()", "{c} + {d}"]
GROUP = ["max({c})", "count({c})", "list({c})", "sum({c})", "avg({c})", "first({c})", "arg_min({c}, {d})"]
GROUP += [
    "count(distinct {c})",
    "mode({c})",
    "min({c}) filter ({d} is not null)",
    "string_agg({c}::varchar, ',')",
]


@st.composite
def projects(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns of a source table by name, and models that read it and each other."""
    columns = {f"c{i}": draw(st.sampled_from(TYPES)) for i in range(draw(st.integers(1, 5)))}
    models: dict[str, str] = {}
    names, relation = sorted(columns), "cinema.movies"
    for number in range(draw(st.integers(1, 3))):
        grouped = draw(st.booleans())
        items = []
        for index in range(draw(st.integers(1, 4))):
            text = draw(st.sampled_from(GROUP if grouped else ROW))
            c, d = (draw(st.sampled_from(names)) for _ in range(2))
            items.append(f"{text.format(c=c, d=d)} as m{number}_{index}")
        tail = draw(st.sampled_from(["", " limit 3", " order by 1 limit 3", " where true"]))
        models[f"m{number}"] = f"select {', '.join(items)} from {relation}{tail}"
        names, relation = [f"m{number}_{index}" for index in range(len(items))], f"m{number}"
    return columns, models


@QUIETLY
@given(project=projects())
def test_types_are_those_of_the_tables_that_duckdb_makes(
    project: tuple[dict[str, str], dict[str, str]],
) -> None:
    columns, models = project
    manifest = compiled(
        models, sources=(source("movies"),), schemas={"source:cinema.movies": schema(columns)}
    )
    known = {model.name: model for model in manifest.models}
    with duckdb.connect() as warehouse:
        for name, value in PINNED_SETTINGS.items():
            if not (name in SETTINGS_SINCE_2 and duckdb.__version__.startswith("1.")):
                warehouse.execute(f"SET {name} = '{value}'")
        warehouse.execute("CREATE SCHEMA cinema")
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        warehouse.execute(f"CREATE TABLE cinema.movies ({listed})")
        for name in models:
            try:
                warehouse.execute(
                    f"CREATE TABLE {name} AS {known[name].sql if name in known else models[name]}"
                )
            except duckdb.ConversionException:
                break  # of a row's value: DuckDB casts BIGINT to BLOB until there is one
            except duckdb.Error:
                assert name not in known, (project, findings(manifest))
                break
            assert name in known, (project, findings(manifest))
            built = [tuple(row[:2]) for row in warehouse.execute(f"DESCRIBE {name}").fetchall()]
            assert built == [(c.name, c.type) for c in known[name].schema.columns], project


WORDS = r"""select from where group by order limit with as join on using union all distinct having qualify
window over partition ( ) ( ) , , . ; * :: [ ] { } ' " -- /* */ {{ }} {% %} ref source config 1 0.5 'a'
id title m cinema.movies t count(*) max row_number() case when then end null and or not in between like
pivot unpivot values recursive lateral exclude replace columns $run_clock $1 ? é 🎬 \ """


@QUIETLY
@example(words=["between"])
@given(words=st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=25))
def test_no_text_makes_the_compiler_crash(words: list[str]) -> None:
    text = " ".join(["select", *words])
    manifest = compiled({"m": text})
    assert bool(manifest.models) != any(d.severity == "error" for d in manifest.diagnostics) or [
        model.verdict for model in manifest.models
    ] == ["unsafe"]
    assert all(d.message and d.location for d in manifest.diagnostics)


@QUIETLY
@given(text=st.text(max_size=60))
def test_nor_does_any_other(text: str) -> None:
    compiled({"m": text})

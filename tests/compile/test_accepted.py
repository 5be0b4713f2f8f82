"""What DuckDB accepts we accept: queries after the constructs of its documentation and test suite. Names and
types are DuckDB's own, nothing crashes, and where sqlglot can't follow it is said."""

from pathlib import Path

import pytest
from compile.test_determinism_corpus import FACTS, bind

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.determinism import judge_query
from osiris_sql.compile.lineage import trace_columns
from osiris_sql.compile.parse import parse_query
from osiris_sql.types.relation import Column, RelationRef, TableSchema

QUERIES = (Path(__file__).parent / "test_accepted.sql").read_text().splitlines()
# sqlglot has no tree for these: DuckDB alone gives names and types, nothing is traced, nothing is proved.
UNPARSED = {
    "from (values (1), (2)) as w(m) join t on t.id = w.m select m, s",
    "select $$dollar$$, e'a\\nb', 'it''s', x'61'::blob from t",
}
# It has one, but not of all that the query says.
UNTRACED = {
    "from (from t select id, g) as q join u using (g)",
    "from (summarize t)",
    "from (describe t)",
    "select * from duckdb_settings()",
}
UNSAFE = {
    "select * from t positional join u",
    "select id, s from t tablesample 10%",
    "select id from t using sample 5 rows",
    "select id from t where rowid > 3",
    "select * from duckdb_settings()",
    "select id, sum(n) over w1, avg(n) over w2 from t window w1 as (partition by g), w2 as (w1 order by id)",
    "select variable from (select getvariable('x') as variable)",
    "select s collate nocase = 'A', s collate de from t",
}


@pytest.fixture(scope="module")
def binder() -> Binder:
    made = Binder()
    for (schema, name), facts in FACTS.items():
        made.create_table(RelationRef(schema, name), facts.schema)
    return made


@pytest.mark.parametrize("sql", QUERIES)
def test_what_duckdb_accepts_is_accepted(sql: str, binder: Binder) -> None:
    output = binder.bind(sql)
    query = parse_query(sql, binder)
    assert query.problems == ()
    assert (query.tree is None) == (sql in UNPARSED)
    assert {table.name for table in query.tables} <= {"t", "u", "v"}
    inputs = {key: (facts.node, facts.schema) for key, facts in FACTS.items()}
    lineage = trace_columns(query.sql, query.tree, inputs, output).lineage
    assert tuple(line.column for line in lineage) == output.names
    assert any(line.inputs is None for line in lineage) == (sql in UNPARSED | UNTRACED)
    judgement = judge_query(query.sql, query.tree, FACTS, output, bind=bind)
    assert (judgement.verdict == "unsafe") == (sql in UNSAFE)
    assert bind(judgement.sql) == output
    if sql in UNPARSED:
        assert judgement.verdict == "unknown"


@pytest.mark.parametrize("sql", QUERIES)
def test_the_columns_read_are_enough(sql: str, binder: Binder) -> None:
    inputs = {key: (facts.node, facts.schema) for key, facts in FACTS.items()}
    output = binder.bind(sql)
    reads = trace_columns(sql, parse_query(sql, binder).tree, inputs, output).reads
    cut = Binder()
    for (schema, name), facts in FACTS.items():
        read = reads[facts.node]
        kept = tuple(c for c in facts.schema.columns if read is None or c.name in read)
        nothing = (Column(name="nothing_", type="INTEGER"),)
        cut.create_table(RelationRef(schema, name), TableSchema(columns=kept or nothing))
    try:
        assert cut.bind(sql) == output
    except BinderError as error:
        pytest.fail(f"{error} of {reads}")
    finally:
        cut.close()


@pytest.mark.parametrize(
    "sql", ["select from t", "select nothing from t", "selec id from t", "select id from t where"]
)
def test_what_duckdb_refuses_is_refused(sql: str, binder: Binder) -> None:
    with pytest.raises(BinderError):
        binder.bind(sql)

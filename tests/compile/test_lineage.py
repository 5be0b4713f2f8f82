"""Where columns come from, and which columns a query reads at all."""

from pathlib import Path

import duckdb
import pytest
import sqlglot

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.lineage import Traced, trace_columns
from osiris_sql.types.relation import Column, RelationRef, TableSchema

ON_1 = duckdb.__version__.startswith("1.")


def schema(**types: str) -> TableSchema:
    """Return columns by name and type."""
    return TableSchema(columns=tuple(Column(name=name, type=kind) for name, kind in types.items()))


INPUTS = {
    ("main", "t"): (
        "t",
        schema(
            id="INTEGER",
            a="INTEGER",
            b="DECIMAL(9,2)",
            x="DOUBLE",
            s="VARCHAR",
            d="DATE",
            st="STRUCT(f INTEGER, g VARCHAR)",
            l="INTEGER[]",
            Unused="INTEGER",
        ),
    ),
    ("main", "u"): ("u", schema(id="INTEGER", c="INTEGER", y="DOUBLE", b="VARCHAR")),
    ("src", "v"): ("v", schema(id="INTEGER", k="VARCHAR", z="DOUBLE", d="TIMESTAMP")),
}


def tables(keep: dict[str, tuple[str, ...] | None] | None = None) -> Binder:
    """Return a binder over the tables of this file, or over some of their columns."""
    binder = Binder()
    for (namespace, name), (node, columns) in INPUTS.items():
        read = None if keep is None else keep[node]
        kept = tuple(c for c in columns.columns if read is None or c.name in read)
        nothing = (Column(name="nothing_", type="INTEGER"),)
        binder.create_table(RelationRef(namespace, name), TableSchema(columns=kept or nothing))
    return binder


WHOLE = tables()


def traced(sql: str) -> Traced:
    """Return the lineage of a query over the tables of this file."""
    return trace_columns(sql, sqlglot.parse_one(sql, read="duckdb"), INPUTS, WHOLE.bind(sql))


def shown(found: Traced) -> str:
    """Return value lineage as `column: inputs; …`, where a question mark stands for unknown."""
    parts = []
    for column in found.lineage:
        inputs = column.inputs
        texts = "?" if inputs is None else " ".join(f"{i.node}.{i.column}" for i in inputs)
        parts.append(f"{column.column}: {texts}".strip())
    return "; ".join(parts)


LINEAGE = [
    ("select id, a + b as q from t where x > 1", "id: t.id; q: t.a t.b"),
    ("select a + 1 as q, q * x as r from t", "q: t.a; r: t.a t.x"),
    ("select count(*) as n, 1 as one, now() as w from t", "n:; one:; w:"),
    ("with c(p) as (select a from t), e as (select p + 1 as q from c) select * from e", "q: t.a"),
    ("select * exclude (l, st, d, s, x, unused) replace (a + b as a) rename (b as bb) from t",
     "id: t.id; a: t.a t.b; bb: t.b"),
    ("select u.* from t join u using (id)", "id: u.id; c: u.c; y: u.y; b: u.b"),
    ("select id, c from t left join u using (id)", "id: t.id; c: u.c"),
    ("select id, c from t right join u using (id)", "id: u.id; c: u.c"),
    ("select id, c from t full join u using (id)", "id: t.id u.id; c: u.c"),
    ("select id from t union all select c from u", "id: t.id u.c"),
    ("select id from t union all by name select c, id from u", "id: t.id u.id; c: u.c"),
    ("select id from t except select c from u", "id: t.id"),
    ("select st.f, t.st.g as g, st['g'] as h from t", "f: t.st; g: t.st; h: t.st"),
    ("select unnest(l) as e, unnest(st), id from t", "e: t.l; f: t.st; g: t.st; id: t.id"),
    ("select st.* from t", "f: t.st; g: t.st"),
    ("select q.w from t, unnest(t.l) as q(w)", "w: t.l"),
    ("select z.q from t, lateral (select t.a + 1 as q) as z", "q: t.a"),
    ("select list_transform(l, lambda e: e + a) as r from t", "r: t.a t.l"),
    ("select [e + a for e in l if e > x] as r from t", "r: t.a t.l t.x"),
    ("select sum(b) over w as r from t window w as (partition by s order by d)", "r: t.b t.d t.s"),
    ("select sum(b) over (w order by d) as r, sum(b) over v as q from t"
     " window w as (partition by s), v as (w order by x)", "r: t.b t.d t.s; q: t.b t.s t.x"),
    ("select sum(b) filter (where a > 1) as r from t", "r: t.a t.b"),
    ("select (select max(c) from u where u.id = t.a) as r from t", "r: u.c"),
    ("select exists (from u where u.c = t.a) as r from t", "r: t.a u.c"),
    ("select a in (select c from u) as r from t", "r: t.a u.c"),
    ("with recursive r as (select id, a from t union all select r.a, t.id from r join t using (a)) from r",
     "id: t.a t.id; a: t.a t.id"),
    ("pivot t on a in (1, 2) using sum(x) group by s", "s: t.s; 1: t.a t.x; 2: t.a t.x"),
    ("select s, \"1\" from (pivot t on a in (1, 2) using sum(x) group by s)", "s: t.s; 1: t.a t.x"),
    ("unpivot (select id, a, c from t join u using (id)) on a, c into name n value w",
     "id: t.id; n:; w: t.a u.c"),
    ("select columns('^[ab]$') from t", "a: t.a; b: t.b"),
    ("select max(columns(*)) from u", "id: u.id; c: u.c; y: u.y; b: u.b"),
    ("select columns(lambda c: c like 'y%') from u", "y: u.y"),
    ("select columns(lambda c: c in ('c', 'y')) + id from u", "c: u.c u.id; y: u.id u.y"),
    ("with p as (select * like 'c%' from u) select c + 1 as q from p", "q: u.c"),
    ("with p as (select * like 'c%' from u), q as (select * like 'a%' from t) select a, q.a as b from p, q",
     "a: ?; b: t.a"),
    ("with p as (select * like 'y%' from u) select * rename (y as c) from p", "c: u.b u.c u.id u.y"),
    ("select u from u", "u: u.b u.c u.id u.y"),
    ("select v.z, src.v.k from src.v", "z: v.z; k: v.k"),
    ("with t as (select c as id from u) select id from t", "id: u.c"),
    ("with t as (select c as id from u) select t.id, m.a from t, main.t as m", "id: u.c; a: t.a"),
    ("select p, c from (values (1, 2)) as w(p, q) join u on u.id = p", "p:; c: u.c"),
    ('select "ID", t.A as "Mixed Case" from t', "id: t.id; Mixed Case: t.a"),
    ("select rowid, id from t", "rowid: ?; id: t.id"),
    ("select t.l.list_filter(lambda e: e > a).len() as n, {'d': a}.d.abs() as o from t",
     "n: t.a t.l; o: t.a"),
    ("select fdiv(a, b) as f, list_sum(l) as n, split_part(s, ',', 1) as p from t",
     "f: t.a t.b; n: t.l; p: t.s"),
    ("select wavg(b, a) as w, geomean(x) as g from t", "w: t.a t.b; g: t.x"),
    ("select id: a, z: t.s from t", "id: t.a; z: t.s"),
    ("select struct_pack(q := a, r := b) as p, map {'k': x} as m from t", "p: t.a t.b; m: t.x"),
]  # fmt: skip
CALLS_ON_VALUES = [
    ("select s.upper().left(a) as m, st.f.abs() as n from t", "m: t.a t.s; n: t.st"),
    ("select (s || b).upper() as m, l[a].abs() as n, (t.x + t.b).round() as o from t",
     "m: t.b t.s; n: t.a t.l; o: t.b t.x"),
]  # fmt: skip
"""What DuckDB parses since 2.0."""
LINEAGE += [] if ON_1 else CALLS_ON_VALUES


@pytest.mark.parametrize(("sql", "lineage"), LINEAGE)
def test_values_come_from(sql: str, lineage: str) -> None:
    assert shown(traced(sql)) == lineage


READS = [
    ("select count(*) from t", {"t": ()}),
    ("select id from t where x > 1", {"t": ("id", "x")}),
    ("select id from t order by d", {"t": ("id", "d")}),
    ("select t.id from t join u on u.c = t.a", {"t": ("id", "a"), "u": ("c",)}),
    ("select t.s from t join u using (id)", {"t": ("id", "s"), "u": ("id",)}),
    ("select id from t qualify row_number() over (partition by a order by d) = 1", {"t": ("id", "a", "d")}),
    ("select id from t where exists (from u where u.c = t.a)", {"t": ("id", "a"), "u": ("c",)}),
    ("with c as (select * from u) select id from c", {"u": ("id", "c", "y", "b")}),
    ("select a from t group by a, s having max(x) > 1", {"t": ("a", "x", "s")}),
    ("select date_part(s, d) from t", {"t": ("s", "d")}),
    ("select T.UNUSED from t", {"t": ("Unused",)}),
    ("select sum(b) over (w order by d) from t window w as (partition by s)", {"t": ("b", "s", "d")}),
]


@pytest.mark.parametrize(("sql", "reads"), READS)
def test_columns_read(sql: str, reads: dict[str, tuple[str, ...]]) -> None:
    found = traced(sql).reads
    assert {node: columns for node, columns in found.items() if columns is not None} == reads


def test_what_cannot_be_parsed_reads_everything() -> None:
    found = trace_columns("select ...", None, INPUTS, schema(q="INTEGER"))
    assert found.reads == {"t": None, "u": None, "v": None}
    assert shown(found) == "q: ?"


def test_lineage_that_does_not_fit_what_duckdb_says_is_unknown() -> None:
    sql = "select id, a from t"
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert (
        shown(trace_columns(sql, tree, INPUTS, schema(id="INTEGER", other="INTEGER"))) == "id: t.id; other: ?"
    )
    assert shown(trace_columns(sql, tree, INPUTS, schema(id="INTEGER"))) == "id: ?"


def test_a_column_that_the_parser_loses_is_read() -> None:
    sql = "select date_trunc(s, d) as m from t"
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert not any(column.name == "s" for column in tree.find_all(sqlglot.exp.Column))
    assert traced(sql).reads["t"] == ("s", "d")


CORPUS = [
    line
    for line in (Path(__file__).parent / "test_lineage_corpus.sql").read_text().splitlines()
    if not (ON_1 and "(s || b).upper()" in line)
]


@pytest.mark.parametrize("sql", CORPUS)
def test_tables_cut_to_what_is_read_give_the_same_columns(sql: str) -> None:
    output = WHOLE.bind(sql)
    reads = dict(traced(sql).reads)
    try:
        assert tables(reads).bind(sql) == output
    except BinderError as error:
        pytest.fail(f"{error} of {reads}")


def test_lineage_is_known_for_all_of_the_corpus_but_what_no_parser_can_know() -> None:
    unknown = {sql for sql in CORPUS if "?" in shown(traced(sql))}
    assert unknown == {
        "select rowid, id from t",
        "select * from (summarize u)",
        "select * from query_table('u')",
    }

"""What a query's verdict is, why, and what becomes of its text: to the letter."""

from pathlib import Path

import duckdb
import pytest
import sqlglot

from osiris_sql.compile.determinism import InputFacts, Judgement, binder_for, judge_query
from osiris_sql.compile.determinism.catalogue import STABLE, STEADY, is_volatile
from osiris_sql.types.relation import Column, TableSchema


def facts(node: str, key: str | None, **types: str) -> InputFacts:
    """Return an input by the names and types of its columns."""
    columns = tuple(Column(name=name, type=kind) for name, kind in types.items())
    keys = (frozenset({key}),) if key else ()
    return InputFacts(node=node, schema=TableSchema(columns=columns), keys=keys)


INPUTS = {
    ("main", "t"): facts(
        "model:t",
        "id",
        id="INTEGER",
        g="INTEGER",
        k="INTEGER",
        x="DOUBLE",
        n="DECIMAL(12,2)",
        s="VARCHAR",
        d="DATE",
        ts="TIMESTAMP",
    ),
    ("main", "u"): facts("model:u", "g", g="INTEGER", name="VARCHAR", w="DOUBLE"),
    ("src", "v"): facts("source:src.v", None, k="INTEGER", ts="TIMESTAMP", price="DOUBLE"),
    ("main", "spans"): facts("model:spans", None, k="INTEGER", d="DATE", span="INTERVAL"),
}
BIND = binder_for(INPUTS)
NOW = "CAST($run_clock AS TIMESTAMPTZ)"
TODAY = f"CAST({NOW} AS DATE)"


def judged(
    sql: str, *, reason: str | None = None, grain: str | None = None, float_sums: str | None = None
) -> Judgement:
    """Return the judgement on a query over the tables of this file."""
    output = BIND(sql)
    assert output is not None
    tree = sqlglot.parse_one(sql, read="duckdb")
    declared = reason is not None
    judgement = judge_query(
        sql,
        tree,
        INPUTS,
        output,
        declared=declared,
        reason=reason or "",
        clock_grain=grain,
        float_sums=float_sums,
        bind=BIND,
    )
    assert BIND(judgement.sql) == output, "a rewrite keeps names and types"
    return judgement


def rewrites() -> list[tuple[str, str]]:
    """Return what the author wrote and what runs, from a file that is easier to read than Python."""
    text = (Path(__file__).parent / "test_determinism_rewrites.sql").read_text()
    pairs = [piece.strip("\n") for piece in text.split("\n\n") if not piece.startswith("##")]
    return [(before, after) for before, _, after in (pair.partition("\n=>\n") for pair in pairs)]


@pytest.mark.parametrize(("sql", "rewritten"), rewrites())
def test_rewrites_splice(sql: str, rewritten: str) -> None:
    judgement = judged(sql)
    assert judgement.verdict == "rewritten"
    assert judgement.sql == rewritten


FINDINGS = [
    ("select id, x from t", "proved", ""),
    ("select * from t order by d", "proved", ""),
    ("select id, row_number() over (order by d, id) as r from t", "proved", "tied-order"),
    ("select id, rank() over (order by d) as r from t", "proved", ""),
    ("select any_value(name) as q from t join u using (g) group by g", "proved", "unordered-aggregate"),
    ("select arg_max(s, id) as q from t group by g", "proved", "unordered-aggregate"),
    ("select sum(n) as q, avg(k) as r, sum(n * k) as p from t", "proved", ""),
    ("select sum(q) as r from (select count(*) as q from t group by g)", "proved", ""),
    ("select sum(extract(year from d)) as q from t", "proved", ""),
    ("select id from t limit 0", "proved", ""),
    ("select 'now()' as s, \"now\" from (select 1 as \"now\")", "proved", ""),
    ("select sum(n) filter (where g = 1) over (partition by k) as q from t", "proved", ""),
    ("select stddev(k) as q from t", "rewritten", "floating-sum"),
    ("select sum(n / k) as q from t", "rewritten", "floating-sum"),
    ("select mode(s) as q from t", "rewritten", "unordered-aggregate"),
    ("select array(select s from t) as q", "rewritten", "unordered-array"),
    ("select random() as q", "unsafe", "random-value"),
    ("select version() as q", "unsafe", "environment-value"),
    ("select current_schema as q", "unsafe", "environment-value"),
    ("select current_catalog as q from t", "unsafe", "environment-value"),
    ("select rowid from t", "unsafe", "row-id"),
    ("select * from t using sample 3 rows", "unsafe", "sample"),
    ("select t.id from t positional join u", "unsafe", "positional-join"),
    ("select json_group_array(s) as q from t", "unsafe", "unordered-aggregate"),
    ("select approx_quantile(x, 0.5) as q from t", "unsafe", "approximate-aggregate"),
    ("select s, sum(x) over (order by d) as q from t", "unsafe", "tied-order"),
    ("select s, list(s) over (order by d) as q from t", "unsafe", "tied-order"),
    ("select g, row_number() over (order by max(d)) as r from t group by rollup (g)", "unsafe", "tied-order"),
    ("select list(s) as q from (select s from t order by d)", "unsafe", "ordered-subquery"),
    ("with o as (select * from t order by d) select * from o limit 3", "unsafe", "ordered-subquery"),
    ("select row_number() over () as r, s from (select s from t order by d)", "unsafe", "ordered-subquery"),
    ("select t.x.sum() as q from t", "unsafe", "floating-sum"),
    ("select * from (summarize t)", "unknown", "unknown-statement"),
    ("from query('select random() as q')", "unknown", "unknown-relation"),
    ("from histogram_values(t, s)", "unknown", "unknown-relation"),
    ("from json_each('{}')", "proved", ""),
    ("select entropy(s) as q from t", "unsafe", "unordered-aggregate"),
    ("select distinct [x] as q from t", "unknown", "two-zeros"),
    ("select q from (select {'a': x} as q from t group by all)", "unknown", "two-zeros"),
    ("select distinct [span] as q from spans", "unknown", "equal-intervals"),
    ("select max(span) as q from spans", "unknown", "equal-intervals"),
    ("select histogram(span) as q from spans", "unknown", "equal-intervals"),
    ("select span from spans order by span limit 5", "unknown", "equal-intervals"),
    ("select k, arg_max(age(d, d), k) as q from spans group by k", "unknown", "equal-intervals"),
    ("select max(if(k = 1, to_months(1), to_days(30))) as q from t", "unknown", "equal-intervals"),
    ("select quantile_disc(to_days(k) * 2, 0.5) as q from t", "unknown", "equal-intervals"),
    ("with c as (select ts - to_months(k) - ts as q from t) select max(q) as q from c", "proved", ""),
    ("with c as (select to_days(k) as q from t) select max([q]) as q from c", "unknown", "equal-intervals"),
    ("with c as (select -to_days(k) as q from t) from c order by all limit 5", "unknown", "equal-intervals"),
    ("pivot spans on k in (1, 2) using count(*) group by span", "unknown", "equal-intervals"),
    ("select mode(span) over (partition by k) as q from spans", "unknown", "equal-intervals"),
    ("select id, to_days(k) as q from t order by q limit 3", "rewritten", "unordered-limit"),
    ("pivot spans on k in (1, 2) using min(span)", "unknown", "equal-intervals"),
    ("select span, count(*) as q from spans group by rollup (span)", "unknown", "equal-intervals"),
    ("select span, count(*) as q from spans group by span, k", "unknown", "equal-intervals"),
    ("select id, to_days(k) as q from t order by id limit 3", "proved", "unordered-limit"),
    ("select max(ts) - min(ts) as q, max(ts - '2024-01-01'::timestamp) as r from t", "proved", ""),
    ("select distinct ts - timestamp '2024-01-01' as q from t where ts > ts - interval 1 day", "proved", ""),
    ("select distinct t.id, t.x, u.w from t join u using (g)", "proved", ""),
    ("select g, w, count(*) as q from u join t using (g) group by g, w", "proved", ""),
    ("select distinct on (id) id, x from t order by id", "proved", "tied-order"),
    ("select distinct on (x) x from t order by x", "unknown", "two-zeros"),
    ("select g, w, count(*) as q from u join t using (g) group by rollup (g, w)", "unknown", "two-zeros"),
    ("pivot (select g, x, k from t) on k in (1, 2) using count(*) group by x", "unknown", "two-zeros"),
    ("select list(s order by id) over (partition by g) as q from t", "proved", "tied-order"),
    ("select first_value(s order by s) over (partition by g order by k) as q from t", "proved", "tied-order"),
    ("select sum(x order by k) over (order by k rows 9 preceding) as q from t", "unsafe", "tied-order"),
    ("select arg_max(s, (d, id)) as q from t group by g", "proved", "unordered-aggregate"),
    ("select sum(columns(['n', 'k'])) from t", "proved", ""),
    ("select sum(columns(['n', 'x'])) from t", "unsafe", "floating-sum"),
    ("""with recursive r(a, b) using key (a) as (select id, g from t union select b, a from r where b < 9)
        select * from r""", "unknown", "unknown-statement"),
    ("select span, k from spans order by span", "proved", ""),
    ("select avg(span) as q, count(span) as n, max(d + span) as r from spans", "proved", ""),
    ("select table_name from information_schema.tables", "unknown", "unknown-relation"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "verdict", "rule"), FINDINGS)
def test_verdicts_and_their_reasons(sql: str, verdict: str, rule: str) -> None:
    judgement = judged(sql)
    assert judgement.verdict == verdict
    rules = [finding.rule for finding in judgement.reasons if finding.verdict == verdict]
    assert rules[:1] == ([rule] if rule else [])
    if verdict in ("unsafe", "unknown"):
        assert judgement.sql == sql


CLOCKS = [
    ("select current_date as q", None, TODAY, "day"),
    ("select today() as q", "hour", TODAY, "day"),
    ("select now() as q", None, NOW, "instant"),
    ("select now() as q", "day", f"date_trunc('day', {NOW})", "day"),
    ("select localtimestamp as q", "hour", f"CAST(date_trunc('hour', {NOW}) AS TIMESTAMP)", "hour"),
    ("select current_time as q", None, f"CAST({NOW} AS TIMETZ)", "instant"),
    ("select cast(now() as date) as q", None, f"cast({NOW} as date)", "day"),
    ("select date_trunc('day', now()) as q", None, f"date_trunc('day', {NOW})", "day"),
    ("select t.id from t", None, "t.id from t", None),
]


@pytest.mark.parametrize(("sql", "grain", "text", "clock"), CLOCKS)
def test_clocks_read_the_run_clock_at_a_grain(
    sql: str, grain: str | None, text: str, clock: str | None
) -> None:
    judgement = judged(sql, grain=grain)
    assert judgement.sql == f"select {text} as q".replace(" from t as q", " from t")
    assert judgement.clock == clock


D6 = "DECIMAL(38, 6)"


@pytest.mark.parametrize(
    ("sql", "runs"),
    [
        ("select sum(x) as q from t", f"select CAST(sum(CAST(x AS {D6})) AS DOUBLE) as q from t"),
        (
            "select SUM (abs(x)) from t",
            f'select CAST(SUM (CAST(abs(x) AS {D6})) AS DOUBLE) as "sum(abs(x))" from t',
        ),
        (
            "select fsum(x) filter (where k > 1) as q, favg(x) as r from t",
            f"select CAST(sum(CAST(x AS {D6})) filter (where k > 1) AS DOUBLE) as q,"
            f" CAST(avg(CAST(x AS {D6})) AS DOUBLE) as r from t",
        ),
        (
            "select s, avg(x) filter (where g = 1) over w as q from t window w as (order by d)",
            f"select s, CAST(avg(CAST(x AS {D6})) filter (where g = 1) over w AS DOUBLE) as q"
            " from t window w as (order by d)",
        ),
        ("select sum(distinct x) as q from t", "select sum(distinct x order by x) as q from t"),
        ("select stddev(x) as q from t", "select stddev(x order by x) as q from t"),
        ("select sum(n) as q, sum(k) as r from t", "select sum(n) as q, sum(k) as r from t"),
    ],
)
def test_doubles_are_added_as_decimals_where_that_is_configured(sql: str, runs: str) -> None:
    judgement = judged(sql, float_sums=D6)
    assert judgement.sql == runs
    assert judgement.verdict == ("proved" if runs == sql else "rewritten")


def test_doubles_added_as_decimals_are_the_same_in_any_order() -> None:
    runs = judged("select sum(x) as q, avg(x) as r from t", float_sums=D6).sql
    values = [1e15, 0.1, -1e15, 0.7, 3.3] * 40
    found = set()
    for turn in range(7):
        with duckdb.connect() as connection:
            connection.execute("create table t (x double)")
            connection.executemany("insert into t values (?)", [[v] for v in values[turn:] + values[:turn]])
            found.add(connection.execute(runs).fetchone())
    assert found == {(164.0, 0.82)}


def test_a_column_named_like_a_clock_is_a_column() -> None:
    assert judged('select q."current_date" from (select 1 as "current_date") as q').verdict == "proved"


KEYS = [
    ("select id, x from t", [{"id"}]),
    ("select x from t", []),
    ("select id as a, id as b from t where g = 1", [{"b"}]),
    ("select * from t where id = 3", [set()]),
    ("select g, k, count(*) as c from t group by g, k", [{"g", "k"}]),
    ("select g, count(*) as c from t group by g, k", []),
    ("select g, count(*) as c from t group by all", [{"g"}]),
    ("select count(*) as c from t", [set()]),
    ("select g from t group by rollup (g)", []),
    ("select distinct g, k from t", [{"g", "k"}]),
    ("select distinct on (g) g, k, s from t order by id", [{"g"}]),
    ("select t.*, name from t left join u using (g)", [{"id"}]),
    ("select t.id, price from t join src.v on v.k = t.k", []),
    ("select t.id, u.g as ug from t cross join u", [{"id", "ug"}]),
    ("select t.id, u.g as ug from t full join u on u.g = t.g", []),
    ("select u.g, name, t.id from u left join t on t.g = u.g and t.k = 1", [{"g", "id"}]),
    ("select u.g, t.id from u right join t on t.g = u.g", [{"id"}]),
    ("select g from u union select g from t", [{"g"}]),
    ("select g from u union all select g from t", []),
    ("select g from u except select k from t", [{"g"}]),
    ("select * from t qualify row_number() over (partition by g order by id) = 1", [{"g"}, {"id"}]),
    ("select *, row_number() over (partition by g order by id) as r from t qualify r = 1", [{"g"}, {"id"}]),
    ("select s from t limit 1", [set()]),
    ("select id, unnest([1, 2]) as q from t", []),
    ("with a(key1) as (select id from t) select key1 as z from a", [{"z"}]),
    ("select t.id, m.top from t, lateral (select max(w) as top from u where u.g = t.g) as m", [{"id"}]),
    ("select id from t semi join src.v using (k)", [{"id"}]),
    ("pivot t on k in (1, 2) using sum(n) group by g", [{"g"}]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "keys"), KEYS)
def test_keys_of_the_output(sql: str, keys: list[set[str]]) -> None:
    assert [set(key) for key in judged(sql).keys] == keys


def test_a_declared_query_runs_as_it_was_written_but_for_the_clock() -> None:
    judgement = judged("select sum(x) as a, now() as b, random() as c from t", reason="only a sketch")
    assert judgement.verdict == "declared"
    assert judgement.sql == f"select sum(x) as a, {NOW} as b, random() as c from t"
    assert {(f.rule, f.verdict) for f in judgement.reasons} == {
        ("floating-sum", "declared"),
        ("clock-function", "rewritten"),
        ("random-value", "declared"),
        ("declared", "declared"),
    }
    assert any(f.message == "only a sketch" for f in judgement.reasons)


def test_findings_point_at_the_authors_text() -> None:
    sql = "select id, -- é\n  row_number() over (order by d) as r, sum(x) over () as s\nfrom t"
    spans = [finding.span for finding in judged(sql).reasons]
    assert [sql[slice(*span)] for span in spans if span is not None] == ["row_number()", "sum(x)"]


@pytest.mark.parametrize("declared", [True, False])
def test_what_cannot_be_parsed_is_unknown(declared: bool) -> None:
    output = TableSchema(columns=(Column(name="q", type="INTEGER"),))
    judgement = judge_query("select ...", None, INPUTS, output, declared=declared)
    assert judgement.verdict == ("declared" if declared else "unknown")
    assert judgement.sql == "select ..."
    assert judgement.keys == ()


def test_a_rewrite_that_would_not_bind_is_refused_instead() -> None:
    sql = "select g, sum(x) as q from t group by g"
    output = BIND(sql)
    assert output is not None
    tree = sqlglot.parse_one(sql, read="duckdb")
    judgement = judge_query(sql, tree, INPUTS, output, bind=lambda text: BIND(text) if text == sql else None)
    assert judgement.verdict == "unsafe"
    assert judgement.sql == sql


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("select s, row_number() over (partition by g order by k) as n from t", 0),
        ("select s, k from t order by k limit 3", 0),
        ("select s, row_number() over (partition by g order by k) from t", 1),
        ("select s, row_number() over () as n from t", 1),
        ("select k, list(s) as l from t group by k", 1),
        ("select k, now() as n from t", 1),
        ("select k from t", 0),
    ],
)
def test_the_authors_own_text_is_bound_too_where_more_than_an_order_grows(sql: str, asked: int) -> None:
    found: list[TableSchema] = []

    def output() -> TableSchema:
        schema = BIND(sql)
        assert schema is not None
        found.append(schema)
        return schema

    judgement = judge_query(sql, sqlglot.parse_one(sql, read="duckdb"), INPUTS, output, bind=BIND)
    assert len(found) == asked
    assert judgement.output == (None if judgement.sql == sql else BIND(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "select x, count(*) as n from t group by x",
        "select distinct x, s from t",
        "select x from t union select w from u",
        "select x from t intersect select w from u",
        "with q as (select x * 2 as y, count(*) as n from t group by 1) select n from q",
    ],
)
def test_groups_of_doubles_are_not_proved_because_there_are_two_zeros(sql: str) -> None:
    found = judged(sql)
    assert (found.verdict, [r.rule for r in found.reasons]) == ("unknown", ["two-zeros"])
    assert "+ 0.0" in found.reasons[0].message


@pytest.mark.parametrize(
    "sql",
    [
        "select x + 0.0 as x, count(*) as n from t group by all",
        "select abs(x) as x from t union all select w from u",
        "select distinct abs(x) as x, s from t",
        "select x from t union all select w from u",
        "select n, count(*) as m from t group by n",
    ],
)
def test_where_there_is_one_zero_nothing_is_said(sql: str) -> None:
    assert judged(sql).verdict == "proved"


def test_groups_of_intervals_are_not_proved_because_a_month_equals_30_days() -> None:
    found = judged("select age(ts, ts) as i, count(*) as n from t group by all")
    assert (found.verdict, [r.rule for r in found.reasons]) == ("unknown", ["equal-intervals"])


def test_duckdb_is_not_asked_of_words_that_are_never_volatile() -> None:
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT function_name, stability FROM duckdb_functions()").fetchall()
    volatile = {name for name, stability in rows if stability == "VOLATILE"}
    assert volatile
    assert not STABLE & volatile
    assert {name for name in volatile if is_volatile(name)} == volatile - STEADY

"""The syntax gate, and which tables a query names."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.parse import parse_query

BINDER = Binder()


def tables(sql: str) -> list[str]:
    query = parse_query(sql, BINDER)
    assert not query.problems
    return [table.written for table in query.tables]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", []),
        ("from a", ["a"]),
        ("table a", ["a"]),
        ("select * from a, main.b, s.c", ["a", "main.b", "s.c"]),
        ('select * from "A b" . "C""d"', ['A b.C"d']),
        ("select (select max(x) from a) from b", ["a", "b"]),
        ("select * from a where exists (from b where b.x = a.x)", ["a", "b"]),
        ("select * from a, lateral (select * from b where b.x = a.x)", ["a", "b"]),
        ("select * from a asof join b on a.t >= b.t positional join c", ["a", "b", "c"]),
        ("select * from a semi join b using (x)", ["a", "b"]),
        ("from a union by name from b except from c", ["a", "b", "c"]),
        ("select * from a tablesample 10%", ["a"]),
        ("pivot a on x in (1, 2) using sum(y)", ["a"]),
        ("unpivot a on x, y into name n value v", ["a"]),
        ("select * from (pivot a on x in (1) using sum(y)) join b using (z)", ["a", "b"]),
        ("select * from range(10), unnest([1])", []),
        ("values (1)", []),
        # CTEs are not tables where they can be seen
        ("with a as (select 1) from a", []),
        ("with a as (select 1) from A, \"a\"", []),
        ("with a as (select 1) from main.a", ["main.a"]),
        ("with a as (from b), c as (from a) from c join a using (x)", ["b"]),
        ("with a as (from a) from a", ["a"]),
        ("with a as (from b), b as (select 1) from a", ["b"]),
        ("with recursive a as (select 1 as x union all select x + 1 from a where x < 3) from a", []),
        ("with recursive b as (from c), c as (select 1) from b", ["c"]),
        ("select * from (with a as (select 1) from a), a", ["a"]),
        ("with a as (select 1) select (with b as (from a) select count(*) from b)", []),
        ("with a as (select 1) from a union from a", []),
        # sqlglot can't read these: DuckDB says the names
        ("select x'61'::blob from s.a join \"b c\" using (x)", ["b c", "s.a"]),
        ("with a as (select 1) select x'61'::blob from a, b", ["b"]),
        ("with a as (from a), b as (from c) select x'61'::blob from a, b", ["a", "c"]),
        ("with recursive a as (from u union all from a) select x'61'::blob from a", ["u"]),
        ("select x'61'::blob, (from a) from (from b) where exists (from main.c)", ["a", "b", "main.c"]),
    ],
)  # fmt: skip
def test_the_tables_of_a_query(sql: str, expected: list[str]) -> None:
    assert sorted(tables(sql)) == sorted(expected)


@pytest.mark.parametrize("blob", ["1", "x'61'::blob"])
def test_places_count_characters(blob: str) -> None:
    sql = f"select 'é😀', {blob} as y from \"žluť\" . kůň join b using (x)"
    query = parse_query(sql, BINDER)
    assert (query.tree is None) == ("x'" in blob)
    assert [sql[t.start : t.end] for t in query.tables] == ['"žluť" . kůň', "b"]


@pytest.mark.parametrize(
    "sql", ["select 1", "select 1;", "select 1 ;;\n", "select 1; -- the end", "select 1\n\n"]
)
def test_what_closes_a_statement_is_left_out(sql: str) -> None:
    assert parse_query(sql, BINDER).sql == "select 1"


def test_a_comment_at_the_end_stays() -> None:
    assert parse_query("select 1 -- one", BINDER).sql == "select 1 -- one"


@pytest.mark.parametrize(
    "sql", ["select ';'", "select 1 -- ;", 'select 1 as ";"', "select $$;$$", "select /* ; */ 1"]
)
def test_a_semicolon_inside_of_something_ends_nothing(sql: str) -> None:
    assert parse_query(sql, BINDER).problems == ()


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    query = parse_query(text, BINDER)
    assert query.problems or query.sql


WORDS = st.sampled_from(
    [
        *("select", "from", "with", "as", "join", "using", "where", "union", "order", "by", "limit"),
        *("pivot", "on", "in", "over", "group", "(", ")", ",", "*", ";", "::", "/*", "*/", '"', "'"),
        *("a", "b", "é", "1", "'x'", "x'61'", "read_csv", "int"),
    ]
)


@given(st.lists(WORDS, max_size=20).map(" ".join))
@example('from " "')
def test_any_words_are_parsed_or_refused(text: str) -> None:
    query = parse_query(text, BINDER)
    for table in query.tables:
        written = text[table.start : table.end].lower().removesuffix('"')
        assert written.endswith(table.name.lower())

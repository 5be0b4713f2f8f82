"""`--fix`: what it makes of the author's text, that the rows stay the same, and what it leaves alone."""

from __future__ import annotations

import duckdb
import pytest
from lint.shop import compiled, write

from osiris_sql.lint import fix_project, lint_project
from osiris_sql.lint.page import read_page
from osiris_sql.lint.rule_table import rule_table

MENDED = [name for name in rule_table() if read_page(name).is_mended]

TABLES = """
create schema shop;
create table shop.customers as
    select i as customer_id, 'c' || i as code, 'n' || i % 7 as name, 'x' || i % 3 as country,
        i::decimal(12,2) as credit from range(20) t(i);
create table shop.orders as
    select i as order_id, nullif(i % 23, 7) as customer_id, (i * 3 % 17)::decimal(12,2) as amount,
        i % 5 as quantity, i / 3 as weight, date '2026-01-01' + (i % 40)::integer as placed_on,
        timestamp '2026-01-01' + interval (i) hours as placed_at from range(60) t(i);
create table shop.items as
    select i % 60 as order_id, i // 60 as line, (i % 11)::decimal(12,2) as price from range(150) t(i);
"""

CASES = {
    "a comma, where every pair is meant": (
        "select c.name, o.amount from shop.customers as c, shop.orders as o",
        "select c.name, o.amount from shop.customers as c cross join shop.orders as o",
    ),
    "names get their tables": (
        "select name, -- whose\n  sum(amount) as total\n"
        "from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id\ngroup by name",
        "select c.name, -- whose\n  sum(o.amount) as total\n"
        "from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id\ngroup by c.name",
    ),
    "a join that changes nothing": (
        "select o.order_id from shop.orders as o\n"
        "left join {{ source('shop', 'customers') }} as c on (c.customer_id = o.customer_id)\n"
        "where o.amount > 3",
        "select o.order_id from shop.orders as o\nwhere o.amount > 3",
    ),
    "UNION over rows that differ": (
        "select customer_id, 'c' as k from shop.customers\nUNION\nselect order_id, 'o' from shop.orders",
        "select customer_id, 'c' as k from shop.customers\nUNION ALL\nselect order_id, 'o' from shop.orders",
    ),
    "the only CTE": (
        "with big as (select * from {{ source('shop', 'orders') }})\nselect name from shop.customers",
        "select name from shop.customers",
    ),
    "the first CTE": (
        "with a as (select 1 as x),\nb as (select name from shop.customers)\nselect name from b",
        "with b as (select name from shop.customers)\nselect name from b",
    ),
    "the last CTE": (
        "with b as (select name from shop.customers),\na as (select 1 as x)\nselect name from b",
        "with b as (select name from shop.customers)\nselect name from b",
    ),
    "a CTE that only an unused one read: in two rounds": (
        "with a as (select 1 as x), b as (select x from a), c as (select 2 as y) select y from c",
        "with c as (select 2 as y) select y from c",
    ),
    "comments about what stays": (
        "with -- all\na as (select 1 as x), -- of b\nb as (select order_id from shop.orders), -- b\n"
        "c as (select 2 as y)\n-- the answer\nselect o.order_id from b as o -- orders\n"
        "left join shop.customers as d on d.customer_id = o.order_id -- end",
        "with -- all\n-- of b\nb as (select order_id from shop.orders) -- b\n"
        "-- the answer\nselect o.order_id from b as o -- orders\n-- end",
    ),
    "a join by USING of a CTE, comments stay": (
        "with c as (select customer_id from shop.customers)\nselect o.order_id from shop.orders as o -- all\n"
        "left join c using (customer_id) -- none\nwhere o.amount > 3",
        "select o.order_id from shop.orders as o -- all\n-- none\nwhere o.amount > 3",
    ),
    "a star that is published": (
        "select * from {{ source('shop', 'customers') }}",
        "select customer_id, code, name, country, credit from {{ source('shop', 'customers') }}",
    ),
}


def fixed(folder, sql: str, more: str = "") -> str:
    project, manifest = compiled(write(folder, {"models/example.sql": sql + more}))
    assert not [d for d in manifest.diagnostics if d.severity == "error"]
    return fix_project(project, manifest).texts.get("models/example.sql", sql + more)


def rows(folder, sql: str) -> list[tuple[object, ...]]:
    """What a model's SQL gives over real rows."""
    _, manifest = compiled(write(folder, {"models/example.sql": sql}))
    [model] = manifest.models
    with duckdb.connect(":memory:") as connection:
        connection.execute(TABLES)
        return sorted(connection.execute(model.sql).fetchall(), key=repr)


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_what_becomes_of_a_text(tmp_path, before, after):
    assert fixed(tmp_path, before) == after
    assert rows(tmp_path, before) == rows(tmp_path, after)


@pytest.mark.parametrize("name", MENDED)
def test_a_mended_bad_has_its_rows_and_no_finding(tmp_path, name):
    bad = read_page(name).bad
    mended = fixed(tmp_path, bad)
    assert mended != bad
    assert rows(tmp_path, bad) == rows(tmp_path, mended)
    project, manifest = compiled(write(tmp_path, {"models/example.sql": mended}))
    assert name not in {finding.rule for finding in lint_project(project, manifest)}
    assert fixed(tmp_path, mended) == mended


LEFT_ALONE = {
    "control flow of Jinja": "{% for k in ['a', 'b'] %}select * from shop.customers"
    "{{ ' union all ' if not loop.last }}{% endfor %}",
    "a name that a template made": "select {{ 'amount' }} from shop.orders as o"
    " join shop.customers as c on c.customer_id = o.customer_id",
    "a mistake in the file": "select amount, nam from shop.orders as o, shop.customers as c",
    "an excused line": "select * from shop.customers -- noqa: select-star-published",
    "a CTE that holds the configuration": "with a as (select 1 {{ config(materialized='table') }} as x)\n"
    "select name from shop.customers",
    "a comma before a RIGHT JOIN": "select c.name, o.amount, i.price from shop.customers as c,"
    " shop.orders as o right join shop.items as i on i.order_id = o.order_id",
    "a LEFT JOIN that may repeat rows": "select c.name from shop.customers as c"
    " left join shop.orders as o on o.customer_id = c.customer_id",
    "UNION that drops doubles": "select name, 'a' as kind from shop.customers"
    " union select code, 'b' from shop.customers",
}


@pytest.mark.parametrize("sql", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_left_alone(tmp_path, sql):
    project, manifest = compiled(write(tmp_path, {"models/example.sql": sql}))
    assert fix_project(project, manifest).texts == {}


def test_only_the_files_that_were_named(tmp_path):
    sql = "with a as (select 1 as x) select name from shop.customers"
    write(tmp_path, {"models/example.sql": sql, "models/other.sql": sql})
    project, manifest = compiled(tmp_path)
    assert set(fix_project(project, manifest, ["models/other.sql"]).texts) == {"models/other.sql"}

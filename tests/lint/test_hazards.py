"""Hazards in other words than those of a rule's own page."""

from __future__ import annotations

import pytest
from lint.shop import found_in

FOUND = {
    "a NULL in a list": ("null-comparison", "select name from shop.customers where country in ('a', null)"),
    "<> ALL of values that may be NULL": (
        "not-in-nullable",
        """select name from shop.customers
        where customer_id <> all (select o.customer_id from shop.orders as o)""",
    ),
    "a condition that compares nothing": (
        "implicit-cross-join",
        "select c.name, o.amount from shop.customers as c join shop.orders as o on 1 = 1",
    ),
    "a LEFT JOIN whose condition names one side": (
        "implicit-cross-join",
        "select c.name, o.amount from shop.customers as c left join shop.orders as o on c.country = 'x'",
    ),
    "a filter on a function of an optional column": (
        "left-join-filter",
        """select o.order_id, c.name from shop.orders as o
        left join shop.customers as c on o.customer_id = c.customer_id where lower(c.name) like 'a%'""",
    ),
    "a filter on the optional side of a RIGHT JOIN": (
        "left-join-filter",
        """select o.order_id, c.name from shop.customers as c
        right join shop.orders as o on o.customer_id = c.customer_id where c.name = 'a'""",
    ),
    "an ELSE after TRUE": (
        "unreachable-case",
        "select case when true then 1 else 2 end as x from shop.orders",
    ),
    "an ELSE after a test and its opposite": (
        "unreachable-case",
        """select case when amount is null then 1 when amount is not null then 2 else 3 end as x
        from shop.orders""",
    ),
    "a column of a subquery": (
        "unused-column",
        "select q.order_id from (select order_id, amount * 2 as twice from shop.orders) as q",
    ),
    "the bridge between two facts": (
        "fan-out-join",
        """select sum(o.amount) as total from shop.orders as o
        join shop.items as i on i.order_id = o.order_id""",
    ),
    "NULL of a LEFT JOIN": (
        "not-in-nullable",
        """select name from shop.customers where customer_id not in (
        select c.customer_id from shop.orders as o left join shop.customers as c
        on c.customer_id = o.quantity)""",
    ),
    "NULL in a list": ("not-in-nullable", "select name from shop.customers where country not in ('a', null)"),
    "a name of the query around": (
        "ambiguous-column",
        "select name from shop.customers where exists (select 1 from shop.orders as o where credit > 3)",
    ),
    "an ON about other tables": (
        "implicit-cross-join",
        """select i.price from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
        join shop.items as i on o.order_id = c.customer_id""",
    ),
    "a quotient rounded by a cast": (
        "integer-division",
        "select cast(quantity / order_id as integer) as x from shop.orders",
    ),
    "the last second": (
        "between-timestamps",
        """select sum(amount) as total from shop.orders
        where placed_at between '2026-01-01' and timestamp '2026-01-31 23:59:59'""",
    ),
    "a day against a timestamp": (
        "key-cast",
        """select o.order_id from shop.orders as o join shop.orders as p on p.placed_on = o.placed_at""",
    ),
    "a value that comes twice": (
        "unreachable-case",
        "select case quantity when 1 then 'a' when 1 then 'b' end as x from shop.orders",
    ),
    "WHEN NULL": ("null-comparison", "select case name when null then 1 end as x from shop.customers"),
    "a fan-out in a CTE": (
        "fan-out-join",
        """with j as (select c.country, c.credit, o.order_id from shop.customers as c join
        shop.orders as o on o.customer_id = c.customer_id) select country, sum(credit) as credit from j
        group by country""",
    ),
    "a fan-out in subtotals": (
        "fan-out-join",
        """select c.country, sum(c.credit) as credit from shop.customers as c join
        shop.orders as o on o.customer_id = c.customer_id group by rollup (c.country)""",
    ),
    "a fan-out two CTEs further in": (
        "fan-out-join",
        """with j as (select c.country, c.credit * 2 as twice from shop.customers as c join
        shop.orders as o on o.customer_id = c.customer_id), k as (select * from j where twice > 3)
        select avg(twice) as credit from k""",
    ),
    "a fan-out in a subquery": (
        "fan-out-join",
        """select sum(credit) filter (where credit > 3) as credit from (select c.credit from
        shop.customers as c join shop.orders as o on o.customer_id = c.customer_id) as j""",
    ),
    "a percentage of a whole quotient": (
        "integer-division",
        "select 100 * (quantity // order_id) as x from shop.orders",
    ),
    "a percentage, named first": (
        "integer-division",
        """select quantity // order_id as share, share * 100 as x from shop.orders""",
    ),
    "a percentage of a CTE's quotient": (
        "integer-division",
        """with s as (select quantity // order_id as share from shop.orders) select round(share, 2)
        as x from s""",
    ),
    "a whole quotient beside a fraction": (
        "integer-division",
        "select order_id from shop.orders where quantity // order_id > 0.5",
    ),
    "NOT = ANY": (
        "not-in-nullable",
        """select name from shop.customers where not (customer_id = any (select o.customer_id from
        shop.orders as o))""",
    ),
    "NULL of one side of a UNION": (
        "not-in-nullable",
        """select name from shop.customers where customer_id not in ( select o.order_id from
        shop.orders as o union select o.customer_id from shop.orders as o)""",
    ),
    "NULL of a FULL JOIN": (
        "not-in-nullable",
        """select name from shop.customers where customer_id not in ( select c.customer_id from
        shop.customers as c full join shop.orders as o on o.order_id = c.customer_id)""",
    ),
    "NULLIF": (
        "not-in-nullable",
        """select name from shop.customers where customer_id not in ( select nullif(o.order_id, 3)
        from shop.orders as o)""",
    ),
    "a NULL with a type": (
        "null-comparison",
        "select name from shop.customers where name = null::varchar",
    ),
    "LIKE NULL": (
        "null-comparison",
        "select name from shop.customers where name like (null)",
    ),
    "BETWEEN NULL": (
        "null-comparison",
        "select name from shop.customers where credit between null and 4",
    ),
    "a comma before a subquery": (
        "implicit-cross-join",
        """select c.name, o.amount from shop.customers as c, (select amount from shop.orders) as o""",
    ),
    "tables that only others connect": (
        "implicit-cross-join",
        """select c.name, i.price from shop.customers as c, shop.orders as o, shop.items as i where
        i.order_id = o.order_id""",
    ),
    "an ON about the joined table alone": (
        "implicit-cross-join",
        """select c.name, o.amount from shop.customers as c join shop.orders as o on o.customer_id
        = o.customer_id""",
    ),
    "a key cast in WHERE": (
        "key-cast",
        """select o.order_id from shop.orders as o, shop.customers as c where c.code =
        o.customer_id""",
    ),
    "a key cast by USING": (
        "key-cast",
        """select o.order_id from shop.orders as o join (select code as customer_id from
        shop.customers) as c using (customer_id)""",
    ),
    "a key cast in a SEMI JOIN": (
        "key-cast",
        """select o.order_id from shop.orders as o semi join shop.customers as c on c.code =
        o.customer_id""",
    ),
    "a key that a CTE casts": (
        "key-cast",
        """with c as (select customer_id::varchar as id from shop.customers) select o.order_id from
        shop.orders as o join c on c.id = o.customer_id""",
    ),
    "a last day that is made": (
        "between-timestamps",
        """select order_id from shop.orders where placed_at between '2026-01-01' and
        make_date(2026, 1, 31)""",
    ),
    "a range within a range": (
        "unreachable-case",
        """select case when amount between 10 and 50 then 1 when amount between 20 and 30 then 2
        end as x from shop.orders""",
    ),
    "a value first": (
        "unreachable-case",
        """select case when 10 < amount then 1 when 100 < amount then 2 end as x from shop.orders""",
    ),
    "a condition with more to it": (
        "unreachable-case",
        """select case when amount > 10 or quantity > 3 then 1 when quantity > 4 and order_id > 2
        then 2 end as x from shop.orders""",
    ),
    "a value of a list": (
        "unreachable-case",
        """select case when name in ('a', 'b') then 1 when name = 'b' then 2 end as x from
        shop.customers""",
    ),
    "a value after NOT NULL": (
        "unreachable-case",
        """select case when name is not null then 1 when name = 'b' then 2 end as x from
        shop.customers""",
    ),
    "days": (
        "unreachable-case",
        """select case when placed_on > '2026-01-01' then 1 when placed_on > date '2026-02-01' then
        2 end as x from shop.orders""",
    ),
    "a filter with NOT": (
        "left-join-filter",
        """select c.name from shop.customers as c left join shop.orders as o on o.customer_id =
        c.customer_id where not (o.amount > 3)""",
    ),
    "a filter that wants a row": (
        "left-join-filter",
        """select c.name from shop.customers as c left join shop.orders as o on o.customer_id =
        c.customer_id where o.amount is not null""",
    ),
    "a filter on a sum": (
        "left-join-filter",
        """select c.name from shop.customers as c left join shop.orders as o on o.customer_id =
        c.customer_id where 3 > 1 + o.amount""",
    ),
    "a filter with OR": (
        "left-join-filter",
        """select c.name from shop.customers as c left join shop.orders as o on o.customer_id =
        c.customer_id where o.amount > 3 or o.quantity > 4""",
    ),
    "an inner join of what is optional": (
        "left-join-filter",
        """select i.price from shop.customers as c left join shop.orders as o on o.customer_id =
        c.customer_id join shop.items as i on i.order_id = o.order_id""",
    ),
    "UNION with numbers that differ": (
        "union-distinct",
        """select 1 as k, customer_id from shop.customers union select 2, order_id from shop.orders""",
    ),
    "a column that only WHERE needs": (
        "unused-column",
        """with a as (select name, code from shop.customers where code = 'x') select name from a""",
    ),
    "a join by USING": (
        "unused-join",
        """select o.order_id from shop.orders as o left join shop.customers as c using
        (customer_id)""",
    ),
    "a join of a CTE": (
        "unused-join",
        """with c as (select customer_id from shop.customers) select o.order_id from shop.orders as
        o left join c on c.customer_id = o.customer_id""",
    ),
    "a star on one side of a UNION": (
        "select-star-published",
        "(select * from shop.customers) union all select * from shop.customers",
    ),
    "COLUMNS(*)": ("select-star-published", "select columns(*) from shop.customers"),
    "a key of AWS": ("secret-in-sql", "select 'AKIAABCDEFGHIJKLMNOP' as k"),  # gitleaks:allow
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return found_in(tmp_path_factory.mktemp("shop"), {name: sql for name, (_, sql) in FOUND.items()})


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found(found, name):
    assert FOUND[name][0] in found[name]


def test_a_long_chain_of_ctes_is_followed_once(tmp_path):
    ctes = "".join(f", c{n} as (select customer_id, name, code from c{n - 1})" for n in range(1, 40))
    sql = f"with c0 as (select customer_id, name, code from shop.customers){ctes} "
    sql += "select order_id from shop.orders where order_id::varchar not in (select name from c39)"
    assert "not-in-nullable" in found_in(tmp_path, {"chain": sql})["chain"]

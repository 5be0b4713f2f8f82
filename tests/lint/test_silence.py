"""What looks like a hazard and is none: rules that can't be sure are silent."""

from __future__ import annotations

import pytest
from lint.shop import found_in

ABOUT_PUBLISHING = {"missing-description", "missing-test", "missing-key"}

FINE = {
    "an optional join that pairs all": """select c.name, t.x from shop.customers as c
        left join (values (1)) as t(x) on true""",
    "an ELSE that rows come to": """select case when amount is null then 1 when quantity is not null then 2
        else 3 end as x from shop.orders""",
    "rows that are only counted": """with c as (select name from shop.customers)
        select count(*) as n from c cross join shop.orders""",
    "a subquery that is only counted": "select count(*) as n from (select order_id from shop.orders) as o",
    "a column that a PIVOT reads": """from (select country, credit, code from shop.customers)
        pivot (sum(credit) for country in ('a', 'b'))""",
    "a column that only a DISTINCT needs": """select q.order_id from
        (select distinct order_id, amount from shop.orders) as q""",
    "a total of the many side": """select c.country, sum(o.amount) as total
        from shop.customers as c left join shop.orders as o on o.customer_id = c.customer_id
        group by c.country""",
    "the one side, grouped by the many": """select o.order_id, sum(c.credit) as credit
        from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
        group by o.order_id""",
    "counted once": """select count(distinct c.customer_id) as customers
        from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id""",
    "one row of the many side is picked": """select sum(c.credit) as credit from shop.customers as c
        join shop.orders as o on o.customer_id = c.customer_id and o.placed_at > o.placed_on""",
    "a key that grouping made wider than it is": """
        with buyers as (select distinct c.customer_id, c.country from shop.customers as c)
        select sum(o.amount) as total from shop.orders as o
        join buyers as b on b.customer_id = o.customer_id""",
    "a comma with one row": """select o.order_id, o.amount / m.most as share
        from shop.orders as o, (select max(amount) as most from shop.orders) as m""",
    "a comma with a condition": """select c.name, o.amount from shop.customers as c, shop.orders as o
        where o.customer_id = c.customer_id""",
    "unnest": "select c.name, u.x from shop.customers as c, unnest([1, 2]) as u(x)",
    "rounding down to tens": "select order_id, quantity // 10 * 10 as tens from shop.orders",
    "an optional table's own NULL": """select c.name from shop.customers as c
        left join shop.orders as o on o.customer_id = c.customer_id where o.order_id is null""",
    "an optional table's default": """select c.name from shop.customers as c
        left join shop.orders as o on o.customer_id = c.customer_id where coalesce(o.amount, 0) < 10""",
    "NOT IN of a key": """select order_id from shop.orders
        where customer_id not in (select c.customer_id from shop.customers as c)""",
    "NOT IN without its NULLs": """select name from shop.customers where customer_id not in (
        select o.customer_id from shop.orders as o where o.customer_id is not null)""",
    "BETWEEN of days": """select sum(amount) as january from shop.orders
        where placed_on between '2026-01-01' and '2026-01-31'""",
    "conditions that overlap only in part": """select case when amount > 10 then 'a' when amount > 5 then 'b'
        when quantity > 5 then 'c' end as size from shop.orders""",
    "a join that drops rows": """select o.order_id from shop.orders as o
        join shop.customers as c on c.customer_id = o.customer_id""",
    "a name of the SELECT itself": """select c.country, sum(o.amount) as total
        from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
        group by c.country having total > 10 order by total""",
    "a column that USING joins": """select customer_id, c.name, o.amount
        from shop.customers as c join shop.orders as o using (customer_id)""",
    "a column of a CTE that only its ORDER BY needs": """
        with latest as (select order_id, placed_at from shop.orders order by placed_at limit 3)
        select order_id from latest""",
    "CTEs that read each other": """
        with a as (select name, customer_id from shop.customers), b as (select * from a)
        select name from b""",
    "a recursive CTE": """with recursive n as (select 1 as i union all select i + 1 from n where i < 5)
        select i from n""",
    "a star over what names its columns": """
        with named as (select customer_id, name from shop.customers) select * from named""",
    "an address without a password": "select 'https://example.com/?password=' as link",
    "keys of one family": """select o.order_id from shop.orders as o
        join shop.items as i on i.order_id = o.order_id and i.line = o.quantity""",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    queries = FINE | {name: sql for name, (_, sql) in FOUND.items()}
    return found_in(tmp_path_factory.mktemp("shop"), queries)


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_found(found, name):
    assert {rule: message for rule, message in found[name].items() if rule not in ABOUT_PUBLISHING} == {}


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
    "a key of AWS": ("secret-in-sql", "select 'AKIAABCDEFGHIJKLMNOP' as k"),  # gitleaks:allow
}


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found(found, name):
    assert FOUND[name][0] in found[name]


def test_a_long_chain_of_ctes_is_followed_once(tmp_path):
    ctes = "".join(f", c{n} as (select customer_id, name, code from c{n - 1})" for n in range(1, 40))
    sql = f"with c0 as (select customer_id, name, code from shop.customers){ctes} "
    sql += "select order_id from shop.orders where order_id::varchar not in (select name from c39)"
    assert "not-in-nullable" in found_in(tmp_path, {"chain": sql})["chain"]

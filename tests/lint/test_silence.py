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
    "the one side, grouped by sets of the many": """select o.order_id as id, sum(c.credit) as credit
        from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
        group by grouping sets ((id), (c.country, id))""",
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
    "one row of a joined CTE's many side is picked": """with j as (select c.country, c.credit,
        row_number() over (partition by c.customer_id order by o.order_id) as place from shop.customers
        as c join shop.orders as o on o.customer_id = c.customer_id) select country, sum(credit) as
        credit from j where place = 1 group by country""",
    "a joined CTE, grouped by the many side": """with j as (select c.country, c.credit, o.order_id
        from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id) select
        order_id, country, sum(credit) as credit from j group by all""",
    "a joined CTE whose rows are made one": """with j as (select distinct c.customer_id, c.country,
        c.credit from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id) select
        country, sum(credit) as credit from j group by country""",
    "rows that the query itself makes": """select o.order_id, e, n from shop.orders as o cross join
        unnest([1, 2]) as u(e) cross join (values (1)) as v(n)""",
    "NOT IN without the NULLs that HAVING drops": """select name from shop.customers where
        customer_id not in ( select o.customer_id from shop.orders as o group by o.customer_id having
        o.customer_id is not null)""",
    "NOT IN without the NULLs that a sum drops": """select name from shop.customers where
        customer_id not in ( select o.customer_id from shop.orders as o where abs(o.customer_id) + 1 >
        0)""",
    "NOT IN of the kept side": """select name from shop.customers where customer_id not in ( select
        o.order_id from shop.customers as c right join shop.orders as o on c.customer_id = o.quantity)""",
    "tables that a third connects": """select c.name, i.price from shop.customers as c, shop.items
        as i, shop.orders as o where c.customer_id = o.customer_id and i.order_id = o.order_id""",
    "a join that picks by a value": """select c.name, o.amount from shop.customers as c join
        shop.orders as o on o.order_id = 3""",
    "the first microsecond that is none of the day": """select order_id from shop.orders where
        placed_at between '2026-01-01' and '2026-01-31 23:59:59.999999'""",
    "a CASE of TRUE and FALSE": """select case name = 'a' when true then 1 when false then 2 end as
        x from shop.customers""",
    "narrower conditions first": """select case when name in ('a', 'b') then 1 when name in ('b',
        'c') then 2 when amount > 5 and quantity > 5 then 3 when amount > 6 then 4 when amount is not
        true then 5 end as x from (select 'a' as name, amount, quantity from shop.orders) as q""",
    "an optional row that either side may lack": """select c.name from shop.customers as c left
        join shop.orders as o on o.customer_id = c.customer_id where o.amount > 3 or c.credit > 3""",
    "an optional row's own absence, twice denied": """select c.name from shop.customers as c left
        join shop.orders as o on o.customer_id = c.customer_id where not (o.amount is not null)""",
    "full dozens": """select order_id, quantity // 12 as dozens, dozens * 12 as whole, dozens *
        amount as price from shop.orders""",
    "ORDER BY ALL": """with latest as (select placed_at, order_id from shop.orders order by all
        limit 3) select order_id from latest""",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return found_in(tmp_path_factory.mktemp("shop"), FINE)


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_found(found, name):
    assert {rule: message for rule, message in found[name].items() if rule not in ABOUT_PUBLISHING} == {}

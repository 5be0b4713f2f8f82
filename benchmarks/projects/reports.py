"""Models as people write them, thirty lines each: CTEs, a join, a window, an aggregate; plain names."""

from __future__ import annotations

LAYERS = 10
ROWS = 200
FIRST = f"""select
    i::bigint as id,
    (i % 17)::integer as customer_id,
    (i % 100)::decimal(12, 2) as amount,
    date '2026-01-01' + (i % 60)::integer as day
from range({ROWS}) as r (i)
"""
MODEL = """with orders as (
    select
        id,
        customer_id,
        amount,
        day
    from {first}
    where id <> {number}
),

per_customer as (
    select
        customer_id,
        count(*) as orders,
        sum(amount) as revenue,
        max(day) as last_day
    from {second}
    group by customer_id
),

ranked as (
    select
        o.id,
        o.customer_id,
        o.amount,
        o.day,
        p.revenue,
        row_number() over (partition by o.customer_id order by o.day desc, o.id) as place
    from orders as o
    left join per_customer as p on o.customer_id = p.customer_id
)

select
    id,
    customer_id,
    case when revenue > 0 then amount else cast(0 as decimal(12, 2)) end as amount,
    day
from ranked
where place <= 100
"""


def report_models(count: int) -> dict[str, str]:
    """Return `count` models; each reads two of the layer above, the first layer the table `entries`."""
    models = {"entries": FIRST}
    width = max(2, count // LAYERS)
    for number in range(count):
        layer, place = divmod(number, width)
        above = [
            f"r{(layer - 1) * width + (place + step) % width}" if layer else "entries" for step in (0, 1)
        ]
        models[f"r{number}"] = MODEL.format(first=above[0], second=above[1], number=number)
    return models

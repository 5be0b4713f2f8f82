"""Ten models that work: joins, windows and aggregates over one table of facts."""

from __future__ import annotations

FACTS = """select
  i::bigint as id,
  (hash(i) % 100000)::integer as customer_id,
  (hash(i + 7) % 1000)::integer as product_id,
  ((hash(i + 13) % 100000)::bigint / 100)::decimal(12, 2) as amount,
  date '2020-01-01' + (hash(i + 3) % 1500)::integer as day
from range({rows}) as r(i)
"""
MODELS = {
    "customers": """select c::integer as customer_id, 'region ' || (c % 23) as region
from range(100000) as r(c)
""",
    "daily": """select day, count(*) as orders, sum(amount) as revenue, count(distinct customer_id) as buyers
from {{ ref('facts') }} group by day
""",
    "by_customer": """select customer_id, count(*) as orders, sum(amount) as revenue, max(day) as last_day
from {{ ref('facts') }} group by customer_id
""",
    "by_product_day": """select product_id, day, sum(amount) as revenue, count(*) as orders
from {{ ref('facts') }} group by product_id, day
""",
    "by_region": """select c.region, f.product_id, sum(f.amount) as revenue, count(*) as orders
from {{ ref('facts') }} as f join {{ ref('customers') }} as c using (customer_id)
group by c.region, f.product_id
""",
    "running": """select product_id, day, revenue,
  sum(revenue) over (partition by product_id order by day) as so_far
from {{ ref('by_product_day') }}
""",
    "ranked": """select customer_id, revenue, row_number() over (order by revenue desc, customer_id) as place
from {{ ref('by_customer') }}
""",
    "gaps": """select id, customer_id, day,
  day - lag(day) over (partition by customer_id order by day, id) as days_since
from {{ ref('facts') }}
""",
    "large_orders": """select f.id, f.customer_id, c.region, f.amount
from {{ ref('facts') }} as f join {{ ref('customers') }} as c using (customer_id)
where f.amount > 900
""",
    "returning_customers": """select c.region, count(*) as customers, sum(b.orders) as orders
from {{ ref('by_customer') }} as b join {{ ref('customers') }} as c using (customer_id)
where b.orders > 1 group by c.region
""",
}


def heavy_models(rows: int) -> dict[str, str]:
    """Return the facts and the ten models over them, as SQL with `ref`."""
    return {"facts": FACTS.format(rows=rows), **MODELS}

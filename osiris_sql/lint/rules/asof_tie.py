"""Find ASOF joins that may find several rows.

Why: which of the rows that tie is taken is luck.

Bad:
    select o.order_id, c.name from shop.orders as o
    asof join (select name, credit from shop.customers) as c on c.credit <= o.amount

Good:
    select o.order_id, c.name from shop.orders as o
    asof join (select max(name) as name, credit from shop.customers group by all) as c on c.credit <= o.amount
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("asof-tie")

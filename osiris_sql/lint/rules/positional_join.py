"""Find joins by position.

Why: the rows of a relation have no position: which ones meet is luck.

Bad:
    select o.amount, c.name from shop.orders as o positional join shop.customers as c

Good:
    select o.amount, c.name from shop.orders as o join shop.customers as c on c.customer_id = o.customer_id
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("positional-join")

"""Find random values.

Why: each run draws others, so no number that depends on them can be checked again.

Bad:
    select order_id, random() < 0.1 as is_sampled from shop.orders

Good:
    select order_id, hash(order_id) % 10 = 0 as is_sampled from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("random-value")

"""Find samples that draw other rows each time.

Why: a model of some of the rows has to take the same ones each time.

Bad:
    select order_id, amount from shop.orders using sample 10%

Good:
    select order_id, amount from shop.orders where hash(order_id) % 10 = 0
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("sample")

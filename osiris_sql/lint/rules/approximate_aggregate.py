"""Find aggregates that guess.

Why: their guess hangs on the order of the rows and the number of threads.

Bad:
    select approx_quantile(amount, 0.5) as typical from shop.orders

Good:
    select quantile_cont(amount, 0.5) as typical from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("approximate-aggregate")

"""Find aggregates that guess.

Why: their guess hangs on the order of the rows and the number of threads.

Bad:
    select approx_count_distinct(customer_id) as customers from shop.orders

Good:
    select count(distinct customer_id) as customers from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("approximate-aggregate")

"""Find groups, distinct rows and unions by INTERVAL.

Why: 1 month and 30 days are one value there, and which of the two stands for it is luck.

Bad:
    select distinct to_days(quantity) as days from shop.orders

Good:
    select distinct to_days(quantity)::varchar as days from shop.orders
"""

from osiris_sql.lint.unsafe import unknown_reasons

SEVERITY = "info"
IS_VERDICT = True
check = unknown_reasons("equal-intervals")

"""Find groups, distinct rows and unions by FLOAT or DOUBLE.

Why: -0.0 and 0.0 are one value there, and which of the two stands for it is luck.

Bad:
    select distinct weight from shop.orders

Good:
    select distinct weight + 0.0 as weight from shop.orders
"""

from osiris_sql.lint.unsafe import unknown_reasons

SEVERITY = "info"
IS_VERDICT = True
check = unknown_reasons("two-zeros")

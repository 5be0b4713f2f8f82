"""Find sums of DOUBLE values whose order can't be settled.

Why: floating sums hang on the order of the rows, which differs with the number of threads.

Bad:
    select weight.sum() as weight from shop.orders

Good:
    select sum(weight) as weight from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("floating-sum")

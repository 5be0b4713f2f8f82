"""Find readings of the clock that can't be told from a column.

Why: a model reads the clock of the run, the same in each row and in a retry, so it must be sure what it is.

Bad:
    select current_date as placed_on, * from (select placed_on as current_date from shop.orders)

Good:
    select order_id, current_date - placed_on as age from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("clock-function")

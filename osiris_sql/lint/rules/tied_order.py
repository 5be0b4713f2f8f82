"""Find windows over rows that may tie, where no tie-breaker can be added.

Why: which of the tied rows comes first is luck, and so is the value.

Bad:
    select order_id, sum(weight) over (
        order by placed_at range between interval 7 days preceding and current row
    ) as week from shop.orders

Good:
    select order_id, sum(amount) over (
        order by placed_at range between interval 7 days preceding and current row
    ) as week from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("tied-order")

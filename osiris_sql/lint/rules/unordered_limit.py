"""Find a LIMIT whose order may have ties, where no tie-breaker can be added.

Why: which of the tied rows are kept is luck.

Bad:
    select unnest({'id': order_id, 'amount': amount}) from shop.orders order by placed_at limit 3

Good:
    select unnest({'id': order_id, 'amount': amount}) from shop.orders order by placed_at, order_id limit 3
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("unordered-limit")

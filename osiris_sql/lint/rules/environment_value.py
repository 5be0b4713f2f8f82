"""Find values of the session or the machine.

Why: they differ between a laptop and a server, and so do the rows.

Bad:
    select order_id, current_setting('threads') as threads from shop.orders

Good:
    select order_id, 'nightly' as loaded_by from shop.orders
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("environment-value")

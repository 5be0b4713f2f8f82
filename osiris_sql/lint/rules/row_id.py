"""Find the use of a table's physical row numbers.

Why: they follow from how the rows were loaded, not from what the rows say.

Bad:
    select rowid as id, name from shop.customers

Good:
    select customer_id as id, name from shop.customers
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("row-id")

"""Find what the compiler does not understand well enough to promise anything of it.

Why: what is not known is not proved: the verdict on the model is unknown.

Bad:
    select column_name, null_percentage from (summarize shop.orders)

Good:
    select count(*) - count(amount) as without_amount from shop.orders
"""

from osiris_sql.lint.unsafe import unknown_reasons

SEVERITY = "info"
IS_VERDICT = True
check = unknown_reasons("unknown-function", "unknown-statement", "unknown-relation", "unparsed-sql")

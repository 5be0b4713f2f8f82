"""Find queries that rely on the ORDER BY of a subquery.

Why: a subquery has no order for its reader, although it often looks as if it had one.

Bad:
    select list(name) as names from (select name from shop.customers order by country)

Good:
    select list(name order by country, name) as names from shop.customers
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("ordered-subquery")

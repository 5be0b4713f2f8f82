"""Find arrays of rows in no order.

Why: the elements stand in another order each time.

Bad:
    select array(from (select name from shop.customers) order by name[1]) as names

Good:
    select array(select name from shop.customers order by name) as names
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("unordered-array")

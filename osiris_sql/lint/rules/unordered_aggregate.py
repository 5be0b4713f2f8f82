"""Find aggregates that take rows in any order.

Why: a list or a first value of rows in no order is another one each time.

Bad:
    select json_group_array(name) as names from shop.customers

Good:
    select list(name) as names from shop.customers
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("unordered-aggregate")

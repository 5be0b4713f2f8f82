"""Find collated values where their text is kept.

Why: texts that a collation calls equal are one group, and which spelling stands for it is luck.

Bad:
    select distinct country collate nocase as country from shop.customers

Good:
    select distinct lower(country) as country from shop.customers
"""

from osiris_sql.lint.unsafe import unsafe_reasons

SEVERITY = "error"
IS_VERDICT = True
check = unsafe_reasons("collated-value")

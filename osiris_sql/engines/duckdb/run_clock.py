"""Puts the run clock into SQL as a literal, which views and CREATE TABLE AS can hold alike."""

import re

# Strings, quoted names, comments and dollar quotes are matched first, so that nothing inside them is
# taken for the parameter.
_TOKEN = re.compile(
    r"""[eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*" | --[^\n]* | /\*.*?\*/
    | \$([A-Za-z_]*)\$.*?\$\1\$ | (?P<clock>\$run_clock\b)""",
    re.VERBOSE | re.DOTALL,
)


def bind_run_clock(sql: str, run_clock: str) -> str:
    """Return `sql` with each `$run_clock` replaced by the instant (ISO, UTC) as a TIMESTAMPTZ literal."""
    if "$run_clock" not in sql:
        return sql
    literal = f"TIMESTAMPTZ '{run_clock}'"
    return _TOKEN.sub(lambda m: literal if m["clock"] else m[0], sql)

"""Puts the run clock, and the ends of a batch, into SQL as literals, which views and CREATE TABLE AS can
hold alike."""

import re
from collections.abc import Mapping

# Strings, quoted names, comments and dollar quotes are matched first, so that nothing inside them is
# taken for a parameter.
_TOKEN = re.compile(
    r"""[eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*" | --[^\n]* | /\*.*?\*/
    | \$([A-Za-z_]*)\$.*?\$\1\$ | \$(?P<name>run_clock|batch_start|batch_end)\b""",
    re.VERBOSE | re.DOTALL,
)


def bind_run_clock(sql: str, run_clock: str) -> str:
    """Return `sql` with each `$run_clock` replaced by the instant (ISO, UTC) as a TIMESTAMPTZ literal."""
    return bind_instants(sql, {"run_clock": run_clock}) if "$run_clock" in sql else sql


def bind_instants(sql: str, instants: Mapping[str, str]) -> str:
    """Return `sql` with each parameter that is named here replaced by its instant (ISO, UTC)."""

    def literal(found: re.Match[str]) -> str:
        instant = instants.get(found["name"] or "")
        return found[0] if instant is None else f"TIMESTAMPTZ '{instant}'"

    return _TOKEN.sub(literal, sql)

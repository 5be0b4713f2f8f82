"""What a source will be asked for, as a query that a person can read and run there."""

from __future__ import annotations

import re

from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import Comparison, RowFilter, quote_identifier

PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)


def extract_query(step: Extract) -> str:
    """Return the query of an extract; that of an increment names the watermark, which the run knows."""
    columns = ", ".join(_name(column.name) for column in step.columns)
    conditions = [f"({step.where})"] if step.where else []
    if step.filters:
        conditions.append(f"({filter_text(step.filters)})")
    if step.mode == "incremental" and step.watermark:
        back = f" less {step.lookback} seconds" if step.lookback else ""
        conditions.append(f"{_name(step.watermark)} >= <the last one{back}; at first, and anew: all rows>")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {columns} FROM {_name(step.identifier)}{where}"


def filter_text(filters: RowFilter) -> str:
    """Return a filter as the condition that it is."""
    groups = [" AND ".join(_comparison(each) for each in group) for group in filters]
    return groups[0] if len(groups) == 1 else " OR ".join(f"({group})" for group in groups)


def _comparison(each: Comparison) -> str:
    values = [value if each.kind == "number" else _quoted(value) for value in each.values]
    listed = f"({', '.join(values)})" if each.operator == "IN" else "".join(values)
    return f"{_name(each.column)} {each.operator} {listed}".rstrip()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    return name if PLAIN.fullmatch(name) else quote_identifier(name)

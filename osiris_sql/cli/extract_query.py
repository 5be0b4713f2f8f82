"""What a source will be asked for, as a query that a person can read and run there."""

from __future__ import annotations

import re

from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import quote_identifier

PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)


def extract_query(step: Extract) -> str:
    """Return the query of an extract; that of an increment names the watermark, which the run knows."""
    columns = ", ".join(_name(column.name) for column in step.columns)
    conditions = [f"({step.where})"] if step.where else []
    if step.mode == "incremental" and step.watermark:
        back = f" less {step.lookback} seconds" if step.lookback else ""
        conditions.append(f"{_name(step.watermark)} >= <the last one{back}; at first, and anew: all rows>")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {columns} FROM {_name(step.identifier)}{where}"


def _name(name: str) -> str:
    return name if PLAIN.fullmatch(name) else quote_identifier(name)

"""Durations as people write them: `1h`, `30m`, `2d`, or dbt's `{count: 1, period: day}`; in seconds."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIODS = {"minute": 60, "hour": 3600, "day": 86400}
_HOW = 'must be a duration such as "30m", "1h" or "2d", or {count: 1, period: day}'


def _to_seconds(value: object) -> int:
    if isinstance(value, dict) and set(value) == {"count", "period"}:
        count, period = value["count"], value["period"]
        if type(count) is int and count >= 0 and period in _PERIODS:
            return count * _PERIODS[period]
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,9}) ?([smhdw])", value.strip())):
        return int(found[1]) * _UNITS[found[2]]
    raise ValueError(_HOW)


Duration = Annotated[
    int,
    BeforeValidator(_to_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^\\d+ ?[smhdw]$"},
                {
                    "type": "object",
                    "properties": {
                        "count": {"type": "integer", "minimum": 0},
                        "period": {"enum": list(_PERIODS)},
                    },
                    "required": ["count", "period"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A length of time in seconds."""

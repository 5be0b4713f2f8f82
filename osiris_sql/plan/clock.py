"""The run clock at the grain at which a model reads it."""

from datetime import datetime
from typing import Literal

Grain = Literal["day", "hour", "minute", "instant"]


def clock_value(run_clock: datetime, grain: Grain) -> str:
    """Return the instant cut to `grain`, as text: it moves only when the model's answer may."""
    lengths = {"day": 10, "hour": 13, "minute": 16}
    return run_clock.isoformat()[: lengths[grain]] if grain in lengths else run_clock.isoformat()

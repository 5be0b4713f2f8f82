"""How long a publisher waits before it tries again."""

from __future__ import annotations

import random


def pause(attempt: int) -> float:
    """Return the seconds to wait after a failed attempt: twice as many each time, and hardly ever the same,
    so that publishers who got into each other's way don't meet again."""
    return random.uniform(0.5, 1) * 0.2 * 2.0**attempt  # noqa: S311 (jitter, no secret)

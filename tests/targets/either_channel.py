"""Import `channel` into a module of tests, and each of them runs over Postgres and over REST."""

from typing import Any

import pytest
from targets.live import LIVE, real, skip_own_faults


@pytest.fixture(params=["postgres", "rest", *real(*LIVE)])
def channel(request: Any) -> str:
    if request.param in LIVE:
        skip_own_faults(request)
    return request.param

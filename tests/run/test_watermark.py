"""Moving a watermark back by its lookback."""

import pytest

from osiris_sql.run.steps.watermark import move_back


@pytest.mark.parametrize(
    ("watermark", "type_", "seconds", "expected"),
    [
        ("2026-01-31 00:30:00", "TIMESTAMP", 3600, "2026-01-30 23:30:00"),
        ("2026-01-31 00:30:00.123456", "TIMESTAMP", 1, "2026-01-31 00:29:59.123456"),
        ("2026-01-31 00:30:00+00", "TIMESTAMP WITH TIME ZONE", 3600, "2026-01-30 23:30:00+00:00"),
        ("2026-03-01", "DATE", 86_400, "2026-02-28"),
        ("2026-03-01", "DATE", 1, "2026-02-28"),
        ("41", "BIGINT", 3600, "41"),
        ("2026-01-31 00:30:00", "TIMESTAMP", 0, "2026-01-31 00:30:00"),
    ],
)
def test_move_back(watermark, type_, seconds, expected):
    assert move_back(watermark, type_, seconds) == expected

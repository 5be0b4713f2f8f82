"""The settings that change answers: pinned where SQL is bound and where it runs, and written in the plan."""

from collections.abc import Mapping

PINNED_SETTINGS: Mapping[str, str] = {
    "TimeZone": "UTC",
    "Calendar": "gregorian",
    "default_null_order": "nulls_last",
    "default_order": "asc",
    "default_collation": "",
    "integer_division": "false",
    # NULL, as DuckDB 1.5 answers: both supported lines must give the same numbers.
    "error_on_division_by_zero": "false",
    "ieee_floating_point_ops": "true",
    "old_implicit_casting": "false",
    "preserve_insertion_order": "true",
    "scalar_subquery_error_on_multiple_rows": "true",
}
"""Name → value, as `SET GLOBAL` takes them."""

SETTINGS_SINCE_2 = frozenset({"error_on_division_by_zero"})
"""Settings that DuckDB 1.5 does not have."""

"""Data tests: each becomes one SELECT of offending rows, bound over the static schema."""

from osiris_sql.compile.data_tests.compiled import compile_data_tests
from osiris_sql.compile.data_tests.scope import TestScope

__all__ = ["TestScope", "compile_data_tests"]

"""Words of a driver in one line."""

import pytest

from osiris_sql.support.one_line import one_line


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", ""),
        ("refused", "refused"),
        ("refused\n\tIs the server  running?\n", "refused. Is the server running?"),
        ("no such column\n\nLINE 1: SELECT a\n       ^", "no such column. LINE 1: SELECT a. ^"),
        ("these differ:\n- a;\n- b", "these differ: - a; - b"),
    ],
)
def test_what_stands_on_lines_of_its_own_becomes_a_sentence(said: str, told: str) -> None:
    assert one_line(ValueError(said)) == told

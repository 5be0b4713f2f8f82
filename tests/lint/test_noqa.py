"""Suppressions in SQL comments."""

import pytest

from osiris_sql.lint.noqa import Suppressions
from osiris_sql.types.diagnostic import Diagnostic, Location


def finding(rule: str, line: int) -> Diagnostic:
    return Diagnostic(rule=rule, message="m", location=Location(path="m.sql", line=line))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("select 1", [("bad", 1)]),
        ("select 1 -- noqa: bad", []),
        ("select 1 -- noqa: bad, other", [("unused-noqa", 1)]),
        ("select 1 -- noqa: other", [("bad", 1), ("unused-noqa", 1)]),
        ("-- noqa: bad\nselect 1", [("bad", 1)][:0]),
        ("select 1\n-- noqa: bad", [("bad", 1), ("unused-noqa", 2)]),
    ],
)
def test_a_comment_silences_its_rule_on_its_line(text, left):
    found = Suppressions("m.sql", text).apply([finding("bad", 1)])
    assert [(d.rule, d.location.line) for d in found] == left

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
        ("select 1 --NOQA:Bad", []),
        ("select 1 /* noqa: bad */", []),
        ("select 1 {#- noqa: other , bad #}", [("unused-noqa", 1)]),
        ("select '\u2028\f' -- noqa: bad", []),
        ("select 1 -- noqa bad", [("bad", 1), ("unused-noqa", 1)]),
        ("select noqa -- noqable: bad", [("bad", 1)]),
    ],
)
def test_a_comment_silences_its_rule_on_its_line(text, left):
    found = Suppressions("m.sql", text).apply([finding("bad", 1)])
    assert [(d.rule, d.location.line) for d in found] == left


@pytest.mark.parametrize(
    ("comment", "fix"),
    [
        ("-- noqa: unused-ctes", 'did you mean "unused-cte"?'),
        ("-- noqa: unused_cte", 'did you mean "unused-cte"?'),
        ("-- noqa: unused-cte", "remove it"),
        ("-- noqa", "write noqa: and the names of rules"),
    ],
)
def test_one_that_silences_nothing_says_what_may_be_meant(comment, fix):
    [found] = Suppressions("m.sql", comment).apply([])
    assert found.fix == fix

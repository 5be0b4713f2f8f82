"""Samples hang on chance or, with a seed, on the physical order of rows."""

from __future__ import annotations

from collections.abc import Iterator

from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.subject import Subject


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each SAMPLE."""
    outline = subject.outline
    for index, word in enumerate(outline.words):
        if word == "tablesample" or (word == "using" and outline.word(index + 1) == "sample"):
            message = (
                "a sample differs from run to run, with a seed too: it hangs on the order in which rows"
                " are stored; choose rows by a key: WHERE hash(key) % 100 < 10"
            )
            span = outline.span((index, index + 1 if word == "tablesample" else index + 2))
            yield subject.ruling("sample", "unsafe", message, span)

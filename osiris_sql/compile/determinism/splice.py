"""Splicing: changes to a text at exact places; what no change touches stays byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the author's text, from `start` up to `end`; copied with the changes inside it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts `parts` in the place of the text from `start` up to `end`; the two are equal to insert."""

    start: int
    end: int
    parts: tuple[str | Span, ...]


class OverlapError(Exception):
    """Two edits want to change the same text."""


def apply(sql: str, edits: Sequence[Edit]) -> str:
    """Return the text with all edits made; raises OverlapError."""
    ordered = sorted(set(edits), key=lambda edit: (edit.start, edit.end))
    return _render(sql, 0, len(sql), ordered, whole=True)


def _render(sql: str, start: int, end: int, edits: Sequence[Edit], *, whole: bool = False) -> str:
    done: list[str] = []
    here = start
    for edit in edits:
        if edit.start < start or edit.end > end or (not whole and _on_edge(edit, start, end)):
            continue
        if edit.start < here:
            raise OverlapError
        done.append(sql[here : edit.start])
        done += [p if isinstance(p, str) else _copy(sql, p, edit, edits) for p in edit.parts]
        here = edit.end
    return "".join(done) + sql[here:end]


def _copy(sql: str, span: Span, copier: Edit, edits: Sequence[Edit]) -> str:
    return _render(sql, span.start, span.end, [edit for edit in edits if edit is not copier])


def _on_edge(edit: Edit, start: int, end: int) -> bool:
    """Say whether an insertion stands at the edge of a copied piece, where it belongs to what is outside."""
    return edit.start == edit.end and edit.start in (start, end)

"""Edits of a rendered query as edits of the author's file, where the text stands there as it was rendered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel


@dataclass(frozen=True, slots=True)
class FileEdit:
    """Puts `text` in the place of the characters from `start` up to `end` of a file."""

    path: str
    start: int
    end: int
    text: str


def edits_in_file(model: LintedModel, finding: Finding) -> tuple[FileEdit, ...]:
    """Return the edits of a finding in the model's file; none if a part of one was generated.

    What lies between the ends of a cut may be generated: a plain template yields each of its pieces once.
    """
    if not model.is_plain or "\r" in model.text.replace("\r\n", "\n"):
        return ()
    starts = _line_starts(model.text)
    found = [_edit_in_file(model, edit, starts) for edit in finding.edits]
    return tuple(edit for edit in found if edit) if all(found) else ()


def _edit_in_file(model: LintedModel, edit: Edit, starts: list[int]) -> FileEdit | None:
    last = max(edit.start, edit.end - 1)
    first_at, last_at = (_offset(model, place, starts) for place in (edit.start, last))
    if first_at is None or last_at is None or last_at < first_at:
        return None
    end = first_at if edit.end == edit.start else last_at + len(_character(model, last_at))
    return FileEdit(model.compiled.path, first_at, end, edit.text)


def _offset(model: LintedModel, place: int, starts: list[int]) -> int | None:
    """Return where a character of the query stands in the file, None where it was generated."""
    at = model.locate((place, place + 1))
    if at.path != model.compiled.path or at.line is None or at.column is None or at.line > len(starts):
        return None
    offset = starts[at.line - 1] + at.column - 1
    same = _character(model, offset).replace("\r\n", "\n") == model.sql[place : place + 1]
    return offset if same and not model.text.startswith("{{", offset) else None


def _character(model: LintedModel, offset: int) -> str:
    """Return the character at a place of the file; the end of a line is one."""
    return "\r\n" if model.text.startswith("\r\n", offset) else model.text[offset : offset + 1]


def _line_starts(text: str) -> list[int]:
    return [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]


def apart(groups: Iterable[Sequence[FileEdit]]) -> list[tuple[FileEdit, ...]]:
    """Return the groups of edits of one file that touch none of those taken before them."""
    taken: list[FileEdit] = []
    found: list[tuple[FileEdit, ...]] = []
    for group in groups:
        if not any(a.start <= b.end and b.start <= a.end for a in group for b in taken):
            taken += group
            found.append(tuple(group))
    return found


def apply_edits(text: str, edits: Iterable[FileEdit]) -> str:
    """Return a file's text with edits made."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text

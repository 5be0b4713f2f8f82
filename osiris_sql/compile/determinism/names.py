"""Keeping names: a rewritten item of a SELECT list that has no alias gets the name it had."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from osiris_sql.compile.determinism.outline import Block
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.types.relation import quote_identifier


class LostNameError(Exception):
    """An item's name can't be told, so it can't be kept."""


def keep_names(subject: Subject, edits: Sequence[Edit]) -> list[Edit]:
    """Return edits that add the aliases which keep the names of all columns; raises LostNameError."""
    added = []
    for block in subject.outline.blocks:
        select = subject.selects.get(block)
        items = subject.outline.items(block)
        for index, item in enumerate(items):
            start, end = subject.outline.span(item)
            if not any(start <= e.start and e.end <= end and not _after(e, end) for e in edits):
                continue
            if select is None or len(select.expressions) != len(items):
                raise LostNameError
            if not isinstance(select.expressions[index], exp.Alias) and _is_named(select):
                name = quote_identifier(_name(subject, block, select, index))
                added.append(Edit(end, end, (f" as {name}",)))
    return added


def _after(edit: Edit, end: int) -> bool:
    """Say whether an insertion stands behind an item: a clause that follows the SELECT list."""
    return edit.start == edit.end == end


def _is_named(select: exp.Expr) -> bool:
    """Say whether anybody sees the names of a SELECT's columns: not those of a scalar subquery."""
    parent = select.parent
    while isinstance(parent, exp.SetOperation | exp.Subquery) and not parent.args.get("alias"):
        if isinstance(parent.parent, exp.From | exp.Join | exp.Lateral | exp.CTE) or parent.parent is None:
            return True
        parent = parent.parent
    return parent is None or isinstance(parent, exp.CTE | exp.Subquery | exp.Lateral | exp.From | exp.Join)


def _name(subject: Subject, block: Block, select: exp.Select, index: int) -> str:
    names = _names(subject, block)
    widths = subject.walk.scopes[id(select)].widths
    before, after = widths[:index], widths[index + 1 :]
    if None not in before:
        place = sum(w or 0 for w in before)
    elif None not in after:
        place = len(names) - 1 - sum(w or 0 for w in after)
    else:
        raise LostNameError
    if widths[index] != 1 or not 0 <= place < len(names):
        raise LostNameError
    return names[place]


def _names(subject: Subject, block: Block) -> Sequence[str]:
    top = block
    while top.parent is not None and top.parent.is_set:
        top = top.parent
    if top.parent is None and block.first == top.first + (0 if block is top else _with_length(top)):
        return subject.output.names
    ctes = subject.visible_ctes(block)
    if ctes is None:
        raise LostNameError
    own = block.ctes[-1][1] if block.ctes else block.first
    schema = subject.bind(ctes + subject.outline.text((own, block.end)))
    if schema is None:
        raise LostNameError
    return schema.names


def _with_length(block: Block) -> int:
    return block.ctes[-1][1] - block.first if block.ctes else 0

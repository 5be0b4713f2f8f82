"""Which models a text seems to read: enough to choose an order, and no harm where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from osiris_sql.types.project import Model

_REF = re.compile(r"""\bref\(\s*(?:['"][^'"]*['"]\s*,\s*)?['"](\w+)""")
_FROM = re.compile(r'\b(?:from|join)\s+"?(\w+)', re.IGNORECASE)
_CTE = re.compile(r'\b(\w++)"?\s++as\s+(?:(?:not\s+)?materialized\s+)?\(', re.IGNORECASE)


def guess_needs(models: Collection[Model]) -> dict[str, set[str]]:
    """Return the nodes of the models that each model seems to read."""
    nodes = {model.name.lower(): model.node for model in models}
    return {m.node: {nodes[name] for name in _names(m.text) & nodes.keys()} for m in models}


def _names(text: str) -> set[str]:
    plain = {*_FROM.findall(text)} - {*_CTE.findall(text)}
    return {name.lower() for name in (*_REF.findall(text), *plain)}


def in_order(roots: Collection[str], needs: Mapping[str, Collection[str]]) -> list[str]:
    """Return roots and all that they need, each after what it needs, as a pass takes them."""
    found: dict[str, None] = {}
    for root in sorted(roots):
        path = {root: None}
        while path:
            node = next(reversed(path))
            need = min((n for n in needs[node] if n not in found and n not in path), default=None)
            if need is None:
                found[node] = None
                del path[node]
            else:
                path[need] = None
    return [*found]

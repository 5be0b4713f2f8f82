"""Which models a text seems to read: enough to choose an order, and no harm where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from osiris_sql.types.project import Model

# Each begins with a letter that is soon found, so a CTE is read backwards, from its parenthesis.
_REF = re.compile(r"""ref\(\s*(?:['"][^'"]*['"]\s*,\s*)?['"](\w+)""")
_FROM = re.compile(r'(?:from|join)\s+"?(\w+)')
_CTE_BACKWARDS = re.compile(r'\(\s+(?:dezilairetam\s+(?:ton\s+)?)?sa\s+"?(\w+)')


def guess_needs(models: Collection[Model]) -> dict[str, set[str]]:
    """Return the nodes of the models that each model seems to read."""
    nodes = {model.name.lower(): model.node for model in models}
    return {m.node: {nodes[name] for name in _names(m.text) & nodes.keys()} for m in models}


def _names(text: str) -> set[str]:
    text = text.lower()
    ctes = {name[::-1] for name in _CTE_BACKWARDS.findall(text[::-1])}
    return {*_REF.findall(text), *({*_FROM.findall(text)} - ctes)}


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

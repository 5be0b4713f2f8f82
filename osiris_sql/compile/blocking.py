"""What a broken node means for those below it: they are not checked, and say who blocks them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from osiris_sql.compile.draft import Draft
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.project import Model


class Blocking:
    """The nodes that are broken themselves, and those that are blocked by them."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.blocked: dict[str, tuple[str, ...]] = {}

    def block(self, node: str, needs: Iterable[str]) -> bool:
        """Return whether a node is blocked, and remember by which broken ones."""
        roots = {root for need in needs for root in self._roots(need)}
        if roots:
            self.blocked[node] = tuple(sorted(roots))
        return bool(roots)

    def _roots(self, node: str) -> tuple[str, ...]:
        return (node,) if node in self.broken else self.blocked.get(node, ())

    def explain(self, node: str, location: Location) -> Diagnostic:
        """Return the note that a blocked node was not checked."""
        roots = self.blocked[node]
        shown = ", ".join(spoken(root) for root in roots[:3])
        more = f" and {len(roots) - 3} more" if len(roots) > 3 else ""
        return Diagnostic(
            rule="blocked",
            message=f'"{spoken(node)}" is blocked by {shown}{more}',
            severity="info",
            location=location,
            fix="correct what it reads first",
        )


def spoken(node: str) -> str:
    """Return a node's name without its kind."""
    return node.partition(":")[2]


def draw_cycle(cycle: Sequence[str], drafts: Mapping[str, Draft], models: Mapping[str, Model]) -> Diagnostic:
    """Return the error of models that read each other in a circle; the first is not repeated."""
    first = min(range(len(cycle)), key=lambda i: cycle[i])
    ring = [*cycle[first:], *cycle[:first], cycle[first]]
    places = [
        place_of_need(drafts[node], need) if node in drafts else models[node].location
        for node, need in pairwise(ring)
    ]
    reads = [f"{place} reads {spoken(need)}" for place, need in zip(places, ring[1:], strict=True)]
    return Diagnostic(
        rule="cycle",
        message=f"models read each other in a circle: {' → '.join(map(spoken, ring))}",
        location=places[0],
        why="; ".join(reads),
        fix="take one of these references out",
    )


def place_of_need(draft: Draft, need: str) -> Location:
    """Return where a model names another node."""
    for variant in draft.variants:
        for table, node in variant.nodes.items():
            if node == need:
                return variant.locate(table.start, table.end - table.start)
    return draft.model.location


def disabled_input(need: str, location: Location) -> Diagnostic:
    """Return the error of reading a disabled model."""
    return Diagnostic(
        rule="disabled-model",
        message=f'the model "{spoken(need)}" is disabled',
        location=location,
        fix="enable it: config(enabled=true), or read something else",
    )

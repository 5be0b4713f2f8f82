"""Which models can be compiled now: those whose needs are settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from heapq import heappop, heappush


class Ready:
    """The models that wait and those that are ready, in the order in which they will be asked for.

    `settled` are those that are known, or will not be. Who compiled the last model that another waited for
    gets that one first: there it can be read already.
    """

    def __init__(
        self, order: Sequence[str], needs: Mapping[str, Collection[str]], known: Collection[str] = ()
    ) -> None:
        self._place = {node: place for place, node in enumerate(order)}
        self._waits: dict[str, set[str]] = {}
        self._readers: dict[str, list[str]] = defaultdict(list)
        self._heaps: dict[Hashable, list[tuple[int, str]]] = defaultdict(list)
        self._failed: set[str] = set()
        self.settled = {*known}
        for node in order:
            self._wait(node, needs[node])

    def __len__(self) -> int:
        return sum(map(len, self._heaps.values()))

    def pop(self, who: Hashable = None) -> str | None:
        """Return the next model that is ready, None while there is none."""
        while heap := self._heaps[who] or max(self._heaps.values(), key=len):
            _, node = heappop(heap)
            if node not in self.settled:
                return node
        return None

    def settle(self, node: str, who: Hashable = None) -> None:
        """Note that a model is known, by whom: those that waited for it alone are ready."""
        self.settled.add(node)
        for reader in self._readers.pop(node, ()):
            self._waits[reader].discard(node)
            if not self._waits[reader]:
                self.again([reader], who)

    def fail(self, node: str) -> None:
        """Note that a model will not be known, nor any that reads it."""
        failed = [node]
        while failed:
            one = failed.pop()
            if one not in self.settled:
                self.settled.add(one)
                self._failed.add(one)
                failed += self._readers.pop(one, ())

    def wait(self, node: str, need: str) -> None:
        """Note that a model that was thought to be ready has another need."""
        if need in self._failed or need not in self._place.keys() | self.settled:
            self.fail(node)
        else:
            self._wait(node, {need})

    def again(self, nodes: Collection[str], who: Hashable = None) -> None:
        """Make models ready."""
        for node in nodes:
            heappush(self._heaps[who], (self._place[node], node))

    def _wait(self, node: str, needs: Collection[str]) -> None:
        waits = self._waits[node] = {need for need in needs if need != node} - self.settled
        for need in waits:
            self._readers[need].append(node)
        if not waits:
            self.again([node])

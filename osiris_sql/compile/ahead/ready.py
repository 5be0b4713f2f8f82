"""Which models can be compiled now: those whose needs are settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush


class Ready:
    """The models that wait and those that are ready, in the order in which they will be asked for.

    `settled` are those that are known, or will not be.
    """

    def __init__(
        self, order: Sequence[str], needs: Mapping[str, Collection[str]], known: Collection[str] = ()
    ) -> None:
        self._place = {node: place for place, node in enumerate(order)}
        self._waits: dict[str, set[str]] = {}
        self._readers: dict[str, list[str]] = defaultdict(list)
        self._heap: list[tuple[int, str]] = []
        self._failed: set[str] = set()
        self.settled = {*known}
        for node in order:
            self._wait(node, needs[node])

    def __len__(self) -> int:
        return len(self._heap)

    def pop(self) -> str | None:
        """Return the next model that is ready, None while there is none."""
        while self._heap:
            _, node = heappop(self._heap)
            if node not in self.settled:
                return node
        return None

    def settle(self, node: str) -> None:
        """Note that a model is known: those that waited for it alone are ready."""
        self.settled.add(node)
        for reader in self._readers.pop(node, ()):
            self._waits[reader].discard(node)
            if not self._waits[reader]:
                self.again([reader])

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

    def again(self, nodes: Collection[str]) -> None:
        """Make models ready."""
        for node in nodes:
            heappush(self._heap, (self._place[node], node))

    def _wait(self, node: str, needs: Collection[str]) -> None:
        waits = self._waits[node] = {need for need in needs if need != node} - self.settled
        for need in waits:
            self._readers[need].append(node)
        if not waits:
            self.again([node])

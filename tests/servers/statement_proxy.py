"""A TCP proxy that counts a PostgreSQL client's statements and acts at one of them, before or after it."""

from collections.abc import Callable

from servers.line_proxy import LineProxy


class StatementProxy(LineProxy):
    """At statement number `at` it calls `act`; `after` waits for the server's answer, which is then lost."""

    def __init__(self, port: int, at: int, act: Callable[[], None], *, after: bool) -> None:
        super().__init__(port)
        self._at, self._act, self._after = at, act, after
        self._words, self._then = b"", 0
        self.statements, self.acted = 0, False

    def act_on(self, words: bytes, then: int = 0) -> None:
        """Act at the next statement with these words, or so many after it."""
        self._words, self._then = words, then

    def passes_up(self, block: bytes) -> bool:
        # A query is one message that starts with Q; rows of COPY start with d.
        if block[:1] != b"Q":
            return True
        self.statements += 1
        if self._words and self._words in block:
            self._at, self._words = self.statements + self._then, b""
        return self._after or self._passes()

    def passes_down(self, block: bytes) -> bool:
        return not self._after or self.acted or self._passes()

    def _passes(self) -> bool:
        if self.statements != self._at:
            return True
        self.acted = True
        self._act()
        return False

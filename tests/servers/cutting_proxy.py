"""A TCP proxy that cuts the line once, at the moment a test chooses."""

from servers.line_proxy import LineProxy


class CuttingProxy(LineProxy):
    """After the client's `word` it waits for the answer, and hangs up in its place."""

    def __init__(self, port: int, word: bytes) -> None:
        super().__init__(port)
        self._word, self.cuts = word, 0

    def passes_up(self, block: bytes) -> bool:
        if not self.cuts and self._word in block:
            self.cuts = 1
        return True

    def passes_down(self, block: bytes) -> bool:
        if self.cuts != 1:
            return True
        self.cuts = 2
        return False

"""Ports for servers of our own."""

import secrets
import socket
from contextlib import suppress

# Below those that connections get: between our look and the server's own, one of them could take the port.
FIRST, COUNT = 20_000, 12_000


def free_port() -> int:
    """Return a port that nobody listens on, and that the system gives to no connection meanwhile."""
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port

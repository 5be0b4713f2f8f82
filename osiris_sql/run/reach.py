"""Whether the server of a connection can be reached from here, by IPv4 and by IPv6 apart."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 5.0
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
PORTS = {"postgresql": 5432, "postgres": 5432, "https": 443, "http": 80, "mysql": 3306}


def find_address(type_: str, options: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return host and port of a connection's server, as its options say; None of files.

    `options` are resolved: `host` and `port`, or a URL or key=value string in `dsn` or `url`.
    """
    text = options.get("dsn") or options.get("url")
    if not isinstance(text, str):
        host = options.get("host")
        return (str(host), int(options.get("port") or PORTS.get(type_, 0))) if host else None
    if "://" not in text:
        found = dict(re.findall(r"(\w+)\s*=\s*'?([^\s']+)", text))
        return (found["host"], int(found.get("port", 5432))) if "host" in found else None
    split = urlsplit(text)
    return (split.hostname, split.port or PORTS.get(split.scheme, 0)) if split.hostname else None


def reach(host: str, port: int) -> dict[str, str]:
    """Return what each address family answered: an address that took the connection, or why none did."""
    return {name: _try(host, port, family) for name, family in FAMILIES.items()}


def _try(host: str, port: int, family: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except OSError:
        return "no address"
    said = ""
    for *_, address in found:
        try:
            with socket.create_connection((str(address[0]), port), timeout=TIMEOUT):
                return f"{address[0]} takes connections"
        except OSError as error:
            said = said or f"{address[0]}: {error.strerror or 'no answer'}"
    return said

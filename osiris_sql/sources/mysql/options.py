"""What a connection of type mysql may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osiris_sql.types.secret import Secret

Ssl = Literal["verify", "required", "preferred", "disabled"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to reach a MySQL or MariaDB server; `SELECT` on the tables is all that the user needs.

    `ssl`: `verify` demands TLS and a certificate for `host` signed by a known authority (`ssl_ca`
    names a file of one's own); `required` demands TLS, but anybody in the middle may answer;
    `preferred` uses TLS where the server offers it; `disabled` never does. Without it: `preferred`
    on this machine (localhost), else `verify`.
    `snapshot`: `consistent` reads all tables as of one instant; `none` each as it is when read.
    `connections` is how many read a large table at once, by ranges of its key: under `consistent` if they
    prove to see the same instant (MariaDB with a binary log), else one reads. `lock` fixes it by locking
    out writers for a moment, which takes the privilege RELOAD.
    `compress` packs what goes over the wire, where the server offers that: for slow lines; on fast ones it
    costs both sides more than it saves.
    Timeouts are in seconds; 0 is none. `read_timeout` is how long the server may stay silent,
    `statement_timeout` how long one table may take in all (the server ends it).
    """

    host: str
    database: str
    user: str
    password: Secret | None = None
    port: int = 3306
    ssl: Ssl | None = None
    ssl_ca: str | None = None
    connect_timeout: int = 10
    read_timeout: int = 300
    statement_timeout: int = 0
    snapshot: Literal["consistent", "lock", "none"] = "consistent"
    connections: int = 1
    compress: bool = False

    @property
    def tls(self) -> Ssl:
        """The TLS mode in force."""
        return self.ssl or ("preferred" if self.host in LOOPBACK else "verify")

"""What a connection of type postgres may say."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.types.secret import Secret


@dataclass(frozen=True, kw_only=True)
class PostgresOptions:
    """How to reach PostgreSQL, or Supabase as a source; `SELECT` on the tables is all that the user needs.

    `dsn` is a connection string, direct or of any pooler. Without `sslmode` in it a server on this machine
    may talk without TLS, Supabase must use it, and any other must show a certificate that this machine
    trusts. Timeouts are in seconds; 0 is none: `statement_timeout` is for one table in all, `lock_timeout`
    for one that somebody alters.
    """

    dsn: Secret
    schema: str = "public"
    connect_timeout: int = 10
    statement_timeout: int = 0
    lock_timeout: int = 30

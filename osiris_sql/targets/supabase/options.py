"""What a connection of type `supabase` may say."""

import base64
import json
from dataclasses import dataclass
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.secret import Secret


@dataclass(frozen=True, kw_only=True)
class SupabaseOptions:
    """Options of a Supabase target: `dsn` is its Postgres connection string (Connect → Session pooler);
    `url` and `secret_key` lead to the REST API. With both, `channel: auto` takes Postgres, and REST where
    nothing answers to Postgres when the plan is made; `postgres` and `rest` leave no choice.

    Over REST tables are made and changed by osiris-sql's functions, or over an SQL endpoint: with
    `access_token` (Account → Access Tokens) that of Supabase's Management API, or the one at `sql_url`.

    `atomic: false` allows that REST without osiris-sql's functions delivers in several transactions.

    `connect_timeout` in seconds; `lock_timeout` is how long to wait for somebody else's transaction,
    in seconds, before trying again; every `watchdog` seconds a delivery that waits looks whether the server
    still works for it. Raises ProjectError for a key that can't write.
    """

    url: str = ""
    secret_key: Secret | None = None
    dsn: Secret | None = None
    access_token: Secret | None = None
    sql_url: str = ""
    schema: str = "public"
    channel: Literal["auto", "postgres", "rest"] = "auto"
    connect_timeout: int = 10
    lock_timeout: int = 10
    watchdog: float = 20
    atomic: bool = True
    rest_max_rows: int = 500_000
    application_name: str = "osiris-sql"

    def __post_init__(self) -> None:
        role = key_role(self.secret_key.reveal()) if self.secret_key else "service_role"
        if role != "service_role":
            raise ProjectError(_weak_key(role))


def key_role(key: str) -> str:
    """Return the database role that an API key becomes, or "" for what is not a Supabase key."""
    if key.startswith("sb_secret_"):
        return "service_role"
    if key.startswith("sb_publishable_"):
        return "anon"
    parts = key.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return ""
    return str(claims.get("role", "")) if isinstance(claims, dict) else ""


def _weak_key(role: str) -> Diagnostic:
    fix = "use the secret key: Project Settings → API keys → sb_secret_…"
    if not role:
        message = "secret_key is not a Supabase API key"
        return Diagnostic(
            rule="not-a-key", message=message, why="neither sb_secret_… nor a JSON Web Token", fix=fix
        )
    return Diagnostic(
        rule="publishable-key",
        message=f'secret_key is a publishable key: it becomes the role "{role}"',
        why="under row-level security its writes report success with 0 rows",
        fix=fix,
    )

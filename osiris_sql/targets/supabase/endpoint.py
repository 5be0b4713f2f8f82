"""Where a connection string leads: which of Supabase's endpoints it is, and what is wrong with it."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic

Kind = Literal["direct", "session pooler", "transaction pooler", "dedicated pooler", "postgres"]

_DIRECT = re.compile(r"db\.([a-z0-9]+)\.supabase\.(?:co|com|in|red)$")
_POOLER = re.compile(r"\.pooler\.supabase\.(?:co|com)$")
SESSION_POOLER = (
    "use the session pooler's string (Connect → Session pooler): "
    "postgresql://postgres.<ref>:…@aws-N-<region>.pooler.supabase.com:5432/postgres"
)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server and database, without the password; `project` is Supabase's reference, or ""."""

    kind: Kind
    host: str
    port: str
    database: str
    user: str
    project: str = ""

    @property
    def identity(self) -> str:
        """The same text for every route to the same database of a Supabase project."""
        place = f"supabase:{self.project}" if self.project else f"{self.host}:{self.port}"
        return f"{place}/{self.database}"

    @property
    def pooled(self) -> bool:
        """Whether a pooler stands between: it forwards no startup options."""
        return "pooler" in self.kind


def read_endpoint(parameters: Mapping[str, str]) -> Endpoint:
    """Return the endpoint that the parsed parameters of a connection string lead to."""
    host, port = parameters.get("host", "localhost"), parameters.get("port", "5432")
    user = parameters.get("user", "")
    database = parameters.get("dbname", user or "postgres")
    direct = _DIRECT.search(host)
    project = direct[1] if direct else ""
    kind: Kind = "transaction pooler" if port == "6543" else "postgres"
    if direct:
        kind = "dedicated pooler" if port == "6543" else "direct"
    elif _POOLER.search(host):
        kind = "transaction pooler" if port == "6543" else "session pooler"
        project = user.partition(".")[2]
    return Endpoint(kind=kind, host=host, port=port, database=database, user=user, project=project)


def endpoint_mistakes(endpoint: Endpoint, parameters: Mapping[str, str]) -> list[Diagnostic]:
    """Return what can't work with this endpoint, seen from the connection string alone."""
    found = []
    if endpoint.pooled and "options" in parameters:
        found.append(
            Diagnostic(
                rule="options-through-pooler",
                message="the dsn says options=…, which a pooler refuses",
                why="poolers forward no startup options (unsupported startup parameter)",
                fix="take options=… out of the dsn; timeouts are set in the transaction anyway",
            )
        )
    if _POOLER.search(endpoint.host) and not endpoint.project:
        found.append(
            Diagnostic(
                rule="pooler-user",
                message=f'the dsn logs in to the pooler as "{endpoint.user}"',
                why="the shared pooler finds the project by the user's name",
                fix='write the user as "postgres.<project ref>"',
            )
        )
    return found


def unreachable(endpoint: Endpoint, text: str, families: frozenset[int]) -> Diagnostic:
    """Return why a connection failed; `text` is the driver's message, `families` those of the host."""
    message = f"can't connect to {endpoint.kind} {endpoint.host}:{endpoint.port}"
    for words, rule, fix in _REASONS:
        if words in text:
            return Diagnostic(rule=rule, message=message, why=text, fix=fix)
    if families == {socket.AF_INET6} and endpoint.kind in ("direct", "dedicated pooler"):
        why = f"{endpoint.host} has only an IPv6 address, and this machine did not reach it"
        return Diagnostic(rule="ipv6-only", message=message, why=why, fix=SESSION_POOLER)
    if not families and endpoint.kind == "direct":
        fix = f"check the project's reference and that it is not paused; without IPv6, {SESSION_POOLER}"
        return Diagnostic(rule="unknown-host", message=message, why=text, fix=fix)
    return Diagnostic(
        rule="unreachable", message=message, why=text, fix="check host, port and network, then try again"
    )


NOT_REACHED = {"ipv6-only", "unknown-host", "unreachable"}
"""The rules of `unreachable` that say that nothing answered; by the others a server did."""

_REASONS = (
    ("password authentication failed", "login-refused", "check user and password in the dsn"),
    ("no password supplied", "login-refused", "write the password into the dsn"),
    ("Wrong password", "login-refused", "check user and password in the dsn"),
    ("Tenant or user not found", "login-refused", 'write the user as "postgres.<project ref>"'),
    ("no pg_hba.conf entry", "login-refused", "add ?sslmode=require to the dsn, or allow this address"),
    ("unsupported startup parameter", "options-through-pooler", "take options=… out of the dsn"),
    ("does not support SSL", "no-tls", "say sslmode=disable in the dsn, if the network is safe"),
    ("certificate", "bad-certificate", "check sslrootcert and sslmode in the dsn"),
    ('" does not exist', "unknown-database", "check user and database name in the dsn"),
    ("FATAL", "refused-connection", "the server answered: see what it says, then try again"),
)


def host_families(host: str) -> frozenset[int]:
    """Return the address families that a host name resolves to; empty if it does not resolve."""
    try:
        return frozenset(int(entry[0]) for entry in socket.getaddrinfo(host, None))
    except OSError:
        return frozenset()

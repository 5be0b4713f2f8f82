"""The channels to a project's tables, and which of them a connection takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.types.diagnostic import Diagnostic, ProjectError

if TYPE_CHECKING:
    from osiris_sql.targets.supabase.postgres import PostgresChannel
    from osiris_sql.targets.supabase.rest.channel import RestChannel

Channel: TypeAlias = "PostgresChannel | RestChannel"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The channel that a connection takes; `not_reached` says why that is not Postgres, if it might be."""

    channel: str
    not_reached: tuple[Diagnostic, ...] = ()


def possible_channels(options: Mapping[str, object]) -> tuple[str, ...]:
    """Return the channels that the options lead to, best first; they may be as written, unresolved."""
    asked = options.get("channel", "auto")
    rest = options.get("url") and options.get("secret_key")
    found = {"postgres": options.get("dsn"), "rest": rest}
    return tuple(name for name, there in found.items() if there and asked in ("auto", name))


def open_channels(options: SupabaseOptions) -> dict[str, Channel]:
    """Return the possible channels by name, best first, none of them connected; raises ProjectError."""
    found: dict[str, Channel] = {}
    possible = possible_channels(vars(options))
    if not possible:
        raise ProjectError(_no_channel(options))
    if "postgres" in possible:
        from osiris_sql.targets.supabase.postgres import PostgresChannel

        found["postgres"] = PostgresChannel(options)
    if "rest" in possible:
        from osiris_sql.targets.supabase.rest.channel import RestChannel

        found["rest"] = RestChannel(options)
    places = {channel.endpoint() for channel in found.values()}
    if len(places) > 1 and all(place.startswith("supabase:") for place in places):
        raise ProjectError(_two_places(sorted(places)))
    return found


def choose_channel(channels: Mapping[str, Channel]) -> Choice:
    """Return Postgres where it is possible and answers; REST where nothing answers and REST is possible.

    Raises UnreachableError if a server answers with a refusal: another channel would only hide that.
    """
    first, *others = channels
    if not others:
        return Choice(channel=first)
    from osiris_sql.targets.supabase.connect import NotReachedError

    try:
        channels[first].probe()
    except NotReachedError as error:
        return Choice(channel=others[0], not_reached=error.diagnostics)
    return Choice(channel=first)


def foresee_channel(options: Mapping[str, object]) -> str:
    """Return in words which channel it will be, as far as that can be said without connecting."""
    possible = possible_channels(options)
    if len(possible) > 1:
        return f"channel: {possible[0]}, or {possible[1]} if nothing answers there: the run will look"
    return f"channel: {possible[0]}" if possible else ""


def over_rest(not_reached: Diagnostic) -> Diagnostic:
    """Return the warning that rows go over REST because nothing answered to Postgres."""
    return replace(
        not_reached,
        rule="over-rest",
        severity="warning",
        message=f"rows go over REST: {not_reached.message}",
        fix=f"{not_reached.fix}; channel: rest says that it is meant so",
    )


def not_planned(channel: str) -> Diagnostic:
    """Return that the plan's channel is none that the connection's options lead to here."""
    return Diagnostic(
        rule="another-channel",
        message=f"the plan delivers over channel {channel}, which this connection does not have here",
        why="a run never takes another channel than its plan",
        fix="set the same environment variables as for the plan, or make a new plan",
    )


def _two_places(places: list[str]) -> Diagnostic:
    return Diagnostic(
        rule="two-projects",
        message=f"dsn and url lead to two databases: {' and '.join(places)}",
        why="a delivery goes over the one where the other can't be reached",
        fix="correct one of them, or leave it out",
    )


def _no_channel(options: SupabaseOptions) -> Diagnostic:
    if options.channel == "rest":
        return Diagnostic(
            rule="no-rest-connection",
            message="url or secret_key is missing",
            why="channel: rest needs both",
            fix='url: "${SUPABASE_URL}" and secret_key: "${SUPABASE_SECRET_KEY}"',
        )
    return Diagnostic(
        rule="no-postgres-connection",
        message="this connection has no dsn",
        why="rows are delivered over a Postgres connection, or over REST with url and secret_key",
        fix='give dsn: "${SUPABASE_DB_URL}" (Connect → Session pooler), or url and secret_key',
    )

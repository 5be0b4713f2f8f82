"""The target: the channel that its options choose, once and for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec, TestOutcome
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import PlannedTest, Publish

if TYPE_CHECKING:
    from osiris_sql.targets.supabase.postgres import PostgresChannel
    from osiris_sql.targets.supabase.rest.channel import RestChannel


class Supabase:
    """Delivers to tables of a Supabase project, or of any PostgreSQL: over Postgres if there is a dsn,
    else over REST."""

    Options: ClassVar[type] = SupabaseOptions

    def __init__(self, options: SupabaseOptions, root: Path) -> None:
        self._channel = _open_channel(options)

    @staticmethod
    def bootstrap(schemas: Sequence[str]) -> str:
        """Return the SQL that makes publishing over REST into these schemas atomic."""
        from osiris_sql.targets.supabase.rest.bootstrap import bootstrap_sql

        return bootstrap_sql(schemas)

    def install(self, sql: str) -> None:
        """Run the bootstrap SQL in one transaction; raises ProjectError without a dsn."""
        self._channel.install(sql)

    def endpoint(self) -> str:
        """Return the project and database, or host, port and database."""
        return self._channel.endpoint()

    def probe(self) -> ProbeResult:
        """Connect and say what answered: version, role, channel, ledger."""
        return self._channel.probe()

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        found = self._channel.observe(publication)
        if not publication.tests or hasattr(self._channel, "ask"):
            return found
        return replace(found, diagnostics=(*found.diagnostics, _no_tests(publication.tests[0].location)))

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table still holds what that load delivered, by counting its rows."""
        return self._channel.holds(publication, load_id)

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what delivering the spool file would change, and change nothing."""
        return self._channel.compare(publication, load, samples)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return each value in the channel's spelling."""
        return self._channel.spool(publication)

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file; what is returned was read afterwards, apart from the delivery."""
        return self._channel.publish(publication, load, progress)

    def ask(self, test: PlannedTest, sample: int) -> TestOutcome:
        """Return what a data test finds in the table; raises ProjectError without a dsn."""
        ask: Callable[[PlannedTest, int], TestOutcome] | None = getattr(self._channel, "ask", None)
        if ask is None:
            raise ProjectError(_no_tests(test.location))
        return ask(test, sample)

    def interrupt(self) -> None:
        """Stop what runs and try nothing again."""
        self._channel.interrupt()


def _open_channel(options: SupabaseOptions) -> PostgresChannel | RestChannel:
    if options.dsn and options.channel != "rest":
        from osiris_sql.targets.supabase.postgres import PostgresChannel

        return PostgresChannel(options)
    if options.url and options.secret_key and options.channel != "postgres":
        from osiris_sql.targets.supabase.rest.channel import RestChannel

        return RestChannel(options)
    raise ProjectError(_no_way(options))


def _no_way(options: SupabaseOptions) -> Diagnostic:
    if options.channel == "rest":
        why, fix = (
            "channel: rest needs both",
            'url: "${SUPABASE_URL}" and secret_key: "${SUPABASE_SECRET_KEY}"',
        )
        return Diagnostic(rule="no-rest-connection", message="url or secret_key is missing", why=why, fix=fix)
    fix = 'give dsn: "${SUPABASE_DB_URL}" (Connect → Session pooler), or url and secret_key'
    return Diagnostic(
        rule="no-postgres-connection",
        message="this connection has no dsn",
        why="rows are delivered over a Postgres connection, or over REST with url and secret_key",
        fix=fix,
    )


def _no_tests(location: Location) -> Diagnostic:
    return Diagnostic(
        rule="untestable-target",
        message="data tests on what arrived need a Postgres connection",
        location=location,
        why="over REST a query can't be asked",
        fix='give dsn: "${SUPABASE_DB_URL}", or declare the test on the model',
    )

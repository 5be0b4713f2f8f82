"""The target: each call goes to the channel of the plan, or to the one that answers when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, cast

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec, TestOutcome
from osiris_sql.targets.supabase.channel import (
    Channel,
    Choice,
    choose_channel,
    foresee_channel,
    not_planned,
    open_channels,
    over_rest,
)
from osiris_sql.targets.supabase.endpoint import NOT_REACHED
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, UnreachableError
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import PlannedTest, Publish

if TYPE_CHECKING:
    from osiris_sql.targets.supabase.postgres import PostgresChannel


class Supabase:
    """Delivers to tables of a Supabase project, or of any PostgreSQL: over Postgres if there is a dsn,
    else over REST; with `channel: auto` and both, over REST where nothing answers to Postgres."""

    Options: ClassVar[type] = SupabaseOptions

    def __init__(self, options: SupabaseOptions, root: Path) -> None:
        self._channels = open_channels(options)
        self._choosing = Lock()
        self._choice: Choice | None = None

    @staticmethod
    def bootstrap(schemas: Sequence[str]) -> str:
        """Return the SQL that makes publishing over REST into these schemas atomic."""
        from osiris_sql.targets.supabase.rest.bootstrap import bootstrap_sql

        return bootstrap_sql(schemas)

    @staticmethod
    def foresee(options: Mapping[str, object]) -> str:
        """Return which channel it will be, from the options as they are written."""
        return foresee_channel(options)

    def install(self, sql: str) -> None:
        """Run the bootstrap SQL in one transaction; raises ProjectError without a dsn or SQL endpoint."""
        self._channels[self._choose().channel].install(sql)

    def endpoint(self) -> str:
        """Return the project and database, or host, port and database; of the dsn where there is one."""
        return next(iter(self._channels.values())).endpoint()

    def probe(self) -> ProbeResult:
        """Connect and say what answered: version, role, channel, ledger."""
        chosen = self._choose()
        found = self._channels[chosen.channel].probe()
        return replace(found, warnings=tuple(map(over_rest, chosen.not_reached)))

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        chosen = self._choose(publication.channel)
        try:
            found = self._channels[chosen.channel].observe(publication)
        except UnreachableError as error:
            planned = publication.channel and len(self._channels) > 1
            failed = map(_never_switches, error.diagnostics) if planned else error.diagnostics
            raise UnreachableError(*chosen.not_reached, *failed) from None
        said = [*found.diagnostics, *map(over_rest, chosen.not_reached)]
        if publication.tests and found.channel == "rest":
            said.append(_no_tests(publication, chosen))
        why = (f"Postgres was not reached: {d.message}; {d.why}" for d in chosen.not_reached)
        return replace(found, notes=(*found.notes, *why), diagnostics=tuple(said))

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table still holds what that load delivered, by counting its rows."""
        return self._channel(publication).holds(publication, load_id)

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what delivering the spool file would change, and change nothing."""
        return self._channel(publication).compare(publication, load, samples)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return each value in the channel's spelling."""
        return self._channel(publication).spool(publication)

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file; what is returned was read afterwards, apart from the delivery."""
        return self._channel(publication).publish(publication, load, progress)

    def ask(self, test: PlannedTest, sample: int) -> TestOutcome:
        """Return what a data test finds in the table; raises ProjectError without a dsn."""
        if "postgres" not in self._channels:
            raise ProjectError(_no_tests(test, Choice(channel="rest")))
        return cast("PostgresChannel", self._channels["postgres"]).ask(test, sample)

    def interrupt(self) -> None:
        """Stop what runs and try nothing again."""
        for channel in self._channels.values():
            channel.interrupt()

    def _channel(self, publication: Publish) -> Channel:
        return self._channels[self._choose(publication.channel).channel]

    def _choose(self, planned: str = "") -> Choice:
        """The channel of the plan, which is never left; without one that which answers, from then on."""
        if planned:
            if planned not in self._channels:
                raise ProjectError(not_planned(planned))
            return Choice(channel=planned)
        with self._choosing:
            self._choice = self._choice or choose_channel(self._channels)
            return self._choice


def _never_switches(found: Diagnostic) -> Diagnostic:
    if found.rule not in NOT_REACHED:
        return found
    fix = f"{found.fix}; a run never leaves the channel of its plan: make a new plan here to look again"
    return replace(found, fix=fix)


def _no_tests(asked: PlannedTest | Publish, chosen: Choice) -> Diagnostic:
    location = asked.tests[0].location if isinstance(asked, Publish) else asked.location
    reason = "".join(f"; Postgres was not reached: {d.message}" for d in chosen.not_reached)
    return Diagnostic(
        rule="untestable-target",
        message="data tests on what arrived need a Postgres connection",
        location=location,
        why=f"over REST a query can't be asked{reason}",
        fix='give dsn: "${SUPABASE_DB_URL}", or declare the test on the model',
    )

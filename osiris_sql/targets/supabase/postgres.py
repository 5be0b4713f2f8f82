"""The Postgres channel: one atomic, verified delivery in a transaction, tried again where that is right."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any, TypeVar

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec, TestOutcome
from osiris_sql.support.one_line import one_line
from osiris_sql.targets._modes import raise_all
from osiris_sql.targets.supabase.backoff import pause
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.preflight import publication_mistakes
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import CancelledError, Diagnostic, OsirisError, StepError, UnreachableError
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import PlannedTest, Publish
from osiris_sql.types.relation import quote_identifier

T = TypeVar("T")
ATTEMPTS = 5
_PROBE = """
SELECT current_setting('server_version'), current_user::text,
       (SELECT rolbypassrls OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
       to_regclass('osiris.publications') IS NOT NULL"""


class PostgresChannel:
    """Delivers over a Postgres connection; the server is PostgreSQL 12 or later."""

    def __init__(self, options: SupabaseOptions) -> None:
        from osiris_sql.targets.supabase.connect import parse_options

        self._options = options
        self._endpoint, self._parameters, self._redact = parse_options(options)
        self._open: set[Any] = set()
        self._stop = Event()

    def endpoint(self) -> str:
        """Return the project and database, or host, port and database."""
        return self._endpoint.identity

    def probe(self) -> ProbeResult:
        """Connect and say what answered: version, role, endpoint, ledger."""
        failed = Diagnostic(rule="probe-failed", message="the server answered with an error")
        with self._failing(UnreachableError, failed), self._transaction(read_only=True) as cursor:
            cursor.execute(_PROBE)
            version, role, bypasses, ledger = cursor.fetchone()
        facts = {
            "endpoint": self._endpoint.kind,
            "role": f"{role} ({'bypasses' if bypasses else 'under'} row-level security)",
            "ledger": "osiris.publications" if ledger else "not made yet",
            "channel": "postgres",
        }
        return ProbeResult(server=f"PostgreSQL {version}", facts=facts)

    def install(self, sql: str) -> None:
        """Run the bootstrap SQL in one transaction; raises UnreachableError with the server's words."""
        failed = Diagnostic(rule="bootstrap-failed", message="the server refused the SQL")
        with self._failing(UnreachableError, failed), self._transaction() as cursor:
            cursor.execute(sql)

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        from osiris_sql.targets.supabase.observe import observe_table

        def look() -> ObservedTarget:
            with self._transaction(read_only=True) as cursor:
                return observe_table(cursor, publication, self._schema(publication))

        return self._retrying(publication, look, lambda rows, message: None, patient=False)

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table still holds what that load delivered, by counting its rows."""
        from osiris_sql.targets.supabase.observe import holds_load

        def look() -> bool:
            with self._transaction(read_only=True) as cursor:
                return holds_load(cursor, publication, self._schema(publication), load_id)

        return self._retrying(publication, look, lambda rows, message: None, patient=False)

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what delivering the spool file would change, from a read-only transaction."""
        from osiris_sql.targets.supabase.copying import refuse_nul
        from osiris_sql.targets.supabase.delivery import Delivery
        from osiris_sql.targets.supabase.difference import find_difference

        raise_all(publication_mistakes(publication))
        refuse_nul(publication, load.path)
        schema = self._schema(publication)
        delivery = Delivery(publication=publication, load=load, schema=schema, stop=self._stop)

        def look() -> Difference:
            with self._transaction() as cursor:
                return find_difference(cursor, delivery, samples)

        return self._retrying(publication, look, lambda rows, message: None)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return CSV in PostgreSQL's spelling of each value."""
        raise_all(publication_mistakes(publication))
        projection, quoted = [], []
        for column in publication.columns:
            made, name = postgres_type(column.type), quote_identifier(column.name)
            assert made is not None
            projection.append(f"{made.projection.replace('{c}', name)} AS {name}")
            if made.quoted:
                quoted.append(name)
        # An unquoted \. alone on a line would end COPY without an error.
        force = f", FORCE_QUOTE ({', '.join(quoted)})" if quoted else ""
        options = rf"HEADER false, NULL '\N'{force}"
        # A table's own identity column numbers the rows as they come; those with a key need none.
        ordered = not publication.key
        return SpoolSpec(kind="csv", projection=tuple(projection), options=options, ordered=ordered)

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file in one transaction; what is returned was read on a fresh connection."""
        from osiris_sql.targets.supabase.ask import ask_rows
        from osiris_sql.targets.supabase.copying import refuse_nul
        from osiris_sql.targets.supabase.deliver import deliver, read_back
        from osiris_sql.targets.supabase.delivery import Delivery
        from osiris_sql.targets.supabase.offender import find_offender

        raise_all(publication_mistakes(publication))
        refuse_nul(publication, load.path)
        delivery = Delivery(
            id=str(uuid.uuid4()),
            publication=publication,
            load=load,
            schema=self._schema(publication),
            progress=progress,
            stop=self._stop,
        )

        def attempt() -> bool:
            with self._transaction() as cursor:
                delivered = deliver(cursor, delivery)
                if load.audit:
                    load.audit(partial(ask_rows, cursor))
                return delivered

        def verify() -> Published:
            with self._transaction(read_only=True) as cursor:
                return read_back(cursor, delivery, delivered=delivered)

        def offender(error: Any) -> str:
            return find_offender(error, delivery, self._transaction())

        delivered = self._retrying(publication, attempt, progress, offender=offender)
        progress(load.rows, "reading back")
        return self._retrying(publication, verify, progress)

    def ask(self, test: PlannedTest, sample: int) -> TestOutcome:
        """Return what a data test finds; raises StepError with the server's words."""
        from osiris_sql.targets.supabase.ask import ask_rows

        message = f"the data test {test.name} could not be asked"
        failed = Diagnostic(rule="test-error", message=message, location=test.location)
        with self._failing(StepError, failed), self._transaction(read_only=True) as cursor:
            return ask_rows(cursor, test, sample)

    def interrupt(self) -> None:
        """Cancel what runs on the server and try nothing again."""
        import psycopg2

        self._stop.set()
        for connection in list(self._open):
            with suppress(psycopg2.Error):  # it may have ended by itself in between
                connection.cancel()

    def _schema(self, publication: Publish) -> str:
        return publication.schema or self._options.schema

    @contextmanager
    def _failing(self, error: type[OsirisError], failed: Diagnostic) -> Iterator[None]:
        """Raise `error` with the server's words for whatever it answers with."""
        import psycopg2

        try:
            yield
        except psycopg2.Error as said:
            raise error(replace(failed, why=self._redact(one_line(said)))) from None

    @contextmanager
    def _transaction(self, *, read_only: bool = False) -> Iterator[Any]:
        from osiris_sql.targets.supabase.connect import connect, transaction

        ask = partial(connect, self._endpoint, self._parameters, self._options)
        connection = ask()
        self._open.add(connection)
        try:
            with transaction(connection, self._options, ask, read_only=read_only) as cursor:
                yield cursor
        finally:
            self._open.discard(connection)
            connection.close()

    def _retrying(
        self,
        publication: Publish,
        action: Callable[[], T],
        progress: Callable[[int, str], None],
        *,
        patient: bool = True,
        offender: Callable[[Any], str] = lambda error: "",
    ) -> T:
        """Do something again while that may help; who is not patient takes an unreachable server as it is.

        `offender` says which row a psycopg2.Error is about.
        """
        import psycopg2

        from osiris_sql.targets.supabase.connect import TransientError
        from osiris_sql.targets.supabase.failure import explain, is_transient

        for attempt in range(1, ATTEMPTS + 1):
            try:
                return action()
            except (psycopg2.Error, TransientError) as error:
                if self._stop.is_set():
                    raise CancelledError(
                        Diagnostic(rule="cancelled", message="publishing was interrupted")
                    ) from None
                unreachable = isinstance(error, TransientError)
                if attempt == ATTEMPTS or not is_transient(error) or (unreachable and not patient):
                    if isinstance(error, TransientError):
                        raise
                    raise StepError(explain(error, publication, self._redact, offender(error))) from None
            delay = pause(attempt)
            progress(0, f"attempt {attempt} failed, trying again in {delay:.1f} s")
            self._stop.wait(delay)
        raise AssertionError("the last attempt returns or raises")

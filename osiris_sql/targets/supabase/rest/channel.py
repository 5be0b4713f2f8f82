"""The REST channel: atomic through osiris-sql's functions; without them only what is safe is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec
from osiris_sql.support.secrets import Redactor, secret_values
from osiris_sql.targets._modes import raise_all, refusal
from osiris_sql.targets.supabase.create import grant_statements
from osiris_sql.targets.supabase.observe import observed_table
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.preflight import publication_mistakes
from osiris_sql.targets.supabase.rest import functions, plain, tables
from osiris_sql.targets.supabase.rest.bodies import field_rows, json_rows
from osiris_sql.targets.supabase.rest.bootstrap import VERSION
from osiris_sql.targets.supabase.rest.difference import find_difference
from osiris_sql.targets.supabase.rest.plain_difference import compare_rows
from osiris_sql.targets.supabase.rest.refusals import explain_rest, unreachable_rest
from osiris_sql.targets.supabase.rest.sql_endpoint import SqlEndpoint, sql_address
from osiris_sql.targets.supabase.rest.table_changes import PATIENCE
from osiris_sql.targets.supabase.rest.wire import Rest, RestError, api_identity
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, StepError, UnreachableError
from osiris_sql.types.difference import Difference
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import quote_identifier


class RestChannel:
    """Delivers over a project's REST API with its secret key."""

    def __init__(self, options: SupabaseOptions) -> None:
        self._options, self._stop = options, Event()
        self._redact = Redactor(secret_values(options))
        self._has_functions: bool | None = None

    def endpoint(self) -> str:
        """Return the project and database."""
        return api_identity(self._options.url)

    def probe(self) -> ProbeResult:
        """Ask whether key and functions are good."""
        with self._connected() as rest:
            installed = self._functions(rest)
        words = "installed: publishing is atomic" if installed else "missing: osiris-sql doctor --bootstrap"
        facts = {"endpoint": "REST API", "channel": "rest", "functions": words}
        if address := sql_address(self._options):
            facts["sql"] = address
        return ProbeResult(server="Supabase REST API", facts=facts)

    def install(self, sql: str) -> None:
        """Run the bootstrap SQL over the SQL endpoint and wait until REST knows the functions.

        Raises ProjectError where there is none, UnreachableError with the server's words.
        """
        if not sql_address(self._options):
            fix = (
                "paste it into the SQL editor of the Dashboard, or give the connection a dsn or access_token"
            )
            message = "the bootstrap SQL can't be run over REST"
            raise ProjectError(Diagnostic(rule="no-postgres-connection", message=message, fix=fix))
        with self._connected() as rest, self._endpoint() as endpoint:
            assert endpoint is not None  # it has an address
            endpoint.run(sql)
            until = time.monotonic() + PATIENCE
            while not _find_functions(rest):
                if time.monotonic() > until:
                    message = "the functions are installed, but the API does not know them yet"
                    fix = "wait a minute, or NOTIFY pgrst, 'reload schema' in the SQL editor"
                    raise UnreachableError(Diagnostic(rule="stale-schema-cache", message=message, fix=fix))
                rest.pause(0.2)
            self._has_functions = None

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        schema = self._schema(publication)
        with self._connected(publication) as rest:
            if not self._functions(rest):
                with self._endpoint() as endpoint:
                    return plain.observe(rest, publication, schema, self._options, endpoint)
            found = functions.find_table(rest, schema, publication.table)
        latest = None
        if found and found.last:
            whole = publication.mode == "append" or found.last["total_after"] == found.rows
            latest = found.last["load_id"] if whole else None
            latest = found.series.get(publication.series, latest)
        note = "channel: rest, through osiris-sql's functions"
        made = grant_statements(
            f"{quote_identifier(schema)}.{quote_identifier(publication.table)}", service=True
        )
        return observed_table(
            publication,
            schema,
            found.table if found else None,
            latest,
            (note,),
            channel="rest",
            alterable=True,
            opening=made,
        )

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table's last load is that one: observing has counted its rows."""
        return self.observe(publication).latest_load == load_id

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what delivering the spool file would change; plain tables are read, if they are small."""
        raise_all(publication_mistakes(publication))
        self._refuse_many(publication, load)
        schema = self._schema(publication)
        with self._connected(publication) as rest:
            if self._functions(rest):
                return find_difference(rest, publication, load, schema, samples)
            with self._endpoint() as endpoint:
                seen = plain.observe(rest, publication, schema, self._options, endpoint)
            raise_all(seen.diagnostics)
            return compare_rows(rest, publication, load, samples, seen.ddl)

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return how rows are written: as fields for the functions, as JSON for plain tables."""
        raise_all(publication_mistakes(publication))
        with self._connected(publication) as rest:
            return field_rows(publication) if self._functions(rest) else json_rows(publication)

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file; what is returned was read by another request."""
        raise_all(publication_mistakes(publication))
        self._refuse_many(publication, load)
        schema = self._schema(publication)
        with self._connected(publication) as rest:
            if self._functions(rest):
                return functions.publish_staged(rest, publication, load, schema, progress)
            with self._endpoint() as endpoint:
                return tables.publish(rest, publication, load, schema, self._options, endpoint, progress)

    def interrupt(self) -> None:
        """Send nothing more."""
        self._stop.set()

    def _schema(self, publication: Publish) -> str:
        return publication.schema or self._options.schema

    def _functions(self, rest: Rest) -> bool:
        """Say whether the functions are there; raises UnreachableError for those of another version."""
        # Asked once: the spool file is written for the one way or the other.
        if self._has_functions is None:
            self._has_functions = _find_functions(rest)
        return self._has_functions

    def _refuse_many(self, publication: Publish, load: Load) -> None:
        limit = self._options.rest_max_rows
        if load.rows > limit:
            message = f"{load.rows} rows are too many for the REST channel, which takes {limit}"
            why = "applying them must end within the API's minute"
            fix = "give the connection a dsn (Connect → Session pooler); rest_max_rows raises the limit"
            raise StepError(refusal(publication, "too-many-for-rest", message, why=why, fix=fix))

    @contextmanager
    def _connected(self, publication: Publish | None = None) -> Iterator[Rest]:
        rest = Rest(self._options, self._stop)
        try:
            yield rest
        except RestError as error:
            if error.status in (0, 401) or publication is None:
                raise UnreachableError(unreachable_rest(error, self._options.url, self._redact)) from None
            raise StepError(explain_rest(error, publication, self._redact)) from None
        finally:
            with suppress(Exception):  # what was delivered is known by now; a failure before must be told
                rest.close()

    @contextmanager
    def _endpoint(self) -> Iterator[SqlEndpoint | None]:
        if not sql_address(self._options):
            yield None
            return
        endpoint = SqlEndpoint(self._options, self._stop)
        try:
            yield endpoint
        finally:
            with suppress(Exception):  # as above
                endpoint.close()


def _find_functions(rest: Rest) -> bool:
    try:
        found = rest.call("osiris_version", {})
    except RestError as error:
        if error.status != 404:
            raise
        return False
    if found != VERSION:
        raise UnreachableError(_other_version(found))
    return True


def _other_version(found: object) -> Diagnostic:
    older = isinstance(found, int) and found < VERSION
    fix = "run osiris-sql doctor --bootstrap --install, or paste what doctor --bootstrap prints"
    return Diagnostic(
        rule="other-functions",
        message=f"osiris-sql's functions are version {found} there, this osiris-sql needs {VERSION}",
        why="an older osiris-sql installed them" if older else "a newer osiris-sql installed them",
        fix=fix if older else "upgrade this osiris-sql",
    )

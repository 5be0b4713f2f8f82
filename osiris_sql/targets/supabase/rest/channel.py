"""The REST channel: atomic through osiris-sql's functions; without them only what is safe is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from osiris_sql.protocols import Load, ProbeResult, Published, SpoolSpec
from osiris_sql.support.secrets import Redactor, secret_values
from osiris_sql.targets._modes import raise_all, refusal
from osiris_sql.targets.supabase.observe import observed_table
from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.targets.supabase.preflight import publication_mistakes
from osiris_sql.targets.supabase.rest import functions, tables
from osiris_sql.targets.supabase.rest.bodies import json_rows
from osiris_sql.targets.supabase.rest.refusals import explain_rest, unreachable_rest
from osiris_sql.targets.supabase.rest.wire import Rest, RestError, api_identity
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, StepError, UnreachableError
from osiris_sql.types.observed import ObservedTarget
from osiris_sql.types.plan import Publish

_NOBODY = "00000000-0000-0000-0000-000000000000"


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
        return ProbeResult(server="Supabase REST API", facts=facts)

    def install(self, sql: str) -> None:
        """Refuse: no table or function can be made over REST."""
        fix = "paste it into the SQL editor of the Dashboard, or give the connection a dsn"
        message = "the bootstrap SQL can't be run over REST"
        raise ProjectError(Diagnostic(rule="no-postgres-connection", message=message, fix=fix))

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the table as it is now, with everything that keeps the publication from arriving."""
        schema = self._schema(publication)
        with self._connected(publication) as rest:
            if not self._functions(rest):
                return tables.observe(rest, publication, schema, self._options)
            found = functions.find_table(rest, schema, publication.table)
        latest = None
        if found and found.last:
            whole = publication.mode == "append" or found.last["total_after"] == found.rows
            latest = found.last["load_id"] if whole else None
        note = "channel: rest, through osiris-sql's functions"
        table = found.table if found else None
        return observed_table(publication, schema, table, latest, (note,), channel="rest", alterable=False)

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table's last load is that one: observing has counted its rows."""
        return self.observe(publication).latest_load == load_id

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return a JSON object for each row."""
        raise_all(publication_mistakes(publication))
        with self._connected(publication) as rest:
            return json_rows(publication, nested_as_text=self._functions(rest))

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file; what is returned was read by another request."""
        raise_all(publication_mistakes(publication))
        self._refuse_many(publication, load)
        schema = self._schema(publication)
        with self._connected(publication) as rest:
            if self._functions(rest):
                return functions.publish_staged(rest, publication, load, schema, progress)
            return tables.publish(rest, publication, load, schema, self._options, progress)

    def interrupt(self) -> None:
        """Send nothing more."""
        self._stop.set()

    def _schema(self, publication: Publish) -> str:
        return publication.schema or self._options.schema

    def _functions(self, rest: Rest) -> bool:
        if self._has_functions is None:
            try:
                rest.call("osiris_receipt", {"p_delivery": _NOBODY})
                self._has_functions = True
            except RestError as error:
                if error.status != 404:
                    raise
                self._has_functions = False
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
            rest.close()

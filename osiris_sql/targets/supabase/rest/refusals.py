"""What the REST API refused, in the words of the person at the keyboard."""

from osiris_sql.support.secrets import Redactor
from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.failure import Said, explain_words
from osiris_sql.targets.supabase.rest.sql_endpoint import SqlEndpointError
from osiris_sql.targets.supabase.rest.wire import RestError
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.plan import Publish


def unreachable_rest(error: RestError, url: str, redact: Redactor) -> Diagnostic:
    """Return why the API can't be used at all."""
    if isinstance(error, SqlEndpointError):
        message = "can't use the SQL endpoint"
        fix = "check access_token (Account → Access Tokens → sbp_…) and sql_url"
        return Diagnostic(rule="sql-endpoint-refused", message=message, why=redact(error.message), fix=fix)
    message = f"can't use the REST API at {url}"
    if error.status == 401:
        fix = "check url and secret_key: Project Settings → API keys → sb_secret_…"
        return Diagnostic(rule="login-refused", message=message, why=redact(error.message), fix=fix)
    fix = "check the url, that the project is not paused, and the network; then try again"
    why = redact(f"{error.message} {error.hint or ''}".strip())
    return Diagnostic(rule="unreachable", message=message, why=why, fix=fix)


def explain_rest(error: RestError, publication: Publish, redact: Redactor) -> Diagnostic:
    """Return the diagnostic of an error that the API or the database behind it answered with."""
    why = redact("; ".join(fact for fact in (error.message, error.details, error.hint) if fact))
    if error.code == "PGRST106":
        fix = "add the schema to Project Settings → API → Exposed schemas, or give the connection a dsn"
        return refusal(publication, "unexposed-schema", "REST does not serve the schema", why=why, fix=fix)
    end = "rows of earlier requests were written" if error.kept else "nothing was changed"
    if error.code == "57014":
        fix = "give the connection a dsn: there is no time limit over Postgres"
        message = f"the API's time was over; {end}"
        return refusal(publication, "statement-cancelled", message, why=why, fix=fix)
    if error.passing or error.code.startswith("PGRST") or not error.code:
        message = f"the API answered with status {error.status}; it is safe to publish again"
        fix = "try again later; `osiris-sql doctor` says what answers"
        return refusal(publication, "rest-error", message, why=why, fix=fix)
    said = Said(
        code=error.code, message=error.message, detail=error.details, hint=error.hint, place=error.row
    )
    return explain_words(said, publication, redact, end)

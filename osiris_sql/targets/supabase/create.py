"""Makes a table that is missing: typed, keyed, closed to anonymous readers, known to the REST server."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier

RELOAD = "NOTIFY pgrst, 'reload schema'"


def create_statements(publication: Publish, schema: str) -> list[str]:
    """Return the DDL of a publication's table with its key; what opens it to the service comes after."""
    return [*table_statements(publication, schema), *key_statements(publication, schema)]


def key_statements(publication: Publish, schema: str) -> list[str]:
    """Return the DDL of the table's key: over rows that are there it costs half of what each row would."""
    if not publication.key:
        return []
    key = ", ".join(map(quote_identifier, publication.key))
    table = f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"
    return [f"ALTER TABLE {table} ADD PRIMARY KEY ({key})"]


def table_statements(publication: Publish, schema: str) -> list[str]:
    """Return the DDL of a publication's table without its key."""
    table = f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"
    body = ",\n  ".join(_line(column, publication.key) for column in publication.columns)
    # Without row-level security a table is open to whoever knows the publishable key.
    made = [f"CREATE TABLE {table} (\n  {body}\n)", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"]
    if publication.description:
        made.append(comment_statement(table, publication.description))
    return made + [
        comment_statement(table, column.description, column.name)
        for column in publication.columns
        if column.description
    ]


def comment_statement(table: str, text: str, column: str = "") -> str:
    """Return the DDL that describes a table, given its quoted name, or one of its columns."""
    place = f"COLUMN {table}.{quote_identifier(column)}" if column else f"TABLE {table}"
    return f"COMMENT ON {place} IS {_literal(text)}"


def grant_statements(table: str, *, service: bool) -> list[str]:
    """Return what opens a table to the service, where its role exists, and tells the REST server of it."""
    grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO service_role"
    return [grant, RELOAD] if service else [RELOAD]


def has_service(cursor: Cursor) -> bool:
    """Say whether the role that a secret key becomes exists."""
    cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'service_role')")
    row = cursor.fetchone()
    assert row is not None
    return row[0] is True


def create_table(cursor: Cursor, publication: Publish, schema: str) -> None:
    """Create the publication's table but for its key, grant it to service_role, tell the REST server."""
    cursor.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,))
    if not cursor.fetchone():
        raise StepError(
            refusal(
                publication,
                "unknown-schema",
                f'the schema "{schema}" does not exist',
                fix=f"CREATE SCHEMA {quote_identifier(schema)}, or name another one",
            )
        )
    table = f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"
    grants = grant_statements(table, service=has_service(cursor))
    for statement in [*table_statements(publication, schema), *grants]:
        cursor.execute(statement)


def _line(column: Column, key: tuple[str, ...]) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    required = " NOT NULL" if column.name in key or not column.nullable else ""
    return f"{quote_identifier(column.name)} {made.name}{required}"


def _literal(text: str) -> str:
    # E'' says that the backslash is an escape, whatever the server's settings say.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

"""Makes a table that is missing: typed, keyed, closed to anonymous readers, known to the REST server."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, quote_identifier


def create_statements(publication: Publish, schema: str) -> list[str]:
    """Return the DDL of a publication's table, in order; grants are added where the role exists."""
    table = f"{quote_identifier(schema)}.{quote_identifier(publication.table)}"
    lines = [_line(column, publication.key) for column in publication.columns]
    if publication.key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quote_identifier, publication.key))})")
    body = ",\n  ".join(lines)
    # Without row-level security a table is open to whoever knows the publishable key.
    made = [f"CREATE TABLE {table} (\n  {body}\n)", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"]
    if publication.description:
        made.append(f"COMMENT ON TABLE {table} IS {_literal(publication.description)}")
    made += [
        f"COMMENT ON COLUMN {table}.{quote_identifier(column.name)} IS {_literal(column.description)}"
        for column in publication.columns
        if column.description
    ]
    return made


def create_table(cursor: Cursor, publication: Publish, schema: str) -> None:
    """Create the publication's table, grant it to service_role, tell the REST server."""
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
    for statement in create_statements(publication, schema):
        cursor.execute(statement)
    grant_table(cursor, f"{quote_identifier(schema)}.{quote_identifier(publication.table)}")


def grant_table(cursor: Cursor, table: str) -> None:
    """Open a table to the service, where there is one, and tell the REST server that it has changed."""
    cursor.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'service_role'")
    if cursor.fetchone():
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO service_role")
    cursor.execute("NOTIFY pgrst, 'reload schema'")


def _line(column: Column, key: tuple[str, ...]) -> str:
    made = postgres_type(column.type)
    assert made is not None  # checked by publication_mistakes
    required = " NOT NULL" if column.name in key or not column.nullable else ""
    return f"{quote_identifier(column.name)} {made.name}{required}"


def _literal(text: str) -> str:
    # E'' says that the backslash is an escape, whatever the server's settings say.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

"""What a publication and a table have against each other, found before anything is written."""

from collections.abc import Iterator

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.targets._modes import mode_mistakes, refusal
from osiris_sql.targets.supabase.catalog import Table
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.plan import Publish

_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence"}
_NEEDS = {"append": ("SELECT", "INSERT"), "upsert": ("SELECT", "INSERT", "UPDATE")}
_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
_JSONB = "jsonb keeps no order of keys, and the last of those that repeat (json keeps all)"
_NOTES = {
    "PostgreSQL keeps microseconds, a value with nanoseconds is refused": ("TIMESTAMP_NS", "TIME_NS"),
    _JSONB: ("JSON",),
}


def publication_mistakes(publication: Publish) -> list[Diagnostic]:
    """Return what is wrong whatever the table looks like: mode, key, types, names too long."""
    found = mode_mistakes(publication)
    names = [publication.table, publication.schema or "", *(c.name for c in publication.columns)]
    found += [
        refusal(
            publication,
            "long-identifier",
            f'the name "{name}" has {len(name.encode())} bytes, PostgreSQL cuts it after 63',
            fix="shorten it with an alias",
        )
        for name in names
        if len(name.encode()) > 63
    ]
    found += [
        refusal(
            publication,
            "unsupported-type",
            f'the column "{column.name}" is {column.type}, which has no exact form in PostgreSQL',
            fix="cast it in the model, for example to VARCHAR",
        )
        for column in publication.columns
        if not postgres_type(column.type)
    ]
    return found


def publication_notes(publication: Publish, table: Table | None = None) -> tuple[str, ...]:
    """Return what a person should know of the columns' types, with the table if it was looked at."""
    found = {said: [c.name for c in publication.columns if c.type in types] for said, types in _NOTES.items()}
    if table:
        are_jsonb = {column.name for column in table.columns if column.type == "jsonb"}
        found[_JSONB] = [name for name in found[_JSONB] if name in are_jsonb]
    return tuple(f"{said}: {', '.join(names)}" for said, names in found.items() if names)


def table_mistakes(publication: Publish, table: Table | None) -> list[Diagnostic]:
    """Return why the publication can't be delivered into the table as it is."""
    if table is None:
        return [] if publication.create else [_absent(publication)]
    if table.kind not in ("r", "p"):
        what = _KINDS.get(table.kind, "no table")
        message = f"{table.schema}.{table.name} is {what}; rows go into tables only"
        return [refusal(publication, "not-a-table", message, fix="name a table")]
    return [
        *_columns(publication, table),
        *_key(publication, table),
        *_rights(publication, table),
        *_inbound(publication, table),
    ]


def table_notes(table: Table) -> tuple[str, ...]:
    """Return what a person should know of the table before publishing into it."""
    notes = []
    if table.triggers:
        notes.append(f"row triggers: {', '.join(table.triggers)}")
    if generated := [c.name for c in table.columns if c.generated]:
        notes.append(f"computed by the table itself, not delivered: {', '.join(generated)}")
    if table.row_security:
        notes.append(f'row-level security applies to the role "{table.role}"')
    return tuple(notes)


def _absent(publication: Publish) -> Diagnostic:
    return refusal(
        publication,
        "unknown-table",
        "the table does not exist",
        why="create is not set for it",
        fix="say create: true, or make the table first",
    )


def _columns(publication: Publish, table: Table) -> Iterator[Diagnostic]:
    delivered = {column.name for column in publication.columns}
    names = [column.name for column in table.columns]
    for name in sorted(delivered - set(names)):
        yield refusal(
            publication,
            "unknown-column",
            f'the table has no column "{name}"',
            why=f"its columns: {', '.join(names)}",
            fix=did_you_mean(name, names, also="add the column, or leave it out of the model"),
        )
    for column in table.columns:
        supplied = column.has_default or column.identity or column.generated
        if column.name not in delivered and column.not_null and not supplied:
            yield refusal(
                publication,
                "missing-column",
                f'the table\'s column "{column.name}" is NOT NULL without default, and not delivered',
                fix="add it to the model, or give it a default",
            )
        if column.name not in delivered or column.name in publication.key:
            continue
        if column.identity == "a" and publication.mode != "append" and publication.key:
            yield refusal(
                publication,
                "identity-column",
                f'"{column.name}" is GENERATED ALWAYS AS IDENTITY, so rows already there can\'t be updated',
                fix="leave it out of the model, or make it GENERATED BY DEFAULT",
            )


def _key(publication: Publish, table: Table) -> Iterator[Diagnostic]:
    generated = {column.name for column in table.columns if column.generated}
    if broken := sorted(generated & set(publication.key)):
        yield refusal(
            publication, "generated-key", f"the key column {', '.join(broken)} is computed by the table"
        )
    if publication.key and frozenset(publication.key) not in table.uniques:
        columns = ", ".join(f'"{name}"' for name in publication.key)
        yield refusal(
            publication,
            "no-unique-constraint",
            f"no unique constraint of the table fits the key ({', '.join(publication.key)})",
            why="it must cover exactly these columns, neither partial nor deferrable",
            fix=f"ALTER TABLE {table.sql} ADD UNIQUE ({columns})",
        )


def _rights(publication: Publish, table: Table) -> Iterator[Diagnostic]:
    missing = [p for p in _NEEDS.get(publication.mode, _ALL) if p not in table.privileges]
    if missing:
        yield refusal(
            publication,
            "missing-privilege",
            f'the role "{table.role}" lacks {", ".join(missing)} on {table.sql}',
            fix=f'GRANT {", ".join(missing)} ON {table.sql} TO "{table.role}"',
        )
    if table.row_security and publication.mode in ("replace", "sync"):
        yield refusal(
            publication,
            "row-security",
            f'row-level security hides rows from the role "{table.role}"',
            why=f"{publication.mode} must see every row to delete those that are gone",
            fix="publish as postgres, or as another role with BYPASSRLS",
        )


def _inbound(publication: Publish, table: Table) -> Iterator[Diagnostic]:
    if publication.mode == "replace" and not publication.key and table.inbound:
        yield refusal(
            publication,
            "referenced-table",
            f"foreign keys of {', '.join(table.inbound)} point at the table",
            why="replace without a key deletes every row, and with it or because of them theirs",
            fix="give a key: then only rows that are really gone are deleted",
        )

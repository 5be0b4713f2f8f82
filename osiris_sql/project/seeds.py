"""Seeds: CSV files of the project, below `seeds/`, which models read by name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from osiris_sql.project.disk import Disk
from osiris_sql.project.models_file import ModelEntry, SeedConfigShape
from osiris_sql.project.names import Taken, is_name
from osiris_sql.project.shape import Report
from osiris_sql.project.sql_files import find_files
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.project import Connection, ExtractConfig, SourceTable
from osiris_sql.types.relation import TableSchema

FOLDER = "seeds"
_PLAIN = SeedConfigShape()


def find_seeds(disk: Disk, taken: Taken, report: Report) -> dict[str, str]:
    """Return the path of each seed by its name, which no model may have."""
    found = {}
    for path in find_files(disk, FOLDER, ".csv"):
        name, place = PurePosixPath(path).stem, Location(path=path, line=1, column=1)
        if not is_name(name):
            message = f'a seed can\'t be called "{name}"'
            why = "a name holds only letters, digits, _ and -"
            report(
                Diagnostic(
                    rule="invalid-name", message=message, location=place, why=why, fix="rename the file"
                )
            )
        elif taken.take(name, place, "rename one of the files"):
            # Its columns follow from all of its rows.
            disk.answer(("bytes", path))
            found[name] = path
    return found


def read_seeds(
    paths: Mapping[str, str], entries: Mapping[str, ModelEntry]
) -> tuple[list[SourceTable], list[Connection]]:
    """Return the seeds as tables that are read from connections of type `files`: one for each way of
    writing CSV, of a name that no connection of a person can have."""
    seeds, connections = [], dict[str, Connection]()
    for name, path in paths.items():
        entry = entries.get(name, ModelEntry(config=_PLAIN.model_dump(), columns=(), description=""))
        if entry.config["enabled"]:
            connection = _connection(path, entry.config)
            connections.setdefault(connection.name, connection)
            seeds.append(_seed(name, path, entry, connection.name))
    return seeds, list(connections.values())


def _connection(path: str, config: Mapping[str, Any]) -> Connection:
    delimiter, quote = config["delimiter"], config["quote"]
    plain = (delimiter, quote) == (_PLAIN.delimiter, _PLAIN.quote)
    return Connection(
        name=f"{FOLDER}/" if plain else f"{FOLDER}/ {delimiter} {quote}",
        type="files",
        role="source",
        options={"path": FOLDER, "delimiter": delimiter, "quote": quote},
        location=Location(path=path, line=1, column=1),
    )


def _seed(name: str, path: str, entry: ModelEntry, connection: str) -> SourceTable:
    return SourceTable(
        source="main",
        name=name,
        identifier=PurePosixPath(path).relative_to(FOLDER).as_posix(),
        connection=connection,
        extract=ExtractConfig(),
        columns=entry.columns,
        description=entry.description,
        tags=tuple(entry.config["tags"]),
        seed=True,
        location=Location(path=path, line=1, column=1),
    )


def seed_schema(seed: SourceTable, found: TableSchema) -> tuple[TableSchema, list[Diagnostic]]:
    """Return the columns of a seed, those found in its file under the types that YAML declares, and a
    diagnostic for each that YAML names and the file does not have."""
    declared = {column.name.lower(): column for column in seed.columns}
    columns = []
    for column in found.columns:
        spec = declared.get(column.name.lower())
        if spec:
            column = replace(column, type=spec.data_type or column.type, description=spec.description)
        columns.append(column)
    return TableSchema(columns=tuple(columns)), list(_unknown_columns(seed, found))


def _unknown_columns(seed: SourceTable, found: TableSchema) -> Iterable[Diagnostic]:
    for column in seed.columns:
        if found.type_of(column.name) is None:
            yield Diagnostic(
                rule="unknown-column",
                message=f'the seed {seed.name} has no column "{column.name}"',
                location=column.location,
                why=f"the header of {seed.location.path} names: {', '.join(found.names)}",
                fix=did_you_mean(column.name, found.names),
            )

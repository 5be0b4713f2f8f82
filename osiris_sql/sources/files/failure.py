"""Finds the place in a file that could not be read, and says it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import islice
from pathlib import Path

import duckdb

from osiris_sql.sources.files.options import Options
from osiris_sql.sources.files.relation import FileRelation, json_objects, open_csv, open_text, record_lines
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location, StepError
from osiris_sql.types.relation import Column

PARSER_LINE = re.compile(r"(?:CSV Error on Line: |in line |in record/value )(\d+)")
EXPECTED = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def missing_columns(missing: list[str], names: list[str], place: str) -> StepError:
    """Return what to raise for columns that a file does not have."""
    return StepError(
        *(
            Diagnostic(
                rule="unknown-column",
                message=f'the file has no column "{name}"',
                why=f"it has: {', '.join(names)}",
                fix=did_you_mean(
                    name, names, also="if the file changed on purpose, run: osiris-sql discover"
                ),
                location=Location(path=place, line=1),
            )
            for name in missing
        )
    )


def explain_failure(
    con: duckdb.DuckDBPyConnection,
    error: Exception,
    relation: FileRelation,
    columns: tuple[Column, ...],
    place: str,
    options: Options,
) -> StepError:
    """Return what to raise for an error while a file was read.

    The file is read a second time to find, for each column, the first value that does not fit.
    """
    text = str(error)
    if line := PARSER_LINE.search(text):
        broken = _broken_json_line(relation.path) if relation.format == "jsonl" else None
        return _unparsable(text, Location(path=place, line=broken or int(line[1])))
    found: list[Diagnostic] = []
    with suppress(duckdb.Error):  # what can't be read can't be searched; the first error stands
        found = _no_objects(con, relation, place, options) or _misfits(con, relation, columns, place, options)
    if found:
        return StepError(*found)
    why = text.split("\n", 1)[0]
    return StepError(
        Diagnostic(
            rule="unreadable-file",
            message="the file can't be read",
            why=why,
            location=Location(path=place),
        )
    )


def _unparsable(text: str, location: Location) -> StepError:
    counts = EXPECTED.search(text)
    lines = [part for part in text.split("\n") if part and "Error on Line" not in part]
    how = "" if "JSON" in text else ", or see `delimiter` and `quote`"
    message = f"a row has {counts[2]} fields, not {counts[1]}" if counts else "a row can't be read"
    return StepError(
        Diagnostic(
            rule="ragged-row" if counts else "unreadable-row",
            message=message,
            why="; ".join(lines[:2]),
            fix=f"correct the row{how}",
            location=location,
        )
    )


def _broken_json_line(path: Path) -> int | None:
    """The first line that is no JSON; DuckDB counts it from one too many."""
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                json.loads(line)
            except ValueError:
                if line.strip():
                    return number
    return None


def _no_objects(
    con: duckdb.DuckDBPyConnection, relation: FileRelation, place: str, options: Options
) -> list[Diagnostic]:
    if relation.format != "jsonl":
        return []
    numbered = f"SELECT row_number() OVER () AS r, json FROM {json_objects(relation.path)}"
    with con.cursor() as cursor:
        [(row,)] = cursor.execute(
            f"SELECT min(r) FROM ({numbered}) WHERE json_type(json) <> 'OBJECT'"
        ).fetchall()
    if row is None:
        return []
    return [
        Diagnostic(
            rule="unreadable-row",
            message="a line is not a JSON object",
            fix="write one object with its keys on each line",
            location=Location(path=place, line=_line_of(relation, row, options)),
        )
    ]


def _misfits(
    con: duckdb.DuckDBPyConnection,
    relation: FileRelation,
    columns: tuple[Column, ...],
    place: str,
    options: Options,
) -> list[Diagnostic]:
    if not columns:
        return []
    if relation.format == "csv":
        relation = open_csv(relation.path, place, options, parallel=False)
    by_name = {name.lower(): name for name in relation.types}
    parts: list[str] = []
    for column in columns:
        name = by_name[column.name.lower()]
        shown = relation.shown(name)
        bad = f"{shown} IS NOT NULL AND NOT {relation.fits(name, column.type)}"
        parts.append(f"min(r) FILTER ({bad}), arg_min({shown}, r) FILTER ({bad}), count(*) FILTER ({bad})")
    numbered = f"SELECT row_number() OVER () AS r, * FROM ({relation.sql})"
    with con.cursor() as cursor:
        [counts] = cursor.execute(f"SELECT {', '.join(parts)} FROM ({numbered})").fetchall()
    found = [(column, *counts[3 * i : 3 * i + 3]) for i, column in enumerate(columns)]
    return [
        _misfit(column, value, number, Location(path=place, line=_line_of(relation, row, options)))
        for column, row, value, number in found
        if number
    ]


def _misfit(column: Column, value: str, number: int, location: Location) -> Diagnostic:
    return Diagnostic(
        rule="inexact-value",
        message=f'column {column.name}: "{value}" is not exactly a value of type {column.type}',
        why=f"values of the column in this file that do not fit: {number}; the first is shown",
        fix=f"correct the file, or declare another `data_type` for {column.name} (VARCHAR takes any text)"
        " in its YAML file, or run: osiris-sql discover",
        location=location,
    )


def _line_of(relation: FileRelation, row: int, options: Options) -> int | None:
    """The line of the `row`th row, counted from 1."""
    if relation.format == "csv":
        starts = record_lines(relation.path, options, keep_blank=len(relation.types) == 1)
        return next(islice(starts, row, None), None)
    if relation.format == "jsonl":
        with open_text(relation.path) as lines:
            starts = (number for number, line in enumerate(lines, start=1) if line.strip())
            return next(islice(starts, row - 1, None), None)
    return None

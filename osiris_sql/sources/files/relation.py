"""How DuckDB reads one file: a relation of its columns, as text where the file knows no types."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from osiris_sql.sources._exact import or_error, text_fits, text_literal, typed_fits
from osiris_sql.sources.files.locate import Format
from osiris_sql.sources.files.options import Options
from osiris_sql.types.diagnostic import Diagnostic, Location, StepError
from osiris_sql.types.relation import quote_identifier

if TYPE_CHECKING:
    import duckdb

LONGEST_LINE = 4 << 20
"""Of a CSV file, in bytes. DuckDB keeps several buffers of twice this size, so it bounds our memory."""

LONGEST_OBJECT = 16 << 20
EXACT_DIGITS = 15
"""A JSON number with a fraction is a DOUBLE, which keeps this many decimal digits."""


@dataclass(frozen=True, kw_only=True)
class FileRelation:
    """One file as SQL: `sql` yields the columns of `types` (name → DuckDB type, in order).

    `types` of CSV is VARCHAR throughout. A JSON lines file has no columns of its own: it has those
    that are asked for, of type JSON, NULL where a line lacks the key.
    """

    path: Path
    format: Format
    sql: str
    types: dict[str, str]

    def value(self, name: str, type_: str) -> str:
        """Return the expression for a column in exactly `type_`, or an error."""
        if self.types[name] == type_:
            return quote_identifier(name)
        return or_error(self._plain(name), type_, self.fits(name, type_), f"column {name}")

    def fits(self, name: str, type_: str) -> str:
        """Return the condition that a value of the column, not NULL, is exactly a `type_`."""
        if self.types[name] == type_:
            return "true"
        if self.format != "jsonl":
            return typed_fits(self._plain(name), self.types[name], type_)
        fits = text_fits(self._plain(name), type_)
        return f"({_exact_in_json(quote_identifier(name))} AND {fits})" if "DECIMAL" in type_ else fits

    def _plain(self, name: str) -> str:
        """The value before it is cast; a JSON string without its quotes."""
        quoted = quote_identifier(name)
        return f"({quoted} ->> '$')" if self.format == "jsonl" else quoted

    def shown(self, name: str) -> str:
        """Return the expression for a value of the column as text, for messages."""
        return f"left({quote_identifier(name)}::VARCHAR, 200)"


def open_csv(path: Path, place: str, options: Options, *, parallel: bool = True) -> FileRelation:
    """Return a CSV file as a relation; raises StepError without a proper header."""
    names = csv_header(path, place, options)
    columns = ", ".join(f"{text_literal(name)}: 'VARCHAR'" for name in names)
    nulls = ", ".join(text_literal(null) for null in sorted({"", options.null}))
    sql = (
        f"SELECT * FROM read_csv({_file_literal(path)}, auto_detect = false, header = true,"
        f" columns = {{{columns}}}, delim = {text_literal(options.delimiter)},"
        f" quote = {text_literal(options.quote)}, escape = {text_literal(options.quote)},"
        f" nullstr = [{nulls}], allow_quoted_nulls = false, strict_mode = true, null_padding = false,"
        f" ignore_errors = false, max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE},"
        f" parallel = {str(parallel).lower()})"
    )
    return FileRelation(path=path, format="csv", sql=sql, types=dict.fromkeys(names, "VARCHAR"))


def open_parquet(con: duckdb.DuckDBPyConnection, path: Path) -> FileRelation:
    """Return a Parquet file as a relation with the types that it declares."""
    sql = f"SELECT * FROM read_parquet({_file_literal(path)})"
    types = {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {sql}").fetchall()}
    return FileRelation(path=path, format="parquet", sql=sql, types=types)


def open_json(path: Path, keys: list[str], first: int | None = None) -> FileRelation:
    """Return a JSON lines file, or its first lines, as a relation of these keys; each line is parsed once
    for all of them."""
    pointers = ", ".join(text_literal(_pointer(key)) for key in keys)
    columns = ", ".join(
        f"nullif(v[{place}], 'null') AS {quote_identifier(key)}" for place, key in enumerate(keys, start=1)
    )
    checked = (
        f"CASE WHEN json_type(json) = 'OBJECT' THEN json_extract(json, [{pointers}])"
        " ELSE CAST(error('a line is not a JSON object') AS JSON[]) END"
    )
    sql = f"SELECT {columns} FROM (SELECT {checked} AS v FROM {json_objects(path, first)})"
    return FileRelation(path=path, format="jsonl", sql=sql, types=dict.fromkeys(keys, "JSON"))


def json_objects(path: Path, first: int | None = None) -> str:
    """Return the relation that yields each line, or the first ones, as `json`."""
    lines = f"read_ndjson_objects({_file_literal(path)}, maximum_object_size = {LONGEST_OBJECT})"
    return lines if first is None else f"(FROM {lines} LIMIT {first})"


def json_keys(con: duckdb.DuckDBPyConnection, paths: Iterable[Path], first: int | None = None) -> list[str]:
    """Return the keys of all lines, or of the first ones, in the order of their first appearance."""
    keys: dict[str, None] = {}
    for path in paths:
        numbered = f"SELECT row_number() OVER () AS r, json_keys(json) AS ks FROM {json_objects(path, first)}"
        each = f"SELECT r, unnest(ks) AS k, generate_subscripts(ks, 1) AS i FROM ({numbered})"
        rows = con.execute(f"SELECT k FROM ({each}) GROUP BY k ORDER BY min((r, i))").fetchall()
        keys |= dict.fromkeys(str(key) for (key,) in rows)
    return list(keys)


def csv_header(path: Path, place: str, options: Options) -> list[str]:
    """Return the column names; raises StepError if there are none, or one twice."""
    with open_text(path) as lines:
        reader = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote, strict=True)
        try:
            names = next(reader, [])
        except (csv.Error, OSError, EOFError) as error:
            raise _bad_header(place, f"its header can't be read: {error}") from error
    counts = Counter(name.lower() for name in names)
    twice = [name for name in names if counts[name.lower()] > 1]
    if not names or "" in names:
        raise _bad_header(place, "its first line must name every column")
    if twice:
        raise _bad_header(place, f'its header has "{twice[0]}" more than once')
    return names


def open_text(path: Path) -> TextIO:
    """Open a file for reading as text, unpacked if it is a gzip."""
    how: dict[str, Any] = {"mode": "rt", "encoding": "utf-8-sig", "errors": "replace", "newline": ""}
    is_gzip = path.name.lower().endswith(".gz")
    opened = gzip.open(path, **how) if is_gzip else path.open(**how)  # noqa: SIM115  (the caller closes it)
    return cast("TextIO", opened)


def record_lines(path: Path, options: Options, *, keep_blank: bool) -> Iterator[int]:
    """Yield the line number at which each record of a CSV file starts, the header's first."""
    open_quote = False
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not open_quote and (keep_blank or line.strip("\r\n")):
                yield number
            if line.count(options.quote) % 2:
                open_quote = not open_quote


def _exact_in_json(quoted: str) -> str:
    """The condition that a JSON number did not lose digits when it was parsed."""
    digits = f"length(regexp_replace({quoted}::VARCHAR, '[^0-9]', '', 'g'))"
    return (
        f"(json_type({quoted}) <> 'DOUBLE' OR {quoted}::VARCHAR NOT LIKE '%.%' OR {digits} <= {EXACT_DIGITS})"
    )


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _file_literal(path: Path) -> str:
    """The path as a SQL literal in which DuckDB finds nothing to expand."""
    return text_literal("".join(f"[{c}]" if c in "*?[" else c for c in str(path)))


def _bad_header(place: str, message: str) -> StepError:
    return StepError(
        Diagnostic(
            rule="bad-csv-header",
            message=message,
            location=Location(path=place, line=1),
            fix="the first line names the columns, each once, in UTF-8; see `delimiter` and `quote`",
        )
    )

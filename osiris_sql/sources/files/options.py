"""What a connection of type files may say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """A folder of CSV, Parquet and JSON lines files; `path` is relative to the project's root.

    The rest concerns CSV, which must be UTF-8 with a header line, and no row longer than 4 MB. An
    empty field is NULL, and so is one that reads `null`; in quotes a field is always text, so `""`
    is the empty string.
    """

    path: str
    delimiter: str = ","
    quote: str = '"'
    null: str = ""

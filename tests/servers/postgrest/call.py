"""One request as the statements see it, inside its transaction."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from servers.postgrest.answer import NotFoundError, RestError
from servers.postgrest.query import Prefer, quoted
from servers.postgrest.schema_cache import CachedTable, SchemaCache

JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    schema: str
    name: str
    parameters: list[tuple[str, str]]
    prefer: Prefer
    accept: str
    content_type: str
    body: bytes
    cache: SchemaCache
    cursor: Any
    max_rows: int

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)

    @property
    def relation(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def counted(self) -> bool:
        return self.prefer.counted

    def table(self) -> CachedTable:
        found = self.cache.tables.get((self.schema, self.name))
        if found is None:
            name = f"{self.schema}.{self.name}"
            raise NotFoundError(
                404, "PGRST205", f"Could not find the table '{name}' in the schema cache", None, None
            )
        return found

    def known(self, columns: list[str]) -> list[str]:
        there = self.table().defaults
        for column in columns:
            if column not in there:
                words = f"Could not find the '{column}' column of '{self.name}' in the schema cache"
                raise RestError(400, "PGRST204", words)
        return columns

    @property
    def wants_object(self) -> bool:
        return "application/vnd.pgrst.object+json" in self.accept

    def single(self, count: int, rows: str) -> Any:
        """The only row; a request that has written others is taken back."""
        if count != 1:
            words = "JSON object requested, multiple (or no) rows returned"
            raise RestError(406, "PGRST116", words, f"The result contains {count} rows")
        return json.loads(rows or "[null]")[0]

    def row(self, sql: str) -> tuple[Any, ...]:
        self.cursor.execute(sql)
        found = self.cursor.fetchone()
        assert found is not None
        return tuple(found)

    @property
    def is_text(self) -> bool:
        return self.content_type.partition(";")[0] == "text/plain"

    @cached_property
    def arguments(self) -> list[str]:
        """The names of a function's arguments."""
        return list(json.loads(self.body or b"{}"))

    def parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise RestError(400, "PGRST102", "Empty or invalid json") from None

    def literal(self, type_: str = "json") -> str:
        """The body as it came, for PostgreSQL to parse."""
        quote = f"$body{secrets.token_hex(8)}$"
        return f"{quote}{self.body.decode()}{quote}::{type_}"

"""A table as a query names it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableName:
    """A name with its schema, if it has one; it stands at the characters `start` to `end`."""

    schema: str | None
    name: str
    start: int
    end: int
    alias: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Schema and name as DuckDB compares them; models live in the schema `main`."""
        return (self.schema or "main").lower(), self.name.lower()

    @property
    def written(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

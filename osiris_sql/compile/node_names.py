"""Which node a table name in SQL means."""

from osiris_sql.compile.parse import TableName
from osiris_sql.compile.places import Problem
from osiris_sql.project.nearest import did_you_mean
from osiris_sql.types.project import Project
from osiris_sql.types.relation import RelationRef


class NodeNames:
    """The relations of a project by name; DuckDB compares names without case, quoted ones too."""

    def __init__(self, project: Project) -> None:
        self.relations: dict[str, RelationRef] = {}
        for model in project.models:
            self.relations[model.node] = RelationRef("main", model.name)
        for table in project.sources:
            self.relations[table.node] = RelationRef(table.source, table.name)
        self._nodes = {(ref.schema.lower(), ref.name.lower()): node for node, ref in self.relations.items()}
        self._spoken = [ref.name if ref.schema == "main" else str(ref) for ref in self.relations.values()]

    def resolve(self, table: TableName) -> str | None:
        """Return the node that a table name means, or None."""
        return self._nodes.get(table.key)

    def unknown(self, table: TableName) -> Problem:
        """Return the problem of a name that means nothing."""
        length = len(table.written) if table.start is None or table.end is None else table.end - table.start
        return Problem(
            "unknown-relation",
            f'there is no model or source table "{table.written}"',
            table.start,
            length,
            fix=did_you_mean(table.written, self._spoken, "write a model of this name, or describe a source"),
        )

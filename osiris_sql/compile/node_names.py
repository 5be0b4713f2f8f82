"""Which node a table name in SQL means."""

from osiris_sql.compile.places import Problem
from osiris_sql.compile.table_name import TableName
from osiris_sql.support.nearest import nearest_name
from osiris_sql.types.project import Project
from osiris_sql.types.relation import RelationRef


class NodeNames:
    """The relations of a project by name; DuckDB compares names without case, quoted ones too."""

    def __init__(self, project: Project) -> None:
        self.relations: dict[str, RelationRef] = {}
        for model in project.models:
            self.relations[model.node] = RelationRef("main", model.name)
        for table in project.tables:
            self.relations[table.node] = table.relation
        self.nodes = {(ref.schema.lower(), ref.name.lower()): node for node, ref in self.relations.items()}
        self._spoken = {r.name if r.schema == "main" else str(r): r.name for r in self.relations.values()}

    def resolve(self, table: TableName) -> str | None:
        """Return the node that a table name means, or None."""
        return self.nodes.get(table.key)

    def unknown(self, table: TableName) -> Problem:
        """Return the problem of a name that means nothing."""
        near = nearest_name(table.written, self._spoken)
        if near is None and table.schema is None:
            bare = nearest_name(table.name, self._spoken.values())
            near = next((spoken for spoken, name in self._spoken.items() if name == bare), None)
        return Problem(
            "unknown-relation",
            f'there is no model or source table "{table.written}"',
            table.start,
            table.end - table.start,
            fix=f'did you mean "{near}"?' if near else "write a model of this name, or describe a source",
        )

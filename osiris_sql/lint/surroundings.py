"""What lint knows of the project around a model: keys, columns, tests and publications."""

from __future__ import annotations

import re
from functools import cached_property

from osiris_sql.compile.keys import Keys, declared_keys, lower_key, order_keys
from osiris_sql.compile.lineage.facts import Relation, base_relation
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema


class Surroundings:
    """A project compiled. Publications and tests are those that files declare, compiled or not.

    `keys` and `nulls` have, by node, the keys that are known to hold and the columns (lower case) that may
    hold NULL; those of models are added as lint goes through them. `narrow` are the nodes whose keys are
    surely no wider than they must be.
    """

    def __init__(self, project: Project, manifest: Manifest) -> None:
        self.project = project
        self.manifest = manifest
        self.schemas: dict[str, TableSchema] = {source.node: source.schema for source in manifest.sources}
        self.schemas |= {model.node: model.schema for model in manifest.models}
        tables = {source.node: source.schema for source in manifest.sources}
        self.keys: dict[str, Keys] = dict(declared_keys(project, tables))
        self.published = {publication.model for publication in project.publications}
        self.not_null = {
            (test.node, test.column.lower())
            for test in project.data_tests
            if test.test == "not_null" and test.column
        }
        self.nulls = {node: self._nulls_of(node, schema) for node, schema in tables.items()}
        self.narrow = {*self.keys, *tables}
        self._nodes = NodeNames(project).nodes

    def _nulls_of(self, node: str, schema: TableSchema) -> frozenset[str]:
        found = {column.name.lower() for column in schema.columns if column.nullable}
        key = {name for key in self.keys.get(node, ()) for name in key}
        return frozenset(found - key - {name for n, name in self.not_null if n == node})

    def inputs(self, needs: tuple[str, ...]) -> dict[tuple[str, str], Relation]:
        """Return what some nodes are as relations, by schema and name in lower case."""
        wanted = set(needs)
        return {
            name: base_relation(node, self.schemas[node], self.keys.get(node, ()))
            for name, node in self._nodes.items()
            if node in wanted and node in self.schemas
        }

    def learn(
        self, model: CompiledModel, relation: Relation | None, nulls: frozenset[str], *, grouped: bool
    ) -> None:
        """Note the keys of a model, which of its columns may hold NULL, and whether its query groups."""
        if not grouped and self.narrow.issuperset(model.needs):
            self.narrow.add(model.node)
        keys = set(self.keys.get(model.node, ()))
        if model.config.merges:
            keys.add(lower_key(model.config.unique_key))
        elif relation and model.config.materialized not in ("incremental", "snapshot"):
            keys |= set(relation.keys)
        self.keys[model.node] = order_keys(keys)
        self.nulls[model.node] = nulls - {name for node, name in self.not_null if node == model.node}

    @cached_property
    def tested(self) -> set[str]:
        """Return the nodes that a data test names."""
        found = {test.node for test in self.project.data_tests if test.node}
        for test in self.project.data_tests:
            found |= {f"model:{name}" for name in re.findall(r"ref\(\s*['\"](\w+)['\"]", test.text)}
        return found | {test.node for test in self.manifest.tests}

"""What lint knows of the project around a model: keys, columns, tests and publications."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property

from osiris_sql.compile.keys import Keys, declared_keys, lower_key, order_keys
from osiris_sql.compile.lineage.facts import Relation, base_relation
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.lint.remembered import Learned
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Project, Publication
from osiris_sql.types.relation import TableSchema


class Surroundings:
    """A project as it is compiled. Publications and tests are those that files declare, compiled or not.

    `tables` are the columns of its source tables and seeds; `schemas` has those of models too, as they are
    known; `tested` are nodes that compiled tests ask. `keys` and `nulls` have, by node, the keys that are
    known to hold and the columns (lower case) that may hold NULL; those of models are added as lint goes
    through them. `narrow` are the nodes whose keys are surely no wider than they must be.
    """

    def __init__(self, project: Project, tables: Mapping[str, TableSchema], tested: Collection[str]) -> None:
        self.project = project
        self.schemas: dict[str, TableSchema] = {**tables}
        self._tested = tested
        self.keys: dict[str, Keys] = dict(declared_keys(project, tables))
        self.published: dict[str, list[Publication]] = {}
        for publication in project.publications:
            self.published.setdefault(publication.model, []).append(publication)
        self.not_null: dict[str, set[str]] = {}
        for test in project.data_tests:
            if test.test == "not_null" and test.column:
                self.not_null.setdefault(test.node, set()).add(test.column.lower())
        self.nulls = {node: self._nulls_of(node, schema) for node, schema in tables.items()}
        self.narrow = {*self.keys, *tables}
        self._names: dict[str, list[tuple[str, str]]] = {}
        for name, node in NodeNames(project).nodes.items():
            self._names.setdefault(node, []).append(name)

    def _nulls_of(self, node: str, schema: TableSchema) -> frozenset[str]:
        found = {column.name.lower() for column in schema.columns if column.nullable}
        key = {name for key in self.keys.get(node, ()) for name in key}
        return frozenset(found - key - self.not_null.get(node, set()))

    def inputs(self, needs: tuple[str, ...]) -> dict[tuple[str, str], Relation]:
        """Return what some nodes are as relations, by schema and name in lower case."""
        return {
            name: base_relation(node, self.schemas[node], self.keys.get(node, ()))
            for node in needs
            if node in self.schemas
            for name in self._names.get(node, ())
        }

    def learned(
        self, model: CompiledModel, relation: Relation | None, nulls: frozenset[str], *, grouped: bool
    ) -> Learned:
        """Return what is to be known of a model, by its query and by whether that groups."""
        keys = set(self.keys.get(model.node, ()))
        if model.config.merges:
            keys.add(lower_key(model.config.unique_key))
        elif relation and model.config.materialized not in ("incremental", "snapshot"):
            keys |= set(relation.keys)
        return Learned(
            keys=tuple(tuple(sorted(key)) for key in order_keys(keys)),
            nulls=tuple(sorted(nulls - self.not_null.get(model.node, set()))),
            narrow=not grouped and self.narrow.issuperset(model.needs),
        )

    def note(self, node: str, learned: Learned) -> None:
        """Note what those below a model must know of it."""
        self.keys[node] = tuple(frozenset(key) for key in learned.keys)
        self.nulls[node] = frozenset(learned.nulls)
        self.narrow |= {node} if learned.narrow else set()

    def seen_by(self, model: CompiledModel) -> object:
        """Return all that rules can ask of what is around a model."""
        node, name = model.node, model.name
        return (
            [self._seen(need) for need in model.needs],
            [sorted(key) for key in self.keys.get(node, ())],
            [publication.key for publication in self.published.get(name, ())],
            node in self.tested,
            sorted(self.not_null.get(node, ())),
        )

    def _seen(self, node: str) -> object:
        keys, nulls = self.keys.get(node, ()), self.nulls.get(node, frozenset())
        what = [sorted(key) for key in keys], sorted(nulls), node in self.narrow
        return node, self._names.get(node), self.schemas.get(node), what

    @cached_property
    def tested(self) -> set[str]:
        """Return the nodes that a data test names."""
        found = {test.node for test in self.project.data_tests if test.node}
        for test in self.project.data_tests:
            found |= {f"model:{name}" for name in re.findall(r"ref\(\s*['\"](\w+)['\"]", test.text)}
        return found.union(self._tested)

"""Keys that a model's own SQL proves, whatever its inputs hold: GROUP BY, DISTINCT and the like.

Not used here: keys that hold because of tests or of sources.lock. A test must not prove itself, and
what an input promised may have changed since.
"""

from __future__ import annotations

from osiris_sql.compile.data_tests.arguments import given_arguments, unquoted
from osiris_sql.compile.data_tests.built_in import BuiltIn
from osiris_sql.compile.data_tests.custom import CustomTest
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.lineage.facts import base_relation
from osiris_sql.compile.lineage.walk import Walk
from osiris_sql.compile.parse import parse_query
from osiris_sql.types.manifest import CompiledModel, Proof
from osiris_sql.types.project import DataTest

Keys = tuple[frozenset[str], ...]


def key_columns(test: DataTest, definition: CustomTest | BuiltIn) -> frozenset[str]:
    """Return the columns (lower case) that a sound test says to be a key, none if it says another thing."""
    if not isinstance(definition, BuiltIn) or definition.shape != "key":
        return frozenset()
    given = given_arguments(test)
    named = given.get("combination_of_columns") or given.get("column_name")
    names = named if isinstance(named, list) else [named]
    # A name with Jinja in it is not worth the trouble: such a test runs.
    return frozenset(unquoted(str(name)).lower() for name in names)


class Proofs:
    """The keys of models, each found out when it is first asked for."""

    def __init__(self, scope: TestScope) -> None:
        self._scope = scope
        self._keys: dict[str, Keys] = {}

    def of(self, node: str, columns: frozenset[str]) -> Proof | None:
        """Return why no two rows of a model agree in `columns` (lower case), or None if that's not known.

        NULLs are values to this: a GROUP BY has one group of them.
        """
        model = self._scope.models.get(node)
        # The rows of an incremental model come from many runs of its SQL.
        if model is None or model.config.materialized not in ("table", "view") or model.verdict == "unknown":
            return None
        if node not in self._keys:
            self._keys[node] = self._find(model)
        key = next((key for key in self._keys[node] if key <= columns), None)
        if key is None:
            return None
        said = f"the SQL of {model.name} gives one row for each {', '.join(sorted(key))}" if key else ""
        return Proof(
            why=said or f"the SQL of {model.name} gives one row at most",
            node=node,
            fingerprint=model.fingerprint,
        )

    def _find(self, model: CompiledModel) -> Keys:
        query = parse_query(model.sql, self._scope.binder)
        if query.tree is None:
            return ()
        known = self._scope.known
        nodes = [(t.key, node) for t in query.tables if (node := self._scope.names.resolve(t)) in known]
        inputs = {key: base_relation(node, known[node].schema, ()) for key, node in nodes if node}
        walk = Walk(inputs)
        try:
            relation = walk.query(query.tree, {}, None)
        except RecursionError:
            return ()
        names = [(column.name or "").lower() for column in relation.columns]
        told = relation.rest is None and names == [name.lower() for name in model.schema.names]
        return relation.keys if told and not walk.gave_up else ()

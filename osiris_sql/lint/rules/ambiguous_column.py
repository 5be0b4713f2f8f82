"""Find columns whose table is not named where several could have them.

Why: a column that is added to the other table makes the name ambiguous; and in a subquery a name that its own
tables lack silently means the query around it.

Bad:
    select name, amount from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id

Good:
    select c.name, o.amount from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each name without a table in a SELECT of several, or that means a query around its own."""
    for column in model.nodes(exp.Column):
        if column.table or isinstance(column.this, exp.Star):
            continue
        scope = model.scope_of(column)
        if scope is None or _is_of_the_only_one(column, scope) or not _is_name(column):
            continue
        found = model.column(column)
        source = found.origin[0] if found is not None and found.origin is not None else None
        if source is None or source.alias is None or column.name.lower() in scope.merged:
            continue
        if source not in scope.sources:
            message = f"{column.name} means a column of {source.alias}, of the query around this one"
        elif len(scope.visible) > 1 and not _is_alias(column, scope) and not _is_listed(model, scope, source):
            message = f"{column.name} does not say that it is a column of {source.alias}"
        else:
            continue
        qualifier = _qualifier(model, source)
        fix = f"write {qualifier}.{column.name}"
        yield Finding(
            message, model.span(column), fix=fix, edits=_edits(model, column, qualifier, source, scope)
        )


def _is_of_the_only_one(column: exp.Column, scope: Scope) -> bool:
    return len(scope.visible) == 1 and column.name.lower() in scope.visible[0].names


def _is_name(column: exp.Column) -> bool:
    """Say whether a name can be given a table: not in USING, in a lambda or in the list of a star."""
    inside = column.find_ancestor(exp.Lambda, exp.Star, exp.Columns, exp.Comprehension, exp.Select)
    return isinstance(inside, exp.Select) and "start" in column.this.meta


def _is_alias(column: exp.Column, scope: Scope) -> bool:
    return column.name.lower() in scope.aliases


def _is_listed(model: LintedModel, scope: Scope, source: Source) -> bool:
    """Say whether a source is rows that the query itself makes, under names that it gives them."""
    item = next((item for other, item, _ in model.joined(scope) if other is source), None)
    made = isinstance(item, exp.Unnest | exp.Values) or (
        isinstance(item, exp.Table) and not isinstance(item.this, exp.Identifier)
    )
    return made and item is not None and bool(item.alias_column_names)


def _qualifier(model: LintedModel, source: Source) -> str:
    written = source.alias or ""
    return written if written.isidentifier() else f'"{written}"'


def _edits(
    model: LintedModel, column: exp.Column, qualifier: str, source: Source, scope: Scope
) -> tuple[Edit, ...]:
    """Return the name with its table before it, where that is surely the table that it means."""
    span = model.span(column)
    same = [other for other in scope.visible if other.alias and other.alias.lower() == qualifier.lower()]
    if span is None or source not in scope.sources or same != [source]:
        return ()
    return (Edit(span[0], span[0], f"{qualifier}."),)

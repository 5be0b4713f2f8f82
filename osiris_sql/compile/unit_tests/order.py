"""The order of a model's rows, where its ORDER BY leaves no choice."""

from collections.abc import Sequence

from osiris_sql.compile.determinism.outline import Outline
from osiris_sql.compile.unit_tests.inputs import Input
from osiris_sql.compile.unit_tests.stage import ACTUAL, EXPECTED, Stage
from osiris_sql.compile.unit_tests.tested import Tested
from osiris_sql.types.relation import RelationRef, quote_identifier


def order_difference(columns: Sequence[str], inputs: Sequence[Input], tested: Tested, stage: Stage) -> str:
    """Say that rows which are those expected come in another order, or return nothing.

    An order with ties promises none: the model runs again on its inputs turned upside down, and only
    rows that come in the same sequence again were put into it by the ORDER BY.
    """
    if not _ends_in_order(tested.sql):
        return ""
    came = _sequence(ACTUAL, columns, stage)
    if came == _sequence(EXPECTED, columns, stage):
        return ""
    for given in inputs:
        stage.create_as(given.relation, f"SELECT * FROM {given.relation.sql} ORDER BY rowid DESC", "rows")
    stage.run_model(tested.sql, tested.run_clock)
    if came != _sequence(ACTUAL, columns, stage):
        return ""
    first = next(
        row for row, wanted in zip(came, _sequence(EXPECTED, columns, stage), strict=True) if row != wanted
    )
    shown = ", ".join("NULL" if value is None else value for value in first)
    return f"the rows are those expected, in another order than the model's ORDER BY gives: first ({shown})"


def _ends_in_order(sql: str) -> bool:
    try:
        return "order" in Outline(sql).blocks[0].clauses
    except ValueError:
        return False


def _sequence(relation: RelationRef, columns: Sequence[str], stage: Stage) -> list[tuple[str | None, ...]]:
    texts = ", ".join(f"CAST({quote_identifier(name)} AS VARCHAR)" for name in columns)
    return stage.run(f"SELECT {texts} FROM {relation.sql} ORDER BY rowid", "comparison")

"""Unit tests: a model run on a few written rows, offline, and compared with what it should yield."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.unit_tests.diff import describe_difference
from osiris_sql.compile.unit_tests.fixture import fill_relation
from osiris_sql.compile.unit_tests.inputs import Fixture, read_inputs
from osiris_sql.compile.unit_tests.mistake import StageError, UnitTestError
from osiris_sql.compile.unit_tests.order import order_difference
from osiris_sql.compile.unit_tests.stage import EXPECTED, Stage
from osiris_sql.compile.unit_tests.tested import Tested, tested_sql
from osiris_sql.types.manifest import Manifest, UnitTestResult
from osiris_sql.types.project import Project, UnitTest
from osiris_sql.types.relation import RelationRef

__all__ = ["run_unit_tests"]


def run_unit_tests(
    project: Project,
    manifest: Manifest,
    *,
    environ: Mapping[str, str] | None = None,
    nodes: Collection[str] | None = None,
) -> tuple[UnitTestResult, ...]:
    """Return the outcome of every unit test, or of those of some nodes, in the order of the files.

    `diff` of one that failed shows the cells that differ, of one in error what is wrong with it. Rows
    are compared without their order, unless the model ends in an ORDER BY that leaves no choice.
    `environ` is what `env_var()` reads where a test overrides something, the process's own by default.
    """
    chosen = [t for t in project.unit_tests if nodes is None or f"model:{t.model}" in nodes]
    if not chosen:
        return ()
    stage = Stage()
    try:
        return tuple(_results(chosen, project, manifest, environ, stage))
    finally:
        stage.close()


def _results(
    chosen: Sequence[UnitTest],
    project: Project,
    manifest: Manifest,
    environ: Mapping[str, str] | None,
    stage: Stage,
) -> Iterator[UnitTestResult]:
    names = NodeNames(project)
    for test in chosen:
        try:
            tested = tested_sql(test, project, manifest, names, environ)
            if tested is None:
                continue
            difference = _run(test, tested, manifest, names, stage)
        except UnitTestError as error:
            yield _result(test, "error", str(error))
        else:
            yield _result(test, "fail" if difference else "pass", difference)


def _result(test: UnitTest, status: Literal["pass", "fail", "error"], diff: str) -> UnitTestResult:
    return UnitTestResult(
        name=test.name,
        model=test.model,
        status=status,
        diff=diff,
        location=test.location,
    )


def _run(test: UnitTest, tested: Tested, manifest: Manifest, names: NodeNames, stage: Stage) -> str:
    """Return how the rows of a model differ from those expected, or nothing."""
    inputs, mistakes = read_inputs(test, tested, manifest, names)
    with stage.scene():
        for given in inputs:
            _fill(given.relation, given.fixture, stage, mistakes)
        # Nothing is run on rows that are wrong; the model's columns say what is wrong with the expected ones.
        schema = stage.run_model(tested.sql, tested.run_clock, is_empty=bool(mistakes))
        columns = _fill(EXPECTED, Fixture("expect", test.expect, schema), stage, mistakes)
        if mistakes:
            raise UnitTestError("\n".join(mistakes))
        names_compared = columns or schema.names
        difference = describe_difference(names_compared, stage)
        return difference or order_difference(names_compared, inputs, tested, stage)


def _fill(relation: RelationRef, fixture: Fixture, stage: Stage, mistakes: list[str]) -> tuple[str, ...]:
    """Create a relation with the rows of a fixture and return the columns that it names; add its mistakes."""
    try:
        return fill_relation(relation, fixture, stage)
    except StageError as error:
        raise UnitTestError("\n".join([*mistakes, str(error)])) from error
    except UnitTestError as error:
        mistakes.append(str(error))
        return ()

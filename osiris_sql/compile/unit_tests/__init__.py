"""Unit tests: a model run on a few written rows, offline, and compared with what it should yield."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.unit_tests.diff import describe_difference
from osiris_sql.compile.unit_tests.fixture import fill_relation
from osiris_sql.compile.unit_tests.inputs import Fixture, Input, read_inputs
from osiris_sql.compile.unit_tests.mistake import StageError, UnitTestError
from osiris_sql.compile.unit_tests.order import order_difference
from osiris_sql.compile.unit_tests.stage import EXPECTED, Stage
from osiris_sql.compile.unit_tests.tested import Tested, tested_sql
from osiris_sql.types.manifest import Manifest, UnitTestResult
from osiris_sql.types.project import Project, UnitTest

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
    inputs = read_inputs(test, tested, manifest, names)
    with stage.scene():
        _fill_all(inputs, stage)
        schema = stage.run_model(tested.sql, tested.run_clock)
        columns = fill_relation(EXPECTED, Fixture("expect", test.expect, schema), stage)
        names_compared = columns or schema.names
        difference = describe_difference(names_compared, stage)
        return difference or order_difference(names_compared, inputs, tested, stage)


def _fill_all(inputs: Sequence[Input], stage: Stage) -> None:
    mistakes = []
    for given in inputs:
        try:
            fill_relation(given.relation, given.fixture, stage)
        except UnitTestError as error:
            mistakes.append(str(error))
            if isinstance(error, StageError):
                break
    if mistakes:
        raise UnitTestError("\n".join(mistakes))

"""A warehouse that holds something goes along; what was built there comes back only if asked for."""

from dataclasses import replace

import duckdb
import pytest
from run.plans import statuses
from sandbox.actions import AtFirstEvent
from sandbox.plans import FILMS, film_plan, launch, titles_in

from osiris_sql.launchers.e2b import cargo, luggage
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.run.observe import read_state
from osiris_sql.types.diagnostic import ProjectError, UnreachableError
from osiris_sql.types.observed import Deferred

NEWER = FILMS.replace("Alien", "Aliens")


def warehouse(root):
    return root / ".osiris" / "dev.duckdb"


def shipped(server):
    """The relations that are in the warehouse there."""
    file = server.sandboxes.every[-1].home / "osiris/project/.osiris/dev.duckdb"
    with duckdb.connect(file, read_only=True) as connection:
        return set(connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall())


@pytest.fixture
def built(root, environ):
    assert launch(film_plan(root), root, environ, on="local", run_id="r1").exit_code == 0
    return root


def test_what_is_built_already_is_reused_there_and_its_rows_stay_here(built, server, environ):
    run = launch(film_plan(built, decision="reuse"), built, environ, run_id="r2")
    assert statuses(run.result) == {"films": "reused", "titles": "reused", "app.titles": "reused"}
    assert run.plan.carried == {}
    assert run.plan.left == ("model:titles", "source:cinema.films")
    assert shipped(server) == {("osiris", "state")}


def test_only_what_a_running_step_reads_goes_along(built, server, environ):
    plan = film_plan(built, decision="reuse", sql="SELECT id, lower(title) AS title FROM cinema.films")
    films, titles, publish = plan.steps
    plan = replace(plan, steps=(films, replace(titles, decision="run"), replace(publish, decision="run")))
    run = launch(plan, built, environ, run_id="r2")
    assert statuses(run.result) == {"films": "reused", "titles": "success", "app.titles": "success"}
    assert list(run.plan.carried) == ["source:cinema.films"]
    assert shipped(server) >= {("osiris", "state"), ("cinema", "films")}
    assert titles_in(built / "out" / "app.duckdb")[0] == "alien"
    assert not (run.folder / "parcels").exists()


def test_what_is_too_big_to_carry_is_built_again_there_with_the_same_rows(built, environ, monkeypatch):
    monkeypatch.setattr(luggage, "CARRY_LIMIT", 1000)
    plan = film_plan(built, decision="reuse", sql="SELECT id, lower(title) AS title FROM cinema.films")
    films, titles, publish = plan.steps
    plan = replace(plan, steps=(films, replace(titles, decision="run"), replace(publish, decision="run")))
    run = launch(plan, built, environ, run_id="r2")
    assert run.plan.carried == {}
    assert (run.plan.steps[0].decision, run.plan.steps[0].why[:16]) == ("run", "too big to carry")
    assert statuses(run.result) == {"films": "success", "titles": "success", "app.titles": "success"}


def test_without_fetch_the_warehouse_here_stays_as_it_was(built, environ):
    before = warehouse(built).read_bytes()
    run = launch(film_plan(built, text=NEWER), built, environ, run_id="r2")
    assert statuses(run.result)["titles"] == "success"
    assert warehouse(built).read_bytes() == before
    assert titles_in(built / "out" / "app.duckdb")[0] == "ALIENS"


@pytest.mark.parametrize("empty", [True, False])
def test_with_fetch_a_build_here_afterwards_reuses_everything(root, environ, empty):
    if not empty:
        launch(film_plan(root), root, environ, on="local", run_id="r1")
    run = launch(film_plan(root, text=NEWER), root, {**environ, "OSIRIS_E2B_FETCH": "1"}, run_id="r2")
    assert run.exit_code == 0, run.result.diagnostics
    assert titles_in(warehouse(root))[0] == "ALIENS"
    again = launch(film_plan(root, text=NEWER, decision="reuse"), root, environ, on="local", run_id="r3")
    assert statuses(again.result) == {"films": "reused", "titles": "reused", "app.titles": "reused"}


def test_what_was_built_here_meanwhile_is_not_undone(built, environ):
    def build_here() -> None:
        launch(film_plan(built, text=NEWER), built, environ, on="local", run_id="r3")

    fetching = {**environ, "OSIRIS_E2B_FETCH": "1"}
    run = launch(film_plan(built), built, fetching, run_id="r2", sinks=[AtFirstEvent(build_here)])
    assert (run.exit_code, run.rules) == (1, ["changed-meanwhile"])
    assert titles_in(warehouse(built))[0] == titles_in(built / "out" / "app.duckdb")[0] == "ALIENS"
    assert (run.folder / "built.duckdb").exists()


def test_target_files_that_are_too_big_are_refused_with_the_limit(built, environ, server, monkeypatch):
    monkeypatch.setattr(cargo, "CARRY_LIMIT", 1000)
    with pytest.raises(ProjectError) as failed:
        launch(film_plan(built), built, environ, run_id="r2")
    assert failed.value.diagnostics[0].rule == "too-big-to-carry"
    assert server.sandboxes.every == []


def test_a_warehouse_in_use_is_not_copied(built, environ):
    plan = film_plan(built)
    with hold_warehouse(warehouse(built), "other"), pytest.raises(UnreachableError) as failed:
        launch(plan, built, environ, run_id="r2")
    assert failed.value.diagnostics[0].rule == "warehouse-in-use"


@pytest.fixture
def deferring(root, environ):
    """A plan of `titles` alone, which reads the films of an environment that was built."""
    prod = film_plan(root, env="prod", warehouse=".osiris/prod.duckdb")
    assert launch(prod, root, environ, on="local", run_id="r1").exit_code == 0
    films = read_state(root / ".osiris/prod.duckdb", "duckdb", while_running=False)["source:cinema.films"]
    nodes = {films.step: str(films.data)}
    _, titles, publish = film_plan(root).steps
    return replace(
        film_plan(root),
        steps=(replace(titles, needs=()), publish),
        deferred=Deferred(env="prod", warehouse=".osiris/prod.duckdb", nodes=nodes),
    )


def test_what_another_environment_has_goes_along_even_while_a_run_holds_it(root, environ, server, deferring):
    before = (root / ".osiris/prod.duckdb").read_bytes()
    with hold_warehouse(root / ".osiris/prod.duckdb", "other"):
        run = launch(deferring, root, environ, run_id="r2")
    assert statuses(run.result) == {"titles": "success", "app.titles": "success"}
    assert titles_in(root / "out" / "app.duckdb")[0] == "ALIEN"
    there = server.sandboxes.every[-1].home / "osiris/project/.osiris/prod.duckdb"
    with duckdb.connect(there, read_only=True) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [
            ("films",),
            ("state",),
        ]
    assert (root / ".osiris/prod.duckdb").read_bytes() == before
    assert not (run.folder / "parcels").exists()


def test_rows_of_another_environment_that_moved_or_are_too_many_stay_here(
    root, environ, server, deferring, monkeypatch
):
    moved = replace(deferring, deferred=replace(deferring.deferred, nodes={"source:cinema.films": "others"}))
    with pytest.raises(ProjectError) as failed:
        launch(moved, root, environ, run_id="r2")
    assert failed.value.diagnostics[0].rule == "another-state"
    monkeypatch.setattr(cargo, "CARRY_LIMIT", 1000)
    (root / "out/app.duckdb").unlink()
    with pytest.raises(ProjectError) as failed:
        launch(deferring, root, environ, run_id="r3")
    assert "MB of rows of prod would go into the sandbox" in failed.value.diagnostics[0].message
    assert server.sandboxes.every == []
